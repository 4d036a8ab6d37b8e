using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>
/// An enum is written into a record as its number, and counted at that place: its names must be the schema's symbols in the schema's
/// order, and every table that it indexes as long as it is.
/// </summary>
public sealed class RecordSymbolTests
{
    /// <summary>The schemas' enums by name, and what the engine writes there.</summary>
    private static readonly Dictionary<string, Type> Written = new()
    {
        ["DecisionKind"] = typeof(DecisionKind),
        ["Outcome"] = typeof(Outcome),
        ["PropensitySource"] = typeof(PropensitySource),
        ["Origin"] = typeof(DecisionOrigin),
        ["OutcomeKind"] = typeof(OutcomeKind),
        ["OutcomeStatus"] = typeof(OutcomeStatus),
        ["Attribution"] = typeof(Attribution),
        ["SegmentChange"] = typeof(Change),
        ["AudienceCause"] = typeof(AudienceCause),
    };

    /// <summary>What an odd and an even number of changes are written as.</summary>
    private enum Change
    {
        Enter,
        Leave,
    }

    [Theory]
    [InlineData("action.avsc")]
    [InlineData("decision.avsc")]
    [InlineData("dead-letter.avsc")]
    [InlineData("outcome.avsc")]
    [InlineData("outcome-1.avsc")]
    [InlineData("audience.avsc")]
    public void TheSymbolsOfEachSchema_AreTheEnums(string file)
    {
        foreach (var (name, symbols) in Enums(file))
            Assert.True(Symbols(Written[name]).SequenceEqual(symbols), $"{file}: {name} has the symbols {string.Join(", ", symbols)}, the "
                + $"engine writes {string.Join(", ", Symbols(Written[name]))}");
    }

    [Theory]
    [InlineData("decision-1.avsc")]
    [InlineData("decision-2.avsc")]
    [InlineData("decision-3.avsc")]
    [InlineData("decision-4.avsc")]
    [InlineData("decision-5.avsc")]
    public void TheSymbolsOfAnEarlierVersion_AreTheFirstOfTheEnums(string file)
    {
        foreach (var (name, symbols) in Enums(file)) Assert.Equal(Symbols(Written[name]).Take(symbols.Count), symbols);
    }

    [Fact]
    public void NoEnumIsLeftOut() => Assert.Equal(Written.Keys.Order(), Enums("decision.avsc").Concat(Enums("outcome.avsc"))
        .Concat(Enums("audience.avsc")).Select(e => e.Name).Order());

    [Theory]
    [InlineData(typeof(DropReason))]
    [InlineData(typeof(RejectReason))]
    [InlineData(typeof(Outcome))]
    public void Numbers_countFromZeroWithoutGaps(Type type) => _ = Symbols(type);

    [Fact]
    public void Counters_haveAPlaceForEachValue()
    {
        var counters = new ShardCounters(offers: 1, models: 1, variations: 1);
        Assert.Equal(Enum.GetValues<RejectReason>().Length, counters.Rejected.Length);
        Assert.Equal(Enum.GetValues<Outcome>().Length, counters.Outcomes.Length);
        Assert.Equal(Enum.GetValues<DropReason>().Length, counters.Drops.Length);
        Assert.Equal(Enum.GetValues<RejectReason>().Length, EngineMetrics.Reasons.Count);
    }

    /// <summary>An enum's names as the schemas spell them; its numbers must be their places.</summary>
    private static string[] Symbols(Type type)
    {
        var values = Enum.GetValues(type).Cast<object>().Select(v => Convert.ToInt32(v)).ToArray();
        Assert.Equal(Enumerable.Range(0, values.Length), values);
        return [.. Enum.GetNames(type).Select(Spelling.Snake)];
    }

    private static List<(string Name, List<string> Symbols)> Enums(string file)
    {
        var found = new List<(string, List<string>)>();
        Look(JsonNode.Parse(File.ReadAllText(Repository.Path("schemas", file)))!);
        return found;

        void Look(JsonNode? node)
        {
            if (node is JsonArray items) foreach (var item in items) Look(item);
            if (node is not JsonObject o) return;
            if (o["type"] is JsonValue type && type.GetValueKind() == System.Text.Json.JsonValueKind.String && (string)type! == "enum")
                found.Add(((string)o["name"]!, [.. o["symbols"]!.AsArray().Select(s => (string)s!)]));
            foreach (var (_, value) in o) Look(value);
        }
    }
}
