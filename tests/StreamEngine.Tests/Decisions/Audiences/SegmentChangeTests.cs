using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions.Audiences;

/// <summary>
/// Segments by example: who enters and leaves, when that is noticed, what is written, and that a restart tells nothing twice.
/// </summary>
public sealed class SegmentChangeTests
{
    private const long Minute = 60_000;
    private static readonly ApacheAvro Schema = ApacheAvro.Of("audience");

    [Fact]
    public void A_change_is_written_once_with_what_partners_know_the_customer_by()
    {
        using var bench = new Bench();
        bench.Send("ann", 0, "purchase", 30, email: "a@x").Send("ann", 10, "purchase", 30, email: "b@x").Send("ann", 20, "purchase", 30);
        var record = Assert.Single(bench.Records());
        Assert.Equal("ann enters big at 10 by event: email=b@x", Line(record));
        Assert.Equal("scenario/big/ann/1", record["audience_id"]);
        Assert.Equal(bench.Engine.ConfigHash, record["config_hash"]);
        Assert.Equal("ann", Assert.Single(bench.Driver.Outputs, o => o.Topic == "audiences").Key);
        Assert.Equal([1, 0], bench.Driver.Shard.Counters.SegmentChanges[..2]);
        Assert.Equal(1, bench.Driver.Shard.Counters.Members[0]);
    }

    [Fact]
    public void Who_leaves_is_told_at_the_next_event_and_may_enter_again()
    {
        using var bench = new Bench();
        bench.Send("ann", 0, "search").Send("ann", 1, "search").Send("ann", 20, "search").Send("ann", 21, "search");
        Assert.Equal(["ann enters busy at 1 by event: ", "ann leaves busy at 20 by event: ", "ann enters busy at 21 by event: "],
            bench.Records().Select(Line));
        Assert.Equal(["scenario/busy/ann/1", "scenario/busy/ann/2", "scenario/busy/ann/3"],
            bench.Records().Select(r => (string)r["audience_id"]!));
    }

    [Fact]
    public void With_recheck_who_leaves_by_time_alone_is_told_when_the_watermark_has_passed_it()
    {
        using var bench = new Bench(recheck: TimeSpan.FromMinutes(3));
        bench.Send("ann", 0, "search").Send("ann", 1, "search").Send("bob", 4, "search");
        Assert.Single(bench.Records());
        bench.Send("bob", 30, "search");
        Assert.Equal(["ann enters busy at 1 by event: ", "ann leaves busy at 7 by timer: "], bench.Records().Select(Line));
        // Nobody is a member, so nothing is looked at again.
        Assert.Equal(0, bench.Driver.Shard.Counters.TimersWaiting);
    }

    /// <summary>
    /// The timer looks later than any event was. What comes late then must not be looked at as of before: who left would enter again, and
    /// nothing would look again after that.
    /// </summary>
    [Theory]
    [InlineData(30, 1)]   // rejected as too late, behind the leave
    [InlineData(9, 1)]    // late and accepted, behind the leave
    [InlineData(5, 0)]    // late and accepted, while still a member
    public void What_comes_late_is_not_looked_at_as_of_before_the_last_look(long watermarked, long late)
    {
        using var bench = new Bench(recheck: TimeSpan.FromMinutes(3));
        bench.Send("ann", 0, "search").Send("ann", 1, "search").Send("bob", watermarked, "search")
            .Send("ann", late, "search").Send("bob", 300, "search").Send("bob", 900, "search");
        Assert.Equal(["ann enters busy at 1 by event: ", "ann leaves busy at 7 by timer: "], bench.Records().Select(Line));
        Assert.Equal(0, bench.Driver.Shard.Counters.Members[1]);
        Assert.Equal(0, bench.Driver.Shard.Counters.TimersWaiting);
    }

    [Fact]
    public void Withdrawn_consent_is_left_by_at_once_though_the_event_that_says_so_is_rejected()
    {
        using var bench = new Bench(requires: true);
        bench.Send("ann", 0, "purchase", 100, email: "a@x").Send("ann", 1, "search", consents: false)
            .Send("ann", 2, "search", consents: false);
        Assert.Equal(["ann enters big at 0 by event: email=a@x", "ann leaves big at 1 by consent: email=a@x"],
            bench.Records().Select(Line));
        bench.Send("ann", 30, "search");
        Assert.Equal("ann enters big at 30 by event: email=a@x", Line(bench.Records()[^1]));
    }

    [Fact]
    public void The_newest_identifier_counts_in_any_order_and_one_that_is_too_long_is_not_kept()
    {
        var known = default(KnownIdentifier);
        known.Take(5, 1, "new"u8);
        known.Take(4, 9, "old"u8);
        known.Take(5, 1, "a"u8);
        known.Take(6, 0, new byte[KnownIdentifier.MaxBytes + 1]);
        known.Take(6, 0, default);
        Assert.Equal("new", Encoding.UTF8.GetString(known.Text));
        known.Take(5, 2, "tie"u8);
        Assert.Equal("tie", Encoding.UTF8.GetString(known.Text));
    }

    [Fact]
    public void As_json_a_record_has_the_same_fields()
    {
        using var bench = new Bench(change: o => o with { Outputs = o.Outputs with { Format = OutputFormat.Json } });
        bench.Send("ann", 0, "purchase", 100, email: "a@x");
        Assert.StartsWith("""{"audience_id":"scenario/big/ann/1","segment":"big","change":"enter","cause":"event","customer_id":"ann","""
            + "\"changed_at\":\"2026-01-01T00:00:00.000Z\",\"identifiers\":{\"email\":\"a@x\"},",
            Encoding.UTF8.GetString(bench.Driver.Outputs.Single(o => o.Topic == "audiences").Value), StringComparison.Ordinal);
    }

    /// <summary>
    /// A restart behind each event in turn: what it writes from there on is what the uninterrupted run wrote from there on.
    /// </summary>
    [Fact]
    public void A_restart_goes_on_where_it_was_and_tells_nothing_twice()
    {
        var random = new Random(5);
        var log = Enumerable.Range(0, 60).Select(i => (Customer: $"c{random.Next(3)}", At: (long)(3 * i + random.Next(7)),
            Type: i > 0 && random.Next(3) == 0 ? "purchase" : "search", Value: 20.0 * random.Next(3),
            Consents: random.Next(5) > 0)).ToList();
        List<(byte[] Value, long Timestamp, string Key, List<Written> Decisions, List<Written> Changes)> lived = [];
        using var bench = new Bench(requires: true, recheck: TimeSpan.FromMinutes(4));
        foreach (var e in log)
        {
            var from = bench.Driver.Outputs.Count;
            bench.Send(e.Customer, e.At, e.Type, e.Value, consents: e.Consents);
            var written = bench.Driver.Outputs[from..];
            lived.Add((bench.Last, 0, e.Customer, [.. written.Where(w => w.Topic == "decisions")],
                [.. written.Where(w => w.Topic == "audiences")]));
        }
        // The mark from which on segments are told stands before the first event, which changes nothing.
        Assert.Contains(lived[0].Decisions, d => Encoding.UTF8.GetString(d.Value).Contains("segment:big", StringComparison.Ordinal));
        Assert.True(lived.Sum(l => l.Changes.Count) > 25, $"only {lived.Sum(l => l.Changes.Count)} changes");
        for (var cut = 0; cut <= lived.Count; cut += 4)
        {
            using var restarted = new ShardDriver(bench.Engine);
            restarted.Restore(lived.Take(cut).Select(l => (l.Key, l.Value, l.Timestamp, l.Decisions)));
            Assert.DoesNotContain(restarted.Outputs, o => o.Topic == "audiences");
            foreach (var l in lived.Skip(cut)) restarted.Add(l.Key, l.Value, l.Timestamp).Process();
            Assert.Equal(lived.Skip(cut).SelectMany(l => l.Changes).Select(c => Convert.ToHexString(c.Value)),
                restarted.Outputs.Where(o => o.Topic == "audiences").Select(c => Convert.ToHexString(c.Value)));
            Assert.Equal(bench.Driver.Shard.Counters.Members, restarted.Shard.Counters.Members);
        }
    }

    /// <summary>
    /// A config that has segments only now is made of the log that came before: who belongs to one then is told all the same, at the next
    /// look, and a further restart knows that.
    /// </summary>
    [Fact]
    public void Who_belongs_to_a_new_segment_is_told_though_the_log_was_folded_before()
    {
        using var before = new Bench(change: o => o with { Audiences = o.Audiences with { Segments = [] } });
        before.Send("ann", 0, "purchase", 100, email: "a@x");
        Assert.DoesNotContain(before.Driver.Outputs, o => o.Topic is "audiences" or "decisions");
        var (first, log) = (before.Last, new List<(string, byte[], long, List<Written>)>());
        log.Add(("ann", first, 0, []));

        using var bench = new Bench();
        using var now = new ShardDriver(bench.Engine);
        now.Restore(log);
        Assert.Empty(now.Outputs);
        var next = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(first).Replace("\"e0\"", "\"e1\"", StringComparison.Ordinal)
            .Replace("100", "1", StringComparison.Ordinal));
        now.Add("ann", next, 0).Process();
        Assert.Equal(["scenario/big/ann/1", "scenario/busy/ann/1"], now.Outputs.Where(o => o.Topic == "audiences")
            .Select(o => Schema.Record(o.Value.AsSpan(5)).Text("audience_id")));

        // Once more: the mark stands behind the first event, so that what was told is known, and what was not is not.
        log[0] = ("ann", first, 0, [.. now.Outputs.Where(o => o.Topic == "decisions")]);
        log.Add(("ann", next, 0, []));
        using var again = new ShardDriver(bench.Engine);
        again.Restore(log);
        again.Add("ann", Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(next).Replace("\"e1\"", "\"e2\"", StringComparison.Ordinal)), 0)
            .Process();
        Assert.DoesNotContain(again.Outputs, o => o.Topic == "audiences");
        Assert.Equal([1, 1], again.Shard.Counters.Members);
    }

    [Fact]
    public void What_is_written_does_not_depend_on_where_batches_end()
    {
        List<string> written = [];
        foreach (var batch in new[] { 1, 7, 100 })
        {
            using var bench = new Bench(recheck: TimeSpan.FromMinutes(4));
            for (var i = 0; i < 100; i++)
            {
                bench.Add($"c{i % 4}", i / 2 + 7 * (i % 3), i % 5 == 0 ? "purchase" : "search", 10 * (i % 4));
                if (i % batch == batch - 1) bench.Driver.Process();
            }
            bench.Driver.Process();
            written.Add(string.Join('\n', bench.Driver.Outputs.Where(o => o.Topic == "audiences")
                .Select(o => Convert.ToHexString(o.Value))));
        }
        Assert.Single(written.Distinct());
        Assert.True(written[0].Count('\n') > 20);
    }

    [Fact]
    public void Looking_at_segments_and_writing_changes_allocates_nothing()
    {
        using var bench = new Bench(recheck: TimeSpan.FromMinutes(4));
        bench.Send("ann", 0, "purchase", 100, email: "a@x").Send("ann", 0, "search");
        var copy = new Copy();
        bench.Driver.Shard.Scan(copy);
        var state = bench.Driver.Shard.State;
        var (inside, outside) = (copy.Profile.ToArray(), copy.Profile.ToArray());
        bench.Engine.Segments.Segments[1].Changes(outside) = 0;
        void Round()
        {
            // Busy now, and not any more twenty minutes later: every look writes a change.
            for (var i = 0; i < 500; i++)
            {
                (i % 2 == 0 ? inside : outside).CopyTo(copy.Profile, 0);
                state.Segments!.Look(copy.Profile, "ann"u8, Scenario.Start + (i % 2 == 0 ? 20 : 0) * Minute, AudienceCause.Event,
                    writes: true);
            }
            state.Outputs.Clear();
        }

        Round();
        var before = state.Counters.SegmentChanges.Sum();
        Assert.Equal(0, Allocations.Least(Round));
        Assert.Equal(5 * 500, state.Counters.SegmentChanges.Sum() - before);
    }

    [Fact]
    public void Mistakes_are_told_with_what_is_in_scope()
    {
        var options = Options(false, default);
        var errors = new ConfigErrors();
        Assert.Null(CompiledEngine.Compile(options with
        {
            Audiences = new AudienceOptions
            {
                Segments = [new SegmentOptions { Name = "none" }, new SegmentOptions { Name = "event", Where = "event.type == 'x'" }],
                Identifiers = [new IdentifierOptions { Name = "none" }, new IdentifierOptions { Name = "number", Of = "event.value" }],
            },
            Outputs = options.Outputs with { Audiences = "late" },
        }, ".", new LinearModels(1), errors));
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        Assert.Contains("it does not say who belongs to it", told, StringComparison.Ordinal);
        Assert.Contains("it does not say what it is", told, StringComparison.Ordinal);
        Assert.Contains("event", told, StringComparison.Ordinal);
        Assert.Contains("topic 'late' is also that of", told, StringComparison.Ordinal);
        Assert.True(errors.All.Count >= 5, told);
    }

    private static string Line(Avro.Generic.GenericRecord r) => string.Create(CultureInfo.InvariantCulture,
        $"{r["customer_id"]} {r.Text("change")}s {r["segment"]} at {((long)r["changed_at"]! - Scenario.Start) / Minute} "
        + $"by {r.Text("cause")}: {string.Join(' ', ((IDictionary<string, object>)r["identifiers"]!).Select(i => $"{i.Key}={i.Value}"))}");

    private static EngineOptions Options(bool requires, TimeSpan recheck)
    {
        var shop = Scenario.Options();
        return shop with
        {
            Timers = [],
            Decisions = shop.Decisions with { Triggers = [shop.Decisions.Triggers[0]], Holdout = null },
            Events =
            [
                shop.Events[0] with
                {
                    Requires = requires ? ["personalization"] : [],
                    Fields = [.. shop.Events[0].Fields, new FieldOptions { Name = "email", Type = "string" }],
                },
            ],
            Audiences = new AudienceOptions
            {
                Segments =
                [
                    new SegmentOptions { Name = "big", Where = "features.revenue > 50.0 && consent.personalization" },
                    new SegmentOptions { Name = "busy", Where = "features.events_5m >= 2.0" },
                ],
                Identifiers = [new IdentifierOptions { Name = "email", Of = "event.email" }],
                Recheck = recheck,
            },
        };
    }

    private sealed class Copy : IProfileVisitor
    {
        public byte[] Profile { get; private set; } = [];

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => Profile = profile.ToArray();
    }

    /// <summary>A shard with two segments: who has spent more than 50, and who has two events within five minutes.</summary>
    private sealed class Bench : IDisposable
    {
        private int _events;

        public Bench(bool requires = false, TimeSpan recheck = default, Func<EngineOptions, EngineOptions>? change = null)
        {
            var options = Options(requires, recheck);
            Engine = Scenario.Compile(change is null ? options : change(options), new LinearModels(1));
            Driver = new ShardDriver(Engine);
        }

        public CompiledEngine Engine { get; }

        public ShardDriver Driver { get; }

        /// <summary>The newest event's record.</summary>
        public byte[] Last { get; private set; } = [];

        public Bench Send(string customer, long minute, string type, double value = 0, string email = "", bool consents = true)
        {
            Add(customer, minute, type, value, email, consents);
            Driver.Process();
            return this;
        }

        public void Add(string customer, long minute, string type, double value = 0, string email = "", bool consents = true)
        {
            Last = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $$"""{"id":"e{{_events++}}","customer":"{{customer}}","type":"{{type}}","time":{{Scenario.Start + minute * Minute}},"value":{{value}},"email":"{{email}}","consent":[{{(consents ? "\"personalization\"" : "")}}]}"""));
            Driver.Add(customer, Last, 0);
        }

        public List<Avro.Generic.GenericRecord> Records() =>
            [.. Driver.Outputs.Where(o => o.Topic == "audiences").Select(o => Schema.Record(o.Value.AsSpan(5)))];

        public void Dispose()
        {
            Driver.Dispose();
            Engine.Dispose();
        }
    }
}
