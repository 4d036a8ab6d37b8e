using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.State;
using Xunit;

namespace StreamEngine.Tests.Decisions;

public sealed class ContactPolicyTests
{
    private static readonly OfferOptions[] Offers =
    [
        new() { Name = "a", Channel = "email", Group = "g" }, new() { Name = "b", Channel = "push" },
        new() { Name = "c", Channel = "email", Group = "h" },
    ];

    /// <summary>Of every kind there are outcomes.</summary>
    private static readonly OutcomeOptions Outcomes = new()
    {
        Events = [.. Enum.GetValues<OutcomeKind>().Select(k => new OutcomeEventOptions { Name = $"{k}", Kind = k })],
    };

    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(1, 999, true)]
    [InlineData(1, 1_000, false)]
    [InlineData(1, 1_001, false)]
    [InlineData(2, 0, false)]
    public void A_window_holds_what_is_younger_than_itself(int max, long later, bool reached)
    {
        var (caps, profile) = Make(new CapOptions { Name = "day", Max = max, Window = TimeSpan.FromSeconds(1) });
        caps.Record(profile, OutcomeKind.None, 0, 5_000);
        Assert.Equal(reached, caps.Reached(profile, 0, 5_000 + later, out var cap));
        Assert.Equal(reached ? 0 : -1, cap);
    }

    [Fact]
    public void A_new_profile_of_zeros_has_no_counts()
    {
        var (caps, profile) = Make(new CapOptions { Name = "day" });
        Assert.False(caps.Reached(profile, 0, 0, out _));
        caps.Record(profile, OutcomeKind.None, 0, 0);
        Assert.True(caps.Reached(profile, 0, 0, out _));
        caps.Initialize(profile);
        Assert.False(caps.Reached(profile, 0, 0, out _));
    }

    /// <summary>Against a plain list of everything shown and all outcomes, with times in any order.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Agrees_with_a_list(int seed)
    {
        var random = new Random(seed);
        CapOptions[] caps =
        [
            new() { Name = "few", Max = random.Next(2, 7), Window = Ms(300) },
            new() { Name = "each", Per = LimitScope.Offer, Max = random.Next(2, 5), Window = Ms(500) },
            new() { Name = "some", Max = random.Next(2, 10), Window = Ms(900), Offers = ["a", "c"] },
            new() { Name = "one", Per = LimitScope.Offer, Max = 2, Window = TimeSpan.FromMilliseconds(200), Offers = ["b"] },
            new() { Name = "way", Per = LimitScope.Channel, Max = random.Next(2, 7), Window = Ms(400), Channels = ["email"] },
            new() { Name = "kind", Per = LimitScope.Group, Max = random.Next(2, 5), Window = Ms(400) },
            new() { Name = "clicks", Outcome = OutcomeKind.Click, Max = random.Next(2, 5), Window = Ms(400), Groups = ["h"] },
        ];
        SuppressionOptions[] suppressions =
        [
            new() { Name = "tired", Outcome = OutcomeKind.Reject, After = 3, Window = Ms(300), For = Ms(200) },
            new() { Name = "once", Per = LimitScope.Customer, Outcome = OutcomeKind.Reject, Window = Ms(9), For = Ms(40), Offers = ["b"] },
            new() { Name = "shown", Per = LimitScope.Channel, After = 4, Window = Ms(120), For = Ms(90) },
        ];
        IContactLimit[] limits = [.. caps, .. suppressions];
        var (policy, profile) = Make(caps, suppressions);
        var (counted, rests) = (new List<(OutcomeKind Kind, int Offer, long Time)>(), new Dictionary<(string, string), long>());
        var reachedOnce = new HashSet<int>();
        OutcomeKind[] kinds = [OutcomeKind.None, OutcomeKind.Click, OutcomeKind.Reject];
        for (var step = 0; step < 1_200; step++)
        {
            // Now goes on; what is recorded may be late by up to 200.
            var now = step * 3L;
            var offer = random.Next(Offers.Length);
            var expected = Array.FindIndex(limits, o => Covers(o, offer) && (o is CapOptions
                ? Of(o, offer).Count(t => t > now - (long)o.Window.TotalMilliseconds) >= o.Count
                : now < rests.GetValueOrDefault((o.Name, Key(o, offer)))));
            Assert.Equal(expected >= 0, policy.Reached(profile, offer, now, out var limit));
            Assert.Equal(expected, limit);
            reachedOnce.Add(limit);
            foreach (var use in policy.Uses(profile, now).Where(u => Covers(limits[u.Limit], offer) && u.Of == Key(limits[u.Limit], offer)))
                Assert.Equal(Forbids(use.Limit, offer, now), use.Used == use.Max);
            if (random.Next(4) > 0) continue;
            var (time, kind) = (now - random.Next(200), kinds[random.Next(3)]);
            policy.Record(profile, kind, offer, time);
            counted.Add((kind, offer, time));
            foreach (var o in suppressions.Where(o => Covers(o, offer) && (o.Outcome ?? OutcomeKind.None) == kind))
            {
                var newest = Of(o, offer).OrderDescending().Take(o.After).ToList();
                var rest = rests.GetValueOrDefault((o.Name, Key(o, offer)));
                if (newest.Count == o.After && newest[0] - newest[^1] < (long)o.Window.TotalMilliseconds)
                    rests[(o.Name, Key(o, offer))] = Math.Max(rest, newest[0] + (long)o.For.TotalMilliseconds);
            }
        }
        Assert.True(reachedOnce.Count > 3, $"only {string.Join(' ', reachedOnce)} were reached");

        TimeSpan Ms(int most) => TimeSpan.FromMilliseconds(random.Next(most / 2, most));
        bool Forbids(int limit, int offer, long now) => limits[limit] is { } o && (o is CapOptions
            ? Of(o, offer).Count(t => t > now - (long)o.Window.TotalMilliseconds) >= o.Count
            : now < rests.GetValueOrDefault((o.Name, Key(o, offer))));
        IEnumerable<long> Of(IContactLimit o, int offer) => counted.Where(c => c.Kind == (o.Outcome ?? OutcomeKind.None)
            && Covers(o, c.Offer) && Key(o, c.Offer) == Key(o, offer)).Select(c => c.Time);
    }

    private static bool Covers(IContactLimit o, int offer) => (o.Offers.Count == 0 || o.Offers.Contains(Offers[offer].Name))
        && (o.Channels.Count == 0 || o.Channels.Contains(Offers[offer].Channel))
        && (o.Groups.Count == 0 || o.Groups.Contains(Offers[offer].Group))
        && (o.Per != LimitScope.Group || Offers[offer].Group.Length > 0);

    private static string Key(IContactLimit o, int offer) => o.Per switch
    {
        LimitScope.Offer => Offers[offer].Name,
        LimitScope.Channel => Offers[offer].Channel,
        LimitScope.Group => Offers[offer].Group,
        _ => "",
    };

    /// <summary>Three rejects within 30 days, and 14 days off: by the day.</summary>
    [Fact]
    public void A_suppression_begins_with_the_last_of_its_outcomes_and_lasts()
    {
        var (policy, profile) = Make([], [new SuppressionOptions
        {
            Name = "tired", Outcome = OutcomeKind.Reject, After = 3, Window = TimeSpan.FromDays(30), For = TimeSpan.FromDays(14),
        }]);
        Reject(0);
        Reject(20);
        Reject(31);
        Assert.False(IsOff(32)); // 31 days lie between the first and the third
        Reject(40);
        Assert.True(IsOff(41));
        Assert.False(policy.Reached(profile, 1, Day(41), out _)); // another offer
        Assert.True(IsOff(53));
        Assert.False(IsOff(54));
        Reject(49); // while it lasts: the three newest stand within 30 days again
        Assert.True(IsOff(62));
        Assert.False(IsOff(63));

        void Reject(int day) => policy.Record(profile, OutcomeKind.Reject, 0, Day(day));
        bool IsOff(int day) => policy.Reached(profile, 0, Day(day), out _);
        static long Day(int day) => day * 86_400_000L;
    }

    [Fact]
    public void Every_mistake_of_a_limit_is_told()
    {
        var errors = new ConfigErrors();
        ContactPolicy.Compile(
            [
                new CapOptions { Name = "c", Outcome = OutcomeKind.Refund, Channels = ["sms"], Max = 0 },
                new CapOptions { Name = "c", Per = LimitScope.Group, Offers = ["b"], Groups = ["x"], Window = TimeSpan.Zero },
                new CapOptions { Name = "large", Per = LimitScope.Offer, Max = 100_000 },
            ],
            [new SuppressionOptions { Name = "s", For = TimeSpan.Zero, Outcome = OutcomeKind.None, After = 0 }],
            Offers, new OutcomeOptions(), new StateLayout(), errors);
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        foreach (var expected in new[]
        {
            "cap c is declared twice", "a cap of 0 can't be kept", "'sms' is no offer's channel", "no event is a refund", "kind: refund",
            "'x' is no offer's group", "none of its offers has one", "a window of 00:00:00 holds nothing", "cap large takes",
            "for 00:00:00 nothing is left off", "'none' is no outcome", "a suppression of 0 can't be kept",
        })
            Assert.Contains(expected, told, StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_its_own_slots_only()
    {
        var layout = new StateLayout();
        layout.Reserve("feature/before", 24, "x");
        var caps = ContactPolicy.Compile([new CapOptions { Name = "each", Per = LimitScope.Offer, Max = 2 }], [], Offers, null, layout,
            new ConfigErrors());
        var after = layout.Reserve("feature/after", 24, "x");
        var profile = new byte[layout.FixedLength];
        for (var i = 0; i < 10; i++) caps.Record(profile, OutcomeKind.None, 1, i);
        Assert.All(profile.AsSpan(0, StateLayout.HeaderLength + 24).ToArray(), b => Assert.Equal(0, b));
        Assert.All(after.In(profile.AsSpan()).ToArray(), b => Assert.Equal(0, b));
        var own = layout.Slots.Single(s => s.Name == "cap/each/b");
        Assert.Contains(own.In(profile.AsSpan()).ToArray(), b => b != 0);
        Assert.All(profile.AsSpan(0, own.Offset).ToArray(), b => Assert.Equal(0, b));
    }

    private static (ContactPolicy Policy, byte[] Profile) Make(params CapOptions[] caps) => Make(caps, []);

    private static (ContactPolicy Policy, byte[] Profile) Make(CapOptions[] caps, SuppressionOptions[] suppressions)
    {
        var (layout, errors) = (new StateLayout(), new ConfigErrors());
        var policy = ContactPolicy.Compile(caps, suppressions, Offers, Outcomes, layout, errors);
        errors.ThrowIfAny();
        return (policy, new byte[layout.FixedLength]);
    }
}
