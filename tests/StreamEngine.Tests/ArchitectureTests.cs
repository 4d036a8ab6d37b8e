using System.Text.RegularExpressions;
using System.Xml.Linq;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests;

/// <summary>
/// Holds the two rules of engine/docs/architecture.md: which project may use which, and which folder of the domain may use which.
/// </summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Root = RepositoryRoot.Path;

    private static readonly string[] Folders =
        ["Configuration", "Telemetry", "Events", "Connectors", "State", "Identity", "Expressions", "Features", "Inference", "Decisions",
        "Runtime"];

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["StreamEngine"] = [],
        ["StreamEngine.State.Faster"] = ["StreamEngine"],
        ["StreamEngine.Inference.Onnx"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Kafka"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Embedded"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Files"] = ["StreamEngine"],
        ["StreamEngine.Connectors.SchemaRegistry"] = ["StreamEngine"],
        ["StreamEngine.Host"] =
        [
            "StreamEngine", "StreamEngine.State.Faster", "StreamEngine.Inference.Onnx", "StreamEngine.Connectors.Kafka",
                "StreamEngine.Connectors.Embedded", "StreamEngine.Connectors.Files", "StreamEngine.Connectors.SchemaRegistry",
        ],
    };

    [Fact]
    public void Projects_UseOnlyWhatIsBelowThem()
    {
        var projects = new[] { "engine", "connectors" }
            .SelectMany(d => Directory.EnumerateFiles(Path.Combine(Root, d), "*.csproj", SearchOption.AllDirectories)).ToList();
        Assert.Equal(Allowed.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (var project in projects)
        {
            var uses = XDocument.Load(project).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.Empty(uses.Except(Allowed[Path.GetFileNameWithoutExtension(project)]));
        }
    }

    [Fact]
    public void Domain_UsesNoPackage() =>
        Assert.Empty(XDocument.Load(Path.Combine(Root, "engine/StreamEngine/StreamEngine.csproj")).Descendants("PackageReference"));

    [Fact]
    public void Folders_UseOnlyThoseBeforeThem()
    {
        var domain = Path.Combine(Root, "engine/StreamEngine");
        Assert.Equal(Folders.Order(), Directory.EnumerateDirectories(domain).Select(d => Path.GetFileName(d))
            .Where(d => d is not ("bin" or "obj")).Order());
        var faults = new List<string>();
        for (var i = 0; i < Folders.Length; i++)
            foreach (var file in Directory.EnumerateFiles(Path.Combine(domain, Folders[i]), "*.cs", SearchOption.AllDirectories))
                foreach (Match use in Use().Matches(File.ReadAllText(file)))
                    if (Array.IndexOf(Folders, use.Groups["folder"].Value) > i)
                        faults.Add($"{Path.GetRelativePath(domain, file)} uses {use.Value}");
        Assert.Empty(faults.Distinct());
    }

    /// <summary>
    /// A folder's namespace in front of one of its names, in full or as seen from inside StreamEngine (<c>Events.Avro.X</c>). Behind a
    /// point, a name of that spelling is a property.
    /// </summary>
    [GeneratedRegex(@"(StreamEngine\.|(?<![\w.>""])(?=\w+\.[A-Z]))(?<folder>"
        + "Configuration|Telemetry|Events|Connectors|State|Identity|Expressions|Features|Inference|Decisions|Runtime)\\b")]
    private static partial Regex Use();
}
