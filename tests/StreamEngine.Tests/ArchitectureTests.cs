using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using StreamEngine.Runtime;
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
        ["StreamEngine.Cluster"] = ["StreamEngine"],
        ["StreamEngine.Dashboard"] = ["StreamEngine"],
        ["StreamEngine.State.Faster"] = ["StreamEngine"],
        ["StreamEngine.Inference.Onnx"] = ["StreamEngine"],
        ["StreamEngine.Activation"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Kafka"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Embedded"] = ["StreamEngine"],
        ["StreamEngine.Connectors.Files"] = ["StreamEngine"],
        ["StreamEngine.Connectors.SchemaRegistry"] = ["StreamEngine"],
        ["StreamEngine.Host"] =
        [
            "StreamEngine", "StreamEngine.Cluster", "StreamEngine.Dashboard", "StreamEngine.State.Faster", "StreamEngine.Inference.Onnx",
                "StreamEngine.Activation", "StreamEngine.Connectors.Kafka",
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
    public void Domain_UsesTwoPackages_EachInOnePlace()
    {
        var domain = Path.Combine(Root, "engine/StreamEngine");
        Assert.Equal(["ADRaffy.ENSNormalize", "Apache.Avro"], XDocument.Load(Path.Combine(domain, "StreamEngine.csproj"))
            .Descendants("PackageReference").Select(r => r.Attribute("Include")!.Value));
        var files = Directory.EnumerateFiles(domain, "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/")).ToList();
        string[] Use(Func<string, bool> package) =>
            [.. files.Where(f => package(File.ReadAllText(f))).Select(f => Path.GetRelativePath(domain, f).Replace('\\', '/'))];
        Assert.Equal(["Events/Avro"], Use(Package().IsMatch).Select(f => Path.GetDirectoryName(f)).Distinct());
        Assert.Equal(["Events/Decoding/NormalForm.cs"], Use(t => t.Contains("using ADRaffy", StringComparison.Ordinal)));
    }

    /// <summary>
    /// A connector's options and words belong to its own project; the host's root record puts its section into the config.
    /// </summary>
    [Fact]
    public void Domain_NamesNoConnector()
    {
        string[] connectors = ["Kafka", "Embedded"];
        var names = typeof(CompiledEngine).Assembly.GetTypes().Where(t => !t.Name.Contains('<'))
            .SelectMany(t => t.GetMembers(Everything).Where(m => m is PropertyInfo or FieldInfo).Select(m => $"{t.Name}.{m.Name}"));
        Assert.DoesNotContain(names, n => connectors.Any(c => n.Contains(c, StringComparison.Ordinal)));
        Assert.All(connectors, c => Assert.Contains($"StreamEngine.Connectors.{c}", Allowed.Keys));
    }

    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

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

    [GeneratedRegex(@"using (Avro|Newtonsoft)\b|global::Avro\b")]
    private static partial Regex Package();

    /// <summary>
    /// A folder's namespace in front of one of its names, in full or as seen from inside StreamEngine (<c>Events.Avro.X</c>). Behind a
    /// point, a name of that spelling is a property.
    /// </summary>
    [GeneratedRegex(@"(StreamEngine\.|(?<![\w.>""])(?=\w+\.[A-Z]))(?<folder>"
        + "Configuration|Telemetry|Events|Connectors|State|Identity|Expressions|Features|Inference|Decisions|Runtime)\\b")]
    private static partial Regex Use();
}
