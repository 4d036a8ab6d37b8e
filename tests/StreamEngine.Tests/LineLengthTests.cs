using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests;

/// <summary>Holds .editorconfig's max_line_length, which the formatter does not.</summary>
public sealed class LineLengthTests
{
    private const int Most = 140;

    [Fact]
    public void NoLineOfCode_IsLonger()
    {
        var faults = new List<string>();
        foreach (var folder in new[] { "engine", "connectors", "perf", "tests", "deploy" })
            foreach (var file in Directory.EnumerateFiles(RepositoryRoot.At(folder), "*", SearchOption.AllDirectories))
                if (Path.GetExtension(file) is ".cs" or ".sh" && !IsBuilt(file)) faults.AddRange(LongLines(file));
        Assert.Empty(faults);
    }

    private static bool IsBuilt(string file) => file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj");

    /// <summary>Data in a raw string of a test may be as long as it is: a break would be part of it.</summary>
    private static IEnumerable<string> LongLines(string file)
    {
        var isTest = file.StartsWith(RepositoryRoot.At("tests"), StringComparison.Ordinal);
        var inRaw = false;
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            var marks = line.Split("\"\"\"").Length - 1;
            var isData = isTest && (inRaw || marks > 0);
            if (marks % 2 == 1) inRaw = !inRaw;
            if (line.Length > Most && !isData)
                yield return $"{Path.GetRelativePath(RepositoryRoot.Path, file)}:{number} has {line.Length} columns";
        }
    }
}
