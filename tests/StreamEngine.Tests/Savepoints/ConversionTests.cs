using System.Buffers.Binary;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Savepoints;
using StreamEngine.State;
using StreamEngine.State.Savepoints;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Savepoints;

/// <summary>Single profiles from one layout into another.</summary>
public sealed class ConversionTests
{
    private static readonly EngineOptions Options = Scenario.Options();

    [Fact]
    public void Meaning_is_compared_but_no_part_of_the_version()
    {
        StateLayout plain = new(), meant = new();
        plain.Reserve("a", 8, "x");
        Assert.Equal("x, of all", meant.Reserve("a", 8, "x", "of all").Shape);
        Assert.Equal(plain.Version, meant.Version);
        using var engine = Scenario.Compile(Options, new LinearModels(1));
        Assert.Equal("d6fe7593efd4f9fb", engine.Layout.Version); // that of the first checkpoints: they must load
    }

    /// <summary>The record's own parts had no $ when the first savepoints were made.</summary>
    [Fact]
    public void Savepoints_tell_the_records_own_parts_from_fields_of_that_name()
    {
        Assert.Equal(("key", "timestamp", "id"), Of("$key", "$timestamp"));
        Assert.Equal(("[key]", "[timestamp]", "id"), Of("key", "timestamp"));
        Assert.Equal(("[key]", "[timestamp]", "id"), Of(new OneOrMore(["key"]), new OneOrMore(["timestamp"])));
        Assert.Equal(("user", "t", "id"), Of(new OneOrMore(["user"]), "t"));
        Assert.Equal(("[user, $key]", "[t, $timestamp]", "id"), Of(new OneOrMore(["user", "$key"]), new OneOrMore(["t", "$timestamp"])));

        static (string, string, string) Of(OneOrMore customer, OneOrMore time)
        {
            var source = Options.Events[0] with { Customer = customer, Time = new TimeFieldOptions { Field = time } };
            var written = StateItems.Of(source);
            return (written.Customer, written.Fields["(event time)"], written.Id);
        }
    }

    [Fact]
    public void Consent_follows_its_purposes()
    {
        var (from, to) = (Options with { Purposes = ["personalization", "ads"] },
            Options with { Purposes = ["ads", "news", "personalization"] });
        Convert(from, to, profile =>
        {
            StateLayout.Consent(profile) = 0b10; // ads
            StateLayout.NewestTime(profile) = 7;
            StateLayout.ConsentTime(profile) = 5;
        }, profile => Assert.Equal((0b001ul, 7, 5),
            (StateLayout.Consent(profile), StateLayout.NewestTime(profile), StateLayout.ConsentTime(profile))));
        Convert(to, from, profile => StateLayout.Consent(profile) = 0b111, profile => Assert.Equal(0b11ul, StateLayout.Consent(profile)));
    }

    [Fact]
    public void A_backfill_knows_what_was_said_of_new_purposes()
    {
        var to = Options with { Purposes = ["ads", "personalization"] };
        var (change, engine) = Compare(Options, to, backfill: true);
        using (engine)
        {
            var (old, filled) = (New(Options, 0), New(to, 0));
            (StateLayout.Consent(old), StateLayout.ConsentTime(old)) = (0b1, 5);
            (StateLayout.Consent(filled), StateLayout.ConsentTime(filled)) = (0b11, 5);
            Assert.Equal(0b11ul, StateLayout.Consent(new ProfileConversion(change, engine).Convert(old, filled).ToArray()));
            StateLayout.ConsentTime(filled) = 4; // an older word
            Assert.Equal(0b10ul, StateLayout.Consent(new ProfileConversion(change, engine).Convert(old, filled).ToArray()));
        }
    }

    [Fact]
    public void Slots_move_by_name_and_the_tail_goes_along()
    {
        // Everything moves: a feature in front, a cap and an offer fewer, and the timers in another order.
        var to = Options with
        {
            Features = [new FeatureOptions { Name = "front", Op = FeatureOperator.Max, Of = "event.value" }, .. Options.Features],
            Timers = [.. Options.Timers.Reverse()],
            Offers = [.. Options.Offers.Skip(1)],
        };
        using var old = Scenario.Compile(Options, new LinearModels(1));
        Convert(Options, to, profile =>
        {
            foreach (var slot in old.Layout.Slots.Skip(1)) slot.In(profile).Fill((byte)(slot.Name.Length + slot.Name[^1]));
            foreach (var slot in old.Layout.Slots.Where(s => s.Name.StartsWith("timer/", StringComparison.Ordinal)))
                BinaryPrimitives.WriteInt64LittleEndian(slot.In(profile)[24..], -1);
        }, profile =>
        {
            using var engine = Scenario.Compile(to, new LinearModels(1));
            foreach (var slot in engine.Layout.Slots.Skip(1))
                if (slot.Name.Contains("Max", StringComparison.Ordinal))
                    Assert.Equal(double.NegativeInfinity, BinaryPrimitives.ReadDoubleLittleEndian(slot.In(profile)));
                else if (slot.Length > 0) Assert.Equal((byte)(slot.Name.Length + slot.Name[^1]), slot.In(profile)[0]);
            Assert.Equal([1, 2, 3, 4], profile[engine.Layout.FixedLength..].ToArray());
        }, tail: [1, 2, 3, 4]);
        Convert(Options, Options with { Duplicates = new DuplicateOptions { Horizon = TimeSpan.Zero } }, _ => { }, profile =>
            Assert.Equal(0, profile.Length % 8), tail: [1, 2, 3, 4]);
    }

    [Fact]
    public void A_timer_that_waits_is_due_by_its_new_length()
    {
        var to = Options with
        {
            Timers =
            [Options.Timers[0] with { After = TimeSpan.FromMinutes(5) }, Options.Timers[1] with { After = TimeSpan.FromMinutes(90) }]
        };
        const long Started = 1_000_000;
        Convert(Options, to, profile =>
        {
            Timer(profile, Options, "abandoned_cart", Started, Started + 20 * 60_000);
            Timer(profile, Options, "session_end", Started, Started + 30 * 60_000);
        }, profile =>
        {
            using var engine = Scenario.Compile(to, new LinearModels(1));
            var heap = new TimerHeap();
            engine.Timers.Resume(profile, heap, "c"u8);
            Assert.Equal(2, heap.Count);
            Assert.Equal(Started + 5 * 60_000, heap.NextDue);
        });
    }

    [Fact]
    public void Sessions_that_a_short_log_tells_otherwise_are_matched_by_time()
    {
        FeatureOptions Session(string name, FeatureOperator op) =>
            new()
            {
                Name = name,
                Op = op,
                Of = op == FeatureOperator.Count ? null
            : new ExprText { Text = "event.price" },
                Window = new WindowOptions { Session = TimeSpan.FromMinutes(30) }
            };
        var time = new TimeOptions { Lateness = TimeSpan.FromHours(2) };
        Features.FeatureHarness Fold(long from) =>
            new Features.FeatureHarness([Session("n", FeatureOperator.Count), Session("sum", FeatureOperator.Sum)], time)
            .Apply(Enumerable.Range(0, 40)
            .Select(i => new Features.ShopEvent(i % 10 * 60_000 + i / 10 * 3_000_000, (ulong)i + 1, "x", Price: i))
            .Where(e => e.Time >= from));
        var (whole, part) = (Fold(0), Fold(3_060_000)); // the first session is gone, the second begins a minute later
        var (profile, other) = (whole.Profile.ToArray(), part.Profile.ToArray());
        var column = whole.Layout.Slots.Single(s => s.Name.Contains("FixedSum", StringComparison.Ordinal));
        whole.Set.Take(profile, other, new HashSet<int> { column.Offset });
        var sums = Enumerable.Range(0, column.Length / 8).Select(i => BinaryPrimitives.ReadInt64LittleEndian(column.In(profile)[(8 * i)..]))
            .Order();
        Assert.Equal([0L, 0, 145 - 10, 245, 345], sums.ToArray()[^5..]);
        Assert.All(whole.Layout.Slots.Where(s => s != column), s => Assert.Equal(s.In(whole.Profile).ToArray(), s.In(profile).ToArray()));
    }

    [Fact]
    public void Every_slot_belongs_to_something_that_a_person_knows()
    {
        using var engine = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        Assert.Equal(engine.Layout.Slots.Skip(1).Select(s => s.Name).Order(),
            StateItems.Of(engine).SelectMany(i => i.Item.Slots).Distinct().Order());
        Assert.All(StateItems.Of(engine), i => Assert.NotEmpty(i.Item.Text));
    }

    private static void Timer(Span<byte> profile, EngineOptions options, string name, long started, long waiting)
    {
        using var engine = Scenario.Compile(options, new LinearModels(1));
        var slot = engine.Layout.Slots.Single(s => s.Name == $"timer/{name}").In(profile);
        BinaryPrimitives.WriteInt64LittleEndian(slot, started);
        BinaryPrimitives.WriteInt64LittleEndian(slot[24..], waiting);
    }

    private delegate void Change(Span<byte> profile);

    private static void Convert(EngineOptions from, EngineOptions to, Change make, Change check, byte[]? tail = null)
    {
        var old = New(from, tail?.Length ?? 0);
        tail?.CopyTo(old.AsSpan(old.Length - tail.Length));
        make(old);
        var (change, engine) = Compare(from, to, backfill: false);
        using (engine) check(new ProfileConversion(change, engine).Convert(old, default).ToArray());
    }

    private static byte[] New(EngineOptions options, int tail)
    {
        using var engine = Scenario.Compile(options, new LinearModels(1));
        var profile = new byte[engine.Layout.FixedLength + tail];
        engine.InitializeProfile(profile);
        return profile;
    }

    private static (LayoutChange Change, CompiledEngine Engine) Compare(EngineOptions from, EngineOptions to, bool backfill)
    {
        using var old = Scenario.Compile(from, new LinearModels(1));
        var manifest = new SavepointManifest(1, "x", "", "", default, [.. from.Events.Select(StateItems.Of)], from.Outputs.Decisions, 1,
            from.Purposes,
            new SavepointLayout(old.Layout.FixedLength, old.Layout.Slots, [.. StateItems.Of(old).Select(i => i.Item)]), []);
        var engine = Scenario.Compile(to, new LinearModels(1));
        var errors = new ConfigErrors();
        var change = LayoutChange.Compare(manifest, engine, backfill, errors);
        errors.ThrowIfAny();
        return (change, engine);
    }
}
