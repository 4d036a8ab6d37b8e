using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using Xunit;

namespace StreamEngine.Tests.Configuration;

public sealed class YamlConfigReaderTests
{
    private readonly ConfigErrors _errors = new();

    [Fact]
    public void Nodes_know_line_column_and_path()
    {
        var node = Read("a:\n  b:\n    - x\n    - y: 2\n")["a"]!["b"]!.Items![1]["y"]!;
        Assert.Equal(new ConfigLocation("t.yaml", 4, 10, "a.b.1.y"), node.At);
        Assert.Equal("2", node.Scalar);
    }

    [Theory]
    [InlineData("a: x > 1\n", 1, 4)]
    [InlineData("a: 'x > 1'\n", 1, 5)]
    [InlineData("a: |\n\n   x > 1\n", 3, 4)]
    [InlineData("a: >-\n   x >\n   1\n", 2, 4)]
    public void A_scalar_knows_where_its_text_begins(string yaml, int line, int column) =>
        Assert.Equal((line, column), Read(yaml)["a"]!.TextAt);

    [Fact]
    public void Json_is_yaml() => Assert.Equal("1", Read("{\"a\": {\"b\": [1, 2]}}")["a"]!["b"]!.Items![0].Scalar);

    [Theory]
    [InlineData("a:", null)]
    [InlineData("a: ~", null)]
    [InlineData("a: null", null)]
    [InlineData("a: 'null'", "null")]
    [InlineData("a: ''", "")]
    public void Only_a_plain_null_is_null(string yaml, string? expected) => Assert.Equal(expected, Read(yaml)["a"]!.Scalar);

    [Theory]
    [InlineData("[", "")]
    [InlineData("{a: ", "")]
    [InlineData("- ", "x")]
    public void What_is_nested_too_deep_is_a_mistake(string open, string end)
    {
        Assert.Null(YamlConfigReader.Read("t.yaml", string.Concat(Enumerable.Repeat(open, 20_000)) + end, _errors));
        Assert.Contains("more than 100 levels deep", Assert.Single(_errors.All).Message);
    }

    [Fact]
    public void Aliases_that_multiply_are_a_mistake()
    {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12)
            .Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Null(YamlConfigReader.Read("t.yaml", yaml, _errors));
        Assert.Contains("more than 2000000 values", Assert.Single(_errors.All).Message);
    }

    [Fact]
    public void Very_many_names_are_told_in_short()
    {
        var yaml = string.Concat(Enumerable.Range(0, 300_000).Select(i => $"k{i}: 1\n"));
        OptionsBinder.Bind<StreamEngine.Runtime.EngineOptions>(Read(yaml), _errors);
        Assert.Equal(101, _errors.All.Count);
        Assert.Contains("299900 more names here are no options", _errors.All[^1].Message);
    }

    [Fact]
    public void Mappings_keep_the_files_order() => Assert.Equal(["z", "a", "m"], Read("z: 1\na: 2\nm: 3").Entries!.Select(e => e.Key));

    [Fact]
    public void Anchors_aliases_and_merges_work()
    {
        var root = Read("base: &b\n  x: 1\n  y: 2\nsame: *b\nother:\n  <<: *b\n  y: 3\n");
        Assert.Equal("1", root["same"]!["x"]!.Scalar);
        Assert.Equal("1", root["other"]!["x"]!.Scalar);
        Assert.Equal("3", root["other"]!["y"]!.Scalar);
        Assert.Null(root["other"]!["<<"]);
    }

    [Fact]
    public void A_name_given_twice_is_an_error()
    {
        Read("a: 1\nb: 2\na: 3\n");
        var error = Assert.Single(_errors.All);
        Assert.Equal(3, error.At.Line);
        Assert.Contains("first in line 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: 1\nb: [1, 2\n", 3)]
    [InlineData("a: 'x\n", 2)]
    [InlineData("a:\n\t- 1\n", 2)]
    [InlineData("a: [1, 2\nb: }\n", 2)]
    [InlineData("a: {b: [1}\n", 1)]
    [InlineData("]\n", 1)]
    [InlineData("a: &x &y 1\n", 1)]
    [InlineData("a: *\n", 1)]
    public void A_syntax_error_is_a_config_error_with_its_line(string yaml, int line)
    {
        Assert.Null(YamlConfigReader.Read("t.yaml", yaml, _errors));
        var error = Assert.Single(_errors.All);
        Assert.Equal("t.yaml", error.At.File);
        Assert.InRange(error.At.Line, line - 1, line);
    }

    [Fact]
    public void Whatever_stands_in_a_file_it_is_read_or_told()
    {
        var sample = File.ReadAllText(Repository.Path("deploy", "samples", "demo", "streamengine.yaml"));
        const string Odd = "[]{},:-?&*!|>'\"%@`#~ \n\t<\\\0";
        var random = new Random(7);
        for (var i = 0; i < 3_000; i++)
        {
            var text = sample.Substring(random.Next(sample.Length - 200), 200);
            for (var n = random.Next(1, 6); n > 0; n--)
                text = text.Insert(random.Next(text.Length), Odd[random.Next(Odd.Length)].ToString());
            var errors = new ConfigErrors();
            Assert.True(YamlConfigReader.Read("t.yaml", text, errors) is not null || errors.Any, text);
            Assert.All(errors.All, e => Assert.True(e.At.Line > 0));
        }
    }

    [Fact]
    public void A_missing_file_is_a_config_error()
    {
        Assert.Null(YamlConfigReader.ReadFile("no-such-file.yaml", _errors));
        Assert.Contains("no such file", Assert.Single(_errors.All).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_an_empty_mapping() => Assert.Empty(Read("# nothing\n").Entries!);

    private ConfigNode Read(string yaml) => YamlConfigReader.Read("t.yaml", yaml, _errors)!;
}
