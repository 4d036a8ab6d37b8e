using System.Text;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What a config declares as personal data reaches no output, wherever a producer puts it.</summary>
public sealed class PersonalDataTests
{
    private const string Secret = "ann@secret.example";

    /// <summary>What a record may have in the place of an object with an e-mail address.</summary>
    private static readonly string[] Users =
    [
        """{"email":"S"}""", """{"em\u0061il":"S"}""", """{"email":{"a":["S"]}}""", """{"email":["S",{"b":"S"}]}""", "\"S\"", "[\"S\"]",
        """[{"email":"S"},"S",["S"]]""", """{"name":"x","email":"S","email":"S"}""", """{"name":7,"email":"S"}""", """{"email":"S\n"}""",
    ];

    /// <summary>What makes a record pass, or be rejected, beside it.</summary>
    private static readonly string[] Others =
    [
        "", "\"value\":\"x\",", "\"time\":\"soon\",", "\"time\":-5,", "\"customer\":\"\",", "\"id\":null,", "\"consent\":[],",
        "\"placement\":{\"a\":1},", "\"time\":99999999999999,", "oops,",
    ];

    [Theory]
    [InlineData(WrongPartitionFate.Count)]
    [InlineData(WrongPartitionFate.Refuse)]
    public void NoOutputHasIt(WrongPartitionFate fate)
    {
        var options = Scenario.Options();
        var source = options.Events[0];
        options = options with
        {
            Events = [source with { Pii = ["user.email"], Requires = ["personalization"],
                Fields = [.. source.Fields, new FieldOptions { Name = "name", From = "user.name" }] }],
            Runtime = new RuntimeOptions { WrongPartition = fate, MaxRecordBytes = new(2_000) },
        };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        List<string> said = [];
        var watch = new SourceWatch(engine, TimeProvider.System, e => said.Add(e.Text));
        using var driver = new ShardDriver(engine, partitions: 2, watch: watch);
        var n = 0;
        foreach (var user in Users)
            foreach (var other in Others)
                foreach (var twice in new[] { false, true })
                    foreach (var length in new[] { 0, 2_000 })
                    {
                        var id = twice ? 0 : ++n;
                        var json = $$"""
                            {"id":"{{id}}","customer":"c{{id % 3}}","type":"page_view","time":{{Scenario.Start}},"value":1,"placement":"home",
                            "consent":["personalization"],{{other}}"user":{{user.Replace("S", Secret)}},"x":"{{new string('x', length)}}"}
                            """;
                        driver.Add("k", json, Scenario.Start);
                    }
        driver.Process();
        watch.Finish();
        Assert.Contains(driver.Outputs, o => o.Topic == "actions");
        Assert.InRange(driver.Outputs.Count(o => o.Topic == "dead-letter"), 100, 1_000);
        foreach (var output in driver.Outputs)
            Assert.DoesNotContain("secret", Encoding.UTF8.GetString(output.Value), StringComparison.Ordinal);
        Assert.All(said, s => Assert.DoesNotContain("secret", s, StringComparison.Ordinal));
    }
}
