using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.State;
using Xunit;

namespace StreamEngine.Tests.Decisions;

public sealed class CapsTests
{
    private static readonly string[] Offers = ["a", "b", "c"];

    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(1, 999, true)]
    [InlineData(1, 1_000, false)]
    [InlineData(1, 1_001, false)]
    [InlineData(2, 0, false)]
    public void A_window_holds_what_is_younger_than_itself(int max, long later, bool reached)
    {
        var (caps, profile) = Make(new CapOptions { Name = "day", Max = max, Window = TimeSpan.FromSeconds(1) });
        caps.Record(profile, 0, 5_000);
        Assert.Equal(reached, caps.Reached(profile, 0, 5_000 + later, out var cap));
        Assert.Equal(reached ? 0 : -1, cap);
    }

    [Fact]
    public void A_new_profile_of_zeros_has_no_counts()
    {
        var (caps, profile) = Make(new CapOptions { Name = "day" });
        Assert.False(caps.Reached(profile, 0, 0, out _));
        caps.Record(profile, 0, 0);
        Assert.True(caps.Reached(profile, 0, 0, out _));
        caps.Initialize(profile);
        Assert.False(caps.Reached(profile, 0, 0, out _));
    }

    /// <summary>Against a plain list of everything shown, with times in any order.</summary>
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
        CapOptions[] options =
        [
            new() { Name = "few", Max = random.Next(1, 6), Window = TimeSpan.FromMilliseconds(random.Next(1, 300)) },
            new() { Name = "each", Per = CapScope.Offer, Max = random.Next(1, 4), Window = TimeSpan.FromMilliseconds(random.Next(1, 500)) },
            new() { Name = "some", Max = random.Next(1, 9), Window = TimeSpan.FromMilliseconds(random.Next(1, 900)), Offers = ["a", "c"] },
            new() { Name = "one", Per = CapScope.Offer, Max = 2, Window = TimeSpan.FromMilliseconds(400), Offers = ["b"] },
        ];
        var (caps, profile) = Make(options);
        var shown = new List<(int Offer, long Time)>();
        var reachedOnce = new HashSet<int>();
        for (var step = 0; step < 3_000; step++)
        {
            // Now goes on; what is recorded may be late by up to 200.
            var now = step * 3L;
            var offer = random.Next(Offers.Length);
            var expected = Array.FindIndex(options, o => Covers(o, offer)
                && shown.Count(s => Counts(o, s.Offer, offer) && s.Time > now - (long)o.Window.TotalMilliseconds) >= o.Max);
            Assert.Equal(expected >= 0, caps.Reached(profile, offer, now, out var cap));
            Assert.Equal(expected, cap);
            reachedOnce.Add(cap);
            if (random.Next(4) > 0) continue;
            var time = now - random.Next(200);
            caps.Record(profile, offer, time);
            shown.Add((offer, time));
        }
        Assert.True(reachedOnce.Count > 1);

        static bool Covers(CapOptions cap, int offer) => cap.Offers.Count == 0 || cap.Offers.Contains(Offers[offer]);
        static bool Counts(CapOptions cap, int shown, int offer) => Covers(cap, shown) && (cap.Per == CapScope.Customer || shown == offer);
    }

    [Fact]
    public void Writes_its_own_slots_only()
    {
        var layout = new StateLayout();
        layout.Reserve("feature/before", 24, "x");
        var caps = Caps.Compile([new CapOptions { Name = "each", Per = CapScope.Offer, Max = 2 }], Offers, layout, new ConfigErrors());
        var after = layout.Reserve("feature/after", 24, "x");
        var profile = new byte[layout.FixedLength];
        for (var i = 0; i < 10; i++) caps.Record(profile, 1, i);
        Assert.All(profile.AsSpan(0, StateLayout.HeaderLength + 24).ToArray(), b => Assert.Equal(0, b));
        Assert.All(after.In(profile.AsSpan()).ToArray(), b => Assert.Equal(0, b));
        var own = layout.Slots.Single(s => s.Name == "cap/each/b");
        Assert.Contains(own.In(profile.AsSpan()).ToArray(), b => b != 0);
        Assert.All(profile.AsSpan(0, own.Offset).ToArray(), b => Assert.Equal(0, b));
    }

    private static (Caps Caps, byte[] Profile) Make(params CapOptions[] options)
    {
        var (layout, errors) = (new StateLayout(), new ConfigErrors());
        var caps = Caps.Compile(options, Offers, layout, errors);
        errors.ThrowIfAny();
        return (caps, new byte[layout.FixedLength]);
    }
}
