using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;

namespace StreamEngine.Tests.Features;

/// <summary>Random features, random events and two orders of arrival inside the lateness.</summary>
/// <param name="Features">Valid features.</param>
/// <param name="Events">Each event with its delay in the first and in the second order.</param>
/// <param name="Late">The largest delay, ms.</param>
/// <param name="Wait">From the newest event to the last read, ms.</param>
public sealed record Scenario(
    IReadOnlyList<FeatureOptions> Features, IReadOnlyList<(ShopEvent Event, long DelayA, long DelayB)> Events, long Late, long Wait)
{
    /// <summary>Late by arrival alone: half of it may be declared as out-of-orderness of the watermark.</summary>
    public TimeOptions Time => new()
    {
        Lateness = TimeSpan.FromMilliseconds(Late - Late / 2),
        OutOfOrderness = TimeSpan.FromMilliseconds(Late / 2),
    };

    /// <summary>An order of arrival: by time plus delay, so that no event comes later than the lateness after the newest.</summary>
    public IReadOnlyList<ShopEvent> FirstOrder => Events.OrderBy(e => e.Event.Time + e.DelayA).Select(e => e.Event).ToList();

    public IReadOnlyList<ShopEvent> SecondOrder => Events.OrderBy(e => e.Event.Time + e.DelayB).Select(e => e.Event).ToList();

    public override string ToString() =>
        $"late {Late}, wait {Wait}\n{string.Join("\n", Features.Select(Text))}\n{string.Join("\n", FirstOrder)}";

    private static string Text(FeatureOptions f) =>
        $"{f.Op} of {f.Of?.Text} k {f.K} slots {f.Slots} weight {f.Weight?.Text} where {f.Where?.Text} scale {f.Scale} "
        + $"previous {f.Previous} merge {f.SameDayMerge} default {f.Default} "
        + $"half-life {f.HalfLife} per {f.Per?.Text} prior {f.Prior} quantile {f.Quantile} "
        + $"sliding {f.Window?.Sliding} every {f.Window?.Every} tumbling {f.Window?.Tumbling} session {f.Window?.Session} "
        + $"calendar {f.Window?.Calendar} last {f.Window?.Last} zone {f.Window?.Zone}";

    public static Arbitrary<Scenario> Any { get; } = Arb.From(Generator(), Shrink);

    private static Gen<Scenario> Generator() =>
        from unit in Gen.Elements(1L, 1_000L, 6 * 3_600_000L)
        from start in Gen.Elements(0L, -40L, 78_840_000L)
        from late in Gen.Choose(0, 40)
        from wait in Gen.Frequency((2, Gen.Constant(0)), (1, Gen.Choose(0, 60)))
        from features in Gen.ArrayOf(Feature(unit, start < 1_000 || unit < 3_600_000), 6)
        from count in Gen.Choose(1, 30)
        from span in Gen.Choose(1, 120)
        from events in Gen.ArrayOf(Event(unit, start, span, late), count)
        select new Scenario([.. features.Select((f, i) => f with { Name = $"f{i}" })], events, late * unit, wait * unit);

    private static Gen<(ShopEvent, long, long)> Event(long unit, long start, int span, int late) =>
        from time in Gen.Choose(0, span)
        from id in Gen.Choose(0, 1000)
        from type in Gen.Elements("view", "purchase", "purchase", "return")
        from price in Absent(Gen.Choose(-2_000, 9_999).Select(p => (long)p))
        from value in Absent(Gen.Choose(-20_000, 99_999).Select(v => v / 1000.0))
        from quantity in Absent(Gen.Choose(-1, 4).Select(q => (long)q))
        from category in Gen.Elements(null, "", "shoes", "shirts", "hats", "größe", "a category of more than thirty-two bytes")
        from a in Gen.Choose(0, late)
        from b in Gen.Choose(0, late)
        select (new ShopEvent((start + time) * unit, (ulong)id, type, price, value, quantity, category), a * unit, b * unit);

    /// <summary>A field that one event in six doesn't have.</summary>
    private static Gen<T?> Absent<T>(Gen<T> value) where T : struct =>
        Gen.Frequency((5, value.Select(v => (T?)v)), (1, Gen.Constant((T?)null)));

    /// <summary>The operators that add values up: exact for values of fixed point.</summary>
    public static readonly FeatureOperator[] Adding =
        [FeatureOperator.Sum, FeatureOperator.Mean, FeatureOperator.Rfm, FeatureOperator.RepeatMonetary, FeatureOperator.Rate,
        FeatureOperator.Trend, FeatureOperator.Variance, FeatureOperator.Stddev];

    private static Gen<FeatureOptions> Feature(long unit, bool calendar) =>
        from op in Gen.Elements(Enum.GetValues<FeatureOperator>())
        from window in Window(op, unit, calendar)
        from condition in Gen.Elements(NaiveFeatures.Wheres.Keys.Append("").ToArray())
        from of in Gen.Elements(NaiveFeatures.Operands.Keys.ToArray())
        from scale in Gen.Elements<int?>(null, null, 3, 5)
        from other in Gen.Elements(0.0, -1.0)
        from previous in Gen.Elements(true, false)
        from merge in Gen.Elements(true, false)
        from choice in Gen.Elements(true, false)
        from halfLife in Gen.Choose(1, 60)
        from per in Gen.Elements(NaiveFeatures.Wheres.Keys.ToArray())
        from text in Gen.Elements(NaiveFeatures.Values.Keys.ToArray())
        from share in Gen.Elements(0, 0.1, 0.5, 0.9, 1)
        from name in Gen.Elements(NaiveFeatures.Names.Keys.ToArray())
        from weight in Gen.Elements<ExprText?>(null, null, "event.value", "event.price")
        from ranks in Gen.Elements<int?>(1, 2, null, 8)
        from slots in Gen.Elements<int?>(8, null, 32, 64)
        let isText = choice && op is (FeatureOperator.First or FeatureOperator.Last)
        let takes = op is not (FeatureOperator.Count or FeatureOperator.TimeSince or FeatureOperator.Duration or FeatureOperator.Streak)
            && (choice || op is not (FeatureOperator.Rate or FeatureOperator.Trend or FeatureOperator.DecayedSum))
        let adds = takes && Adding.Contains(op)
        let prior = choice && op == FeatureOperator.Rate
        select new FeatureOptions
        {
            Op = op,
            Window = window,
            Where = condition.Length == 0 || op == FeatureOperator.Duration ? null : new ExprText { Text = condition },
            Of = takes ? new ExprText
            {
                Text = op == FeatureOperator.Distinct ? text : op == FeatureOperator.Top || isText ? name : of,
            } : null,
            K = op == FeatureOperator.Top ? ranks : null,
            Slots = op == FeatureOperator.Top ? slots : null,
            Weight = op == FeatureOperator.Top ? weight : null,
            Quantile = op == FeatureOperator.Quantile ? share : null,
            Scale = adds ? scale : null,
            Default = prior || isText ? 0 : other,
            Unit = op == FeatureOperator.Trend ? TimeUnit.Seconds : null,
            HalfLife = op is FeatureOperator.DecayedSum or FeatureOperator.DecayedMean
                || op == FeatureOperator.Top && window is null && choice ? TimeSpan.FromMilliseconds(halfLife * unit) : null,
            Per = op == FeatureOperator.Rate ? new ExprText { Text = per } : null,
            Prior = prior ? 0.3 : null,
            PriorWeight = prior ? 7 : null,
            Previous = previous && op == FeatureOperator.TimeSince,
            SameDayMerge = merge && op == FeatureOperator.Rfm,
        };

    private static Gen<WindowOptions?> Window(FeatureOperator op, long unit, bool calendar)
    {
        var session = Gen.Choose(1, 12).Select(gap =>
            (WindowOptions?)new WindowOptions { Session = TimeSpan.FromMilliseconds(gap * unit) });
        if (op == FeatureOperator.Duration) return session;
        var lifetime = Gen.Constant((WindowOptions?)null);
        if (op is FeatureOperator.TimeSince or FeatureOperator.Rfm or FeatureOperator.RepeatMonetary or FeatureOperator.DecayedSum
            or FeatureOperator.DecayedMean or FeatureOperator.Streak) return lifetime;
        var tumbling = Gen.Choose(1, 50).Select(size =>
            (WindowOptions?)new WindowOptions { Tumbling = TimeSpan.FromMilliseconds(size * unit) });
        var sliding =
            from every in Gen.Choose(1, 9)
            from panes in Gen.Choose(op == FeatureOperator.Trend ? 3 : 1, 20)
            select (WindowOptions?)new WindowOptions
            {
                Sliding = TimeSpan.FromMilliseconds(every * panes * unit),
                Every = TimeSpan.FromMilliseconds(every * unit),
            };
        if (op == FeatureOperator.Trend) return sliding;
        // .NET's calendar ends with the year 9999, some scenarios are later.
        var calendars =
            from u in Gen.Elements(Enum.GetValues<CalendarUnit>())
            from last in Gen.Elements<int?>(null, 1, 2, 5)
            from zone in Gen.Elements(null, "Europe/Berlin", "America/New_York", "Asia/Kolkata")
            select (WindowOptions?)new WindowOptions { Calendar = u, Last = last, Zone = zone };
        return Gen.OneOf(lifetime, calendar ? calendars : tumbling, tumbling, sliding, sliding, session, session);
    }

    private static IEnumerable<Scenario> Shrink(Scenario s)
    {
        for (var i = 0; i < s.Features.Count; i++)
            if (s.Features.Count > 1) yield return s with { Features = [.. s.Features.Where((_, k) => k != i)] };
        for (var i = 0; i < s.Events.Count; i++)
            if (s.Events.Count > 1) yield return s with { Events = [.. s.Events.Where((_, k) => k != i)] };
        if (s.Wait > 0) yield return s with { Wait = 0 };
    }
}
