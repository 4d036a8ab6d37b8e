using System.Collections.Immutable;
using System.Globalization;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Decisions;

/// <summary>
/// A budget, compiled. Amounts and costs are whole millionths, so that sums are exact: a double holds them up to nine billion units.
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="Amount">What may be spent in a period, millionths.</param>
/// <param name="Costs">By offer, what it costs, millionths; -1 for one that the budget does not pay for.</param>
/// <param name="Charge">The outcome that is charged; none where what is shown is.</param>
/// <param name="Pacing">How fast it may be spent.</param>
/// <param name="Period">After which the amount is given again; null where it is given once.</param>
/// <param name="Zone">The time zone of periods.</param>
/// <param name="From">From when on there is money, ms.</param>
/// <param name="To">Until when there is money, ms.</param>
public sealed record Budget(string Name, double Amount, ImmutableArray<double> Costs, OutcomeKind Charge, Pacing Pacing,
    BudgetPeriod? Period, TimeZoneInfo Zone, long From, long To)
{
    /// <summary>How many millionths a unit has.</summary>
    public const double Units = 1e6;

    /// <summary>The name of the one period of a budget that is given once.</summary>
    private const string Once = "all";

    /// <summary>How a period of a day or a week is named: none has a longer name.</summary>
    internal const string DayFormat = "yyyy-MM-dd";

    private const string MonthFormat = "yyyy-MM";

    /// <summary>The largest cost of an offer, millionths.</summary>
    public double LargestCost { get; } = Costs.Length == 0 ? 0 : Math.Max(0, Costs.Max());

    /// <summary>The period that a time is in.</summary>
    /// <param name="at">The time, ms since 1970.</param>
    internal BudgetSpan At(long at)
    {
        // Outside there is no money.
        if (at < From) return new BudgetSpan("", long.MinValue, From);
        if (at >= To) return new BudgetSpan("", To, long.MaxValue);
        return Period is null ? new BudgetSpan(Once, From, To) : Of(First(TimeFunctions.Local(at, Zone).Date));
    }

    /// <summary>The period of that name; null where the budget has none such.</summary>
    internal BudgetSpan? Named(string key)
    {
        if (Period is null) return key == Once ? new BudgetSpan(Once, From, To) : null;
        return DateTime.TryParseExact(key, Period == BudgetPeriod.Month ? MonthFormat : DayFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.None, out var first) && first == First(first) ? Of(first) : null;
    }

    /// <summary>What may be spent of a period's amount by a time, whoever spends it, in whole millionths.</summary>
    /// <param name="span">The period.</param>
    /// <param name="at">The time, ms.</param>
    internal double Released(in BudgetSpan span, long at)
    {
        if (span.IsOutside || at < span.Start) return 0;
        if (Pacing == Pacing.Asap || at >= span.End) return Amount;
        var share = (double)(at - span.Start) / ((double)span.End - span.Start);
        return Math.Floor(Amount * (Pacing == Pacing.Even ? share : 1 - (1 - share) * (1 - share)));
    }

    /// <summary>The first day of the period that a day is in.</summary>
    private DateTime First(DateTime day) => Period switch
    {
        BudgetPeriod.Month => new DateTime(day.Year, day.Month, 1),
        BudgetPeriod.Week => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
        _ => day,
    };

    private BudgetSpan Of(DateTime first)
    {
        var next = Period switch
        {
            BudgetPeriod.Month => first.AddMonths(1),
            BudgetPeriod.Week => first.AddDays(7),
            _ => first.AddDays(1),
        };
        var key = first.ToString(Period == BudgetPeriod.Month ? MonthFormat : DayFormat, CultureInfo.InvariantCulture);
        return new BudgetSpan(key, Math.Max(From, Midnight(first)), Math.Min(To, Midnight(next)));
    }

    /// <summary>When a day begins: where clocks leap over its midnight, with what they show first.</summary>
    private long Midnight(DateTime day)
    {
        var time = DateTime.SpecifyKind(day, DateTimeKind.Unspecified);
        while (Zone.IsInvalidTime(time)) time = time.AddMinutes(15);
        var offset = Zone.IsAmbiguousTime(time) ? Zone.GetAmbiguousTimeOffsets(time).Max() : Zone.GetUtcOffset(time);
        return new DateTimeOffset(time, offset).ToUnixTimeMilliseconds();
    }
}

/// <summary>A period of a budget.</summary>
/// <param name="Key">Its name; empty where there is no money.</param>
/// <param name="Start">When it begins, ms.</param>
/// <param name="End">When it ends, ms.</param>
internal readonly record struct BudgetSpan(string Key, long Start, long End)
{
    /// <summary>Whether there is no money.</summary>
    public bool IsOutside => Key.Length == 0;

    /// <summary>Whether a time is in it.</summary>
    public bool Has(long at) => at >= Start && at < End;
}
