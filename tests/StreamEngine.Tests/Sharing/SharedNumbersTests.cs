using System.Text;
using Avro.Generic;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using StreamEngine.Tests.Decisions;
using StreamEngine.Tests.Decisions.Outcomes;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Sharing;

/// <summary>Shared numbers in the topic, in a snapshot, in marks and in checkpoints.</summary>
public sealed class SharedNumbersTests
{
    private readonly List<string> _told = [];
    private readonly RecordBatch _batch = new();
    private long _offset;

    [Fact]
    public void A_board_adds_up_the_shards_of_its_engine_and_publishes_once_all_is_read()
    {
        var board = Board();
        Take(board, ("tally/a%2Fb/0/arm/home/x", "{\"values\":[1,2]}"), ("tally/a%2Fb/1/arm/home/x", "{\"values\":[10,0.5]}"),
            ("tally/other/1/arm/home/x", "{\"values\":[100,100]}"));
        board.Publish(isComplete: false);
        Assert.False(board.IsReady);
        Assert.Empty(board.Current.Common);
        board.Publish(isComplete: true);
        Assert.Equal([11, 2.5], board.Current.Common["arm/home/x"]);
        Assert.Equal(2, board.Current.Version); // the other engine's is none of its own
        Assert.Null(board.Current.At);
        var before = board.Current;
        board.Publish(isComplete: true);
        Assert.Same(before, board.Current);

        Take(board, ("tally/a%2Fb/1/arm/home/x", "{\"values\":[11,1]}"), ("tally/a%2Fb/0/grant/m@all/1", "{\"values\":[7]}"),
            ("tally/a%2Fb/0/budget/m@all", "{\"values\":[3,4]}"));
        board.Publish(isComplete: false);
        Assert.Equal([12, 3], board.Current.Common["arm/home/x"]);
        Assert.Equal([7], board.Current.Of(1)["grant/m@all/1"]);
        Assert.Empty(board.Current.Of(0));
        Assert.NotNull(board.Current.At);
        Assert.Equal([11, 2.5], before.Common["arm/home/x"]); // a snapshot stays as it is
        Assert.Equal(["arm/home/x 1 2", "budget/m@all 3 4", "grant/m@all/1 7"], board.Of(0)
            .Select(n => $"{n.Name} {string.Join(' ', n.Values)}").Order());

        Take(board, ("tally/a%2Fb/1/arm/home/x", null));
        board.Publish(isComplete: true);
        Assert.Equal([1, 2], board.Current.Common["arm/home/x"]);
        board.Forget();
        board.Publish(isComplete: false);
        Assert.NotEmpty(board.Current.Common); // what was known holds until all of the new topic is read
        board.Publish(isComplete: true);
        Assert.Empty(board.Current.Sums);
        Assert.Empty(_told);
    }

    [Fact]
    public void What_is_no_such_record_is_passed_over_and_told()
    {
        var board = Board();
        Take(board, ("offer:club", "{\"off\":true}"), ("tally/a%2Fb/x/arm/1", "{\"values\":[1]}"), ("tally/a%2Fb/1/", "{\"values\":[1]}"),
            ("tally/a%2Fb/1/arm/1", "{\"value\":1}"), ("tally/a%2Fb/1/arm/1", "nothing"));
        board.Publish(isComplete: true);
        Assert.Equal((5, 5L), (_told.Count, board.Refused));
        Assert.StartsWith("shared[0] offset 0 is passed over: its key is none of tally/ENGINE/SHARD/NAME (key 'offer:club')", _told[0],
            StringComparison.Ordinal);
        Assert.Empty(board.Current.Sums);
    }

    [Fact]
    public void A_tally_is_written_as_it_stands_and_once_until_it_changes_again()
    {
        var tallies = new Tallies();
        tallies.Load("a", [5, 0]);
        var tally = tallies.Of("a", 2);
        tallies.Add(tally, 0, 2);
        tallies.Add(tally, 1, 1);
        tallies.Set(tallies.Of("b", 1), 0, 0); // it was 0
        var written = new List<string>();
        tallies.Take(t => written.Add($"{t.Name} {string.Join(' ', t.Values.ToArray())}"));
        tallies.Take(t => written.Add("again"));
        Assert.Equal(["a 7 1"], written);
        Assert.Throws<ArgumentOutOfRangeException>(() => tallies.Add(tally, 0, double.NaN));
        tallies.Add(tally, 0, 1);
        Assert.True(tallies.AnyChanged);
    }

    [Fact]
    public void A_mark_has_what_differs_and_reads_back_in_any_Avro()
    {
        using var engine = Sharing();
        var view = new SharedView(Scope(engine));
        var one = Numbers(("arm/click/home/a", [1, 2]), ("arm/click/home/b", [3]), ("grant/m@all/3", [9]), ("grant/m@all/4", [8]),
            ("budget/m@all", [1, 1]));
        var news = view.Difference(one, shard: 3, watermark: 0);
        Assert.Equal(["arm/click/home/a", "arm/click/home/b", "grant/m@all/3"], news.Select(n => n.Name));
        var shop = new Shop([Shop.Offer("a")]);
        var output = new OutputBuffer();
        var writer = new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee");
        writer.WriteShared(output, 0, 0, 3, 77, 2, at: 9_000, watermark: 8_500, version: 42, SharedView.Encode([.. news]));
        var entry = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(output.Value(0), ref entry), entry.Error);
        Assert.Equal((DecisionKind.Shared, 77, 2, 42), (entry.Kind, entry.Offset, entry.Ordinal, entry.SharedVersion));
        view.Take(entry.SharedVersion, entry.Shared.Of(output.Value(0)));
        Assert.Equal([1, 2], view.Find("arm/click/home/a").ToArray());
        Assert.True(view.Find("grant/m@all/4").IsEmpty);
        Assert.Empty(view.Difference(one, shard: 3, watermark: 0));
        var record = ApacheAvro.Of("decision").Record(output.Value(0)[5..]);
        Assert.Equal("shared", record.Text("kind"));
        var numbers = (object[])((GenericRecord)record["shared"]!)["numbers"]!;
        Assert.Equal(["arm/click/home/a 1 2", "arm/click/home/b 3", "grant/m@all/3 9"], numbers.Cast<GenericRecord>()
            .Select(n => $"{n["name"]} {string.Join(' ', (object[])n["values"]!)}"));

        // Another value, a number that is gone, and one that is the same.
        var two = Numbers(("arm/click/home/a", [1, 3]), ("grant/m@all/3", [9]));
        news = view.Difference(two, shard: 3, watermark: 0);
        Assert.Equal(["arm/click/home/a 1 3", "arm/click/home/b "], news.Select(n => $"{n.Name} {string.Join(' ', n.Values)}"));
        var generation = view.Generation;
        view.Take(43, SharedView.Encode([.. news]));
        Assert.Equal(["arm/click/home/a", "grant/m@all/3"], view.Numbers.Keys.Order());
        Assert.Equal((43L, generation + 1), (view.Version, view.Generation));
    }

    /// <summary>
    /// Numbers stay in the topic for ever, also those of offers and placements that left and of periods long over. Whoever would follow
    /// them all would write markers that grow until the log takes them no more.
    /// </summary>
    [Fact]
    public void What_no_decision_can_follow_is_neither_taken_nor_kept()
    {
        using var engine = Sharing();
        var view = new SharedView(Scope(engine));
        var all = new List<(string, double[])>
        {
            ("arm/click/home/a", [1]), ("arm/value/home/a", [2]), ("arm/click/home/left", [3]), ("arm/click/gone/a", [4]),
            ("grant/m@all/0", [5]), ("grant/gone@all/0", [6]), ("grant/day@2026-01/0", [7]),
        };
        for (var i = 0; i < 1_000; i++) all.Add(($"grant/day@{Day(i):yyyy-MM-dd}/0", [i + 1]));
        var now = Numbers([.. all]);

        // Events may be ten minutes late: of the day before money may be spent until ten past midnight.
        var midnight = Day(999).ToUnixTimeMilliseconds();
        Assert.Equal(["arm/click/home/a", "grant/day@2028-09-25/0", "grant/day@2028-09-26/0", "grant/m@all/0"],
            Follow(midnight + 599_999));
        Assert.Equal(midnight + 600_000, view.Until);
        Assert.Equal([("grant/day@2028-09-25/0", 0)], view.Difference(now, 0, view.Until).Select(n => (n.Name, n.Values.Length)));
        Assert.Equal(["arm/click/home/a", "grant/day@2028-09-26/0", "grant/m@all/0"], Follow(midnight + 600_000));

        // A shard that has nothing yet, or is far behind, takes a few about its watermark, and a few about the clock.
        string[] newest = ["grant/day@2028-09-24/0", "grant/day@2028-09-25/0", "grant/day@2028-09-26/0", "grant/m@all/0"];
        Assert.Equal(["arm/click/home/a", "grant/day@2026-01-01/0", "grant/day@2026-01-02/0", "grant/day@2026-01-03/0", .. newest],
            Follow(long.MinValue));
        Assert.Equal(long.MinValue + 1, view.Until);
        Assert.Equal(["arm/click/home/a", "grant/day@2026-01-11/0", "grant/day@2026-01-12/0", "grant/day@2026-01-13/0", .. newest],
            Follow(Day(10).ToUnixTimeMilliseconds() + 600_000));
        Assert.InRange(view.Encoded(long.MinValue).Length, 100, SharedScope.MostBytes(engine.Policy, engine.Options.Time.Lateness));

        // Marks of before may have them all; they change nothing, are not kept in a checkpoint, and leave with the next mark.
        view.Take(1, [.. all.Select(n => new SharedNumber(n.Item1, n.Item2))]);
        Assert.Equal(["arm/click/home/a", "grant/day@2028-09-26/0", "grant/m@all/0"],
            SharedView.Read(view.Encoded(midnight + 600_000)).Select(n => n.Name));
        var beliefs = new ArmBeliefs(engine.Policy);
        beliefs.Take(view.Find);
        Assert.Equal(["arm/click/home/a", "grant/day@2028-09-26/0", "grant/m@all/0"], Follow(midnight + 600_000));

        static DateTimeOffset Day(int index) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(index);

        IEnumerable<string> Follow(long watermark)
        {
            view.Take(1, [.. view.Difference(now, 0, watermark)]);
            return view.Numbers.Keys.Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public void A_config_whose_numbers_do_not_fit_into_a_checkpoints_marker_is_refused()
    {
        var options = ShopThatShares() with { Checkpoints = new CheckpointOptions { Topic = "checkpoints" } };
        Assert.Null(Refusal(options, 20_000));
        options = options with
        {
            Decisions = options.Decisions with
            {
                Budgets = [.. Enumerable.Range(0, 100).Select(i => new BudgetOptions
                {
                    Name = $"b{i}",
                    Amount = 5,
                    Period = BudgetPeriod.Day,
                })],
            },
        };
        Assert.Contains("the shared numbers of 2 arms (offers in placements that learn) and 100 budgets take up to",
            Refusal(options, 20_000)!, StringComparison.Ordinal);
        Assert.Null(Refusal(options with { Checkpoints = new CheckpointOptions() }, 20_000));
        Assert.Null(Refusal(options, 1_000_000));

        static string? Refusal(EngineOptions options, int largestRecord)
        {
            var errors = new ConfigErrors();
            using var engine = CompiledEngine.Compile(options, "", new LinearModels(1), errors, largestRecord: largestRecord);
            return errors.All.Select(e => $"{e}").FirstOrDefault(e => e.Contains("shared numbers", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_record_of_the_version_before_is_read_and_a_mark_of_another_kind_may_not_have_numbers()
    {
        var shop = new Shop([Shop.Offer("a")]);
        var output = new OutputBuffer();
        var writer = new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee");
        writer.Write(output, 0, shop.Request(), shop.Decide(), [1, 2]);
        writer.WriteShared(output, 0, 0, 3, 77, 2, at: 9_000, watermark: 8_500, version: 42,
            SharedView.Encode([new SharedNumber("arm/p/x", [1])]));
        var entry = default(LoggedDecision);
        var before = output.Value(0)[..^3].ToArray(); // without the two nulls and the empty list behind it
        Assert.True(LoggedDecision.TryParse(before, ref entry), entry.Error);
        var old = new ApacheAvro(OutputSchemas.Text("decision-5"), OutputSchemas.Text("decision")).Record(before.AsSpan(5));
        Assert.Null(old["shared"]);
        var mark = output.Value(1).ToArray();
        for (var length = 0; length < mark.Length; length++)
            Assert.False(LoggedDecision.TryParse(mark.AsSpan(0, length), ref entry), $"{length} bytes of {mark.Length}");
    }

    [Fact]
    public void A_checkpoints_marker_keeps_them_beside_the_others_and_has_the_bytes_that_it_always_had_without()
    {
        var marker = new CutMarker(7, new CutPosition([5], 0, 2), 1, [1], 3, 4, 5, "0123456789abcdef");
        var plain = Marked(marker);
        Assert.Equal(plain, Marked(marker with { Shared = SharedView.Encode([]) }));
        var shared = SharedView.Encode([new SharedNumber("arm/p/x", [1, 2])]);
        byte[] off = [2, 6, (byte)'a', (byte)'l', (byte)'l', 0], tables = [2, 2, (byte)'t', 2, (byte)'1', 2, (byte)'a', 0];
        foreach (var switches in new[] { off, [] })
            foreach (var versions in new[] { tables, [] })
            {
                Assert.True(CutBlock.TryParse(Marked(marker with { SwitchedOff = switches, Tables = versions, Shared = shared }),
                    out var block));
                var back = block.Marker();
                Assert.Equal((switches, versions, shared), (back.SwitchedOff.ToArray(), back.Tables.ToArray(), back.Shared.ToArray()),
                    Bytes);
                Assert.Equal(marker.Version, back.Version);
            }
    }

    private static EngineOptions ShopThatShares()
    {
        var options = OutcomeShop.Options();
        return options with
        {
            Decisions = options.Decisions with
            {
                Exploration = [new ExplorationOptions { Name = "home", Method = ExplorationMethod.Thompson, Reward = RewardKind.Click }],
                Budgets =
                [
                    new BudgetOptions { Name = "m", Amount = 5 },
                    new BudgetOptions { Name = "day", Amount = 5, Period = BudgetPeriod.Day },
                ],
            },
        };
    }

    private static CompiledEngine Sharing() => OutcomeShop.Compile(ShopThatShares());

    private static SharedScope Scope(CompiledEngine engine) => new(engine.Policy, engine.Options.Time.Lateness);

    private static readonly IEqualityComparer<(byte[], byte[], byte[])> Bytes =
        EqualityComparer<(byte[], byte[], byte[])>.Create((a, b) => a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2)
            && a.Item3.SequenceEqual(b.Item3), _ => 0);

    private static byte[] Marked(CutMarker marker)
    {
        var writer = new CutBlock.Writer("v");
        writer.Mark(marker);
        return writer.Bytes.ToArray();
    }

    private static SharedNumbers Numbers(params (string Name, double[] Values)[] numbers) =>
        new(numbers.ToDictionary(n => n.Name, n => new SharedSum(n.Values, [])), 42, null);

    private SharedBoard Board() => new("a/b", "shared", e => _told.Add(e.Text));

    private void Take(SharedBoard board, params (string Key, string? Value)[] records)
    {
        _batch.Clear();
        foreach (var (key, value) in records)
            _batch.Add(0, 0, _offset++, 1_000, Encoding.UTF8.GetBytes(key), true, Encoding.UTF8.GetBytes(value ?? ""), value is not null);
        board.Take(_batch, _offset, _offset);
    }
}
