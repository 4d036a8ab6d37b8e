using System.Text.Json.Nodes;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("")]
    [InlineData("fly")]
    [InlineData("validate")]
    [InlineData("run --config x.yaml")]
    [InlineData("run --config x.yaml --embedded a --kafka b")]
    [InlineData("demo --rate 0")]
    [InlineData("demo --for 5")]
    [InlineData("replay --config x.yaml --events a --out b --as-of yesterday")]
    [InlineData("topics create --config x.yaml --embedded a --partitions 0")]
    [InlineData("produce --config x.yaml --embedded a")]
    [InlineData("produce --config x.yaml --events a")]
    [InlineData("produce --config x.yaml --embedded a --events b --rate fast")]
    [InlineData("produce --config x.yaml --embedded a --events b --rate 0")]
    [InlineData("tail --embedded a")]
    [InlineData("tail actions --embedded a --kafka b")]
    [InlineData("tail actions --embedded a --last 3 --from-beginning")]
    [InlineData("schema fly")]
    [InlineData("completion")]
    [InlineData("completion tcsh")]
    public async Task A_wrong_command_line_is_a_usage_error(string line)
    {
        var (code, output, error) = await Cli.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains("--help' tells the usage", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay --config x.yaml --events a --out b --memory 3", "--memory takes 1mb or more, not '3'.")]
    [InlineData("replay --config x.yaml --events a --out b --memory 0", "--memory takes 1mb or more, not '0'.")]
    [InlineData("demo --rate abc", "--rate takes a number from 1 to 5000000, not 'abc'.")]
    [InlineData("demo --log-level loud", "--log-level takes debug, info, warning or error, not 'loud'.")]
    [InlineData("validate --config x.yaml --set foo", "--set foo has no value: write --set path.in.config=value.")]
    [InlineData("savepoint create  --config x.yaml --embedded x", "name is empty: give it a value, or leave it out.")]
    [InlineData("savepoint list --directory ", "--directory is empty: give it a value, or leave it out.")]
    [InlineData("validate --config ", "--config is empty: give it a value, or leave it out.")]
    [InlineData("savepoint create a\nb --config x.yaml --embedded x", "'a\\nb' can't be a savepoint's name:")]
    [InlineData("fly\u001b[2J", "'streamengine' has no command 'fly\\u001b[2J'.")]
    [InlineData("fly", "'streamengine' has no command 'fly'. It has: demo, run,")]
    [InlineData("topics fly", "'streamengine topics' has no command 'fly'. It has: create, list.")]
    [InlineData("topics", "'streamengine topics' needs a command: create, list.")]
    public async Task The_first_line_says_what_is_wrong(string line, string expected)
    {
        var (code, _, error) = await Cli.RunAsync(line.Split(' '));
        Assert.Equal(1, code);
        Assert.StartsWith($"streamengine: error: {expected}", error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: [1, 2\nb: }", ":2:")]
    [InlineData("- just\n- a list\n", ":1:1: config: this is no config")]
    [InlineData("just a text\n", ":1:1: config: this is no config")]
    [InlineData("name: x\n", ":1:1: events: no event source is declared. Declare")]
    public async Task A_file_that_is_no_config_is_one_mistake(string text, string expected)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            foreach (var line in new[] { "validate", "run --embedded x", "replay --events a --out b", "features --events a --at b --out c",
                "demo", "checkpoints list", "savepoint list", "savepoint create a --embedded x", "savepoint restore a --embedded x" })
            {
                if (text.StartsWith("name", StringComparison.Ordinal) && line != "validate") continue;
                var (code, _, error) = await Cli.RunAsync([.. line.Split(' '), "--config", path]);
                Assert.Equal(2, code);
                Assert.StartsWith(path + expected, error, StringComparison.Ordinal);
                Assert.EndsWith("\n1 mistake\n", error, StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Listing_a_log_that_is_not_there_makes_none()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"no-log-{Guid.NewGuid():N}");
        var (code, _, error) = await Cli.RunAsync("topics", "list", "--embedded", folder);
        Assert.Equal(3, code);
        Assert.Contains("there is no such folder", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("run")]
    [InlineData("replay")]
    [InlineData("replay compare")]
    [InlineData("features")]
    [InlineData("features list")]
    [InlineData("features describe")]
    [InlineData("features show")]
    [InlineData("validate")]
    [InlineData("topics")]
    [InlineData("topics create")]
    [InlineData("topics list")]
    [InlineData("savepoint")]
    [InlineData("savepoint create")]
    [InlineData("savepoint list")]
    [InlineData("schema")]
    [InlineData("schema show")]
    [InlineData("produce")]
    [InlineData("tail")]
    public async Task Help_has_examples(string command)
    {
        var (code, output, _) = await Cli.RunAsync([.. command.Split(' '), "--help"]);
        Assert.Equal(0, code);
        Assert.Contains($"Examples:{Environment.NewLine}  streamengine {command}", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("validate --config no-such.yaml")]
    [InlineData("run --config no-such.yaml --embedded x")]
    [InlineData("replay --config no-such.yaml --events a --out b")]
    [InlineData("features --config no-such.yaml --events a --at b --out c")]
    [InlineData("produce --config no-such.yaml --events a --embedded x")]
    [InlineData("tail actions --config no-such.yaml --embedded x")]
    public async Task A_missing_config_is_a_config_error(string line)
    {
        var (code, _, error) = await Cli.RunAsync(line.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains("no-such.yaml: config: there is no such file", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("online-retail")]
    public async Task The_samples_are_valid(string sample)
    {
        var path = Configuration.Repository.Path("deploy", "samples", sample, "streamengine.yaml");
        Assert.StartsWith("# yaml-language-server: $schema=../../../schemas/streamengine.schema.json", File.ReadAllText(path),
            StringComparison.Ordinal);
        var (code, output, error) = await Cli.RunAsync("validate", "--config", path);
        Assert.True(code == 0, error);
        Assert.Contains("is valid", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_tells_mistakes_of_binding_and_compiling_with_their_places()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, """
                events:
                  e: { topic: t, format: json, fields: { value: double } }
                features:
                  sum: { op: sum, of: event.valeu }
                """);
            var (code, _, error) = await Cli.RunAsync("validate", "--config", path);
            Assert.Equal(2, code);
            Assert.Contains($"{path}:4:29: features.sum.of: ", error, StringComparison.Ordinal);
            var (_, output, _) = await Cli.RunAsync("validate", "--config", path, "--json", "--set", "nmae=x");
            var result = JsonNode.Parse(output)!;
            Assert.False((bool)result["valid"]!);
            Assert.Equal("nmae", (string)result["errors"]![0]!["path"]!);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Schema_prints_the_schema()
    {
        var (code, output, _) = await Cli.RunAsync("schema");
        Assert.Equal(0, code);
        Assert.NotNull(JsonNode.Parse(output)!["$defs"]);
    }

    [Fact]
    public async Task Schemas_of_outputs_are_listed_and_printed_as_their_files_have_them()
    {
        var (_, output, _) = await Cli.RunAsync("schema", "list");
        Assert.Equal(["action", "action-1", "action-2", "audience", "dead-letter", "decision", "decision-1", "decision-2", "decision-3",
            "decision-4", "decision-5", "outcome", "outcome-1", "shop-event"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]));
        foreach (var name in new[] { "action", "actions" })
            Assert.Equal(File.ReadAllText(Configuration.Repository.Path("schemas", "action.avsc")),
                (await Cli.RunAsync("schema", "show", name)).Output);
        var (code, _, error) = await Cli.RunAsync("schema", "show", "late");
        Assert.Equal(1, code);
        Assert.Contains("they are the source's records", error, StringComparison.Ordinal);
        (code, _, error) = await Cli.RunAsync("schema", "show", "fly");
        Assert.Equal(1, code);
        Assert.Contains("there is no schema 'fly'. There are action, action-1, action-2, audience,", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("streamengine t", "tail,topics")]
    [InlineData("/usr/bin/streamengine topics ", "create,list")]
    [InlineData("streamengine tail act", "actions")]
    [InlineData("streamengine tail actions --embedded x --fol", "--follow")]
    [InlineData("streamengine completion ", "bash,fish,zsh")]
    [InlineData("streamengine tail --config ", "")]
    public async Task A_shell_is_told_what_can_stand_where(string line, string expected)
    {
        var (code, output, error) = await Cli.RunAsync($"[suggest:{line.Length}]", line);
        Assert.Equal((0, ""), (code, error));
        var told = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var word in expected.Split(',', StringSplitOptions.RemoveEmptyEntries)) Assert.Contains(word, told);
        if (expected.Length == 0) Assert.Empty(told);
        Assert.DoesNotContain("/?", told);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Each_shell_gets_its_script(string shell)
    {
        var (code, output, _) = await Cli.RunAsync("completion", shell);
        Assert.Equal(0, code);
        Assert.Contains("[suggest:", output, StringComparison.Ordinal);
    }
}
