using System.Text.RegularExpressions;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests;

/// <summary>Holds .editorconfig's max_line_length, which the formatter does not.</summary>
public sealed partial class LineLengthTests
{
    private const int Most = 140;

    [Fact]
    public void NoLineOfCode_IsLonger()
    {
        var faults = new List<string>();
        foreach (var folder in new[] { "engine", "connectors", "perf", "tests", "deploy" })
            foreach (var file in Directory.EnumerateFiles(RepositoryRoot.At(folder), "*", SearchOption.AllDirectories))
                if (Path.GetExtension(file) is ".cs" or ".razor" or ".css" or ".sh" && !IsBuilt(file)) faults.AddRange(LongLines(file));
        Assert.Empty(faults);
    }

    /// <summary>Tables and code are as wide as they are, and a link's address can't be broken.</summary>
    [Fact]
    public void NoLineOfProse_IsLonger()
    {
        var files = new[] { "engine", "connectors", "perf", "tests", "deploy", "models", "schemas" }
            .SelectMany(f => Directory.EnumerateFiles(RepositoryRoot.At(f), "*.md", SearchOption.AllDirectories))
            .Append(RepositoryRoot.At("README.md")).Where(f => !IsBuilt(f));
        var faults = new List<string>();
        foreach (var file in files)
        {
            var (number, inCode) = (0, false);
            foreach (var line in File.ReadLines(file))
            {
                number++;
                if (line.TrimStart().StartsWith("```", StringComparison.Ordinal)) inCode = !inCode;
                var length = Address().Replace(line, "").Length;
                if (length > Most && !inCode && !line.TrimStart().StartsWith('|'))
                    faults.Add($"{Path.GetRelativePath(RepositoryRoot.Path, file)}:{number} has {length} columns");
            }
        }
        Assert.Empty(faults);
    }

    [GeneratedRegex(@"\]\([^)]*\)")]
    private static partial Regex Address();

    private static bool IsBuilt(string file) =>
        file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules");

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
