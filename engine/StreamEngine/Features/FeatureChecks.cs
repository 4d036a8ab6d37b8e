using StreamEngine.Configuration;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>What a feature's options may be combined with; every mistake is told.</summary>
internal sealed class FeatureChecks(TimeOptions time, ConfigErrors errors)
{
    /// <summary>The most panes of a window.</summary>
    internal const int MaxPanes = 10_000;

    /// <summary>The most session fragments that are kept.</summary>
    internal const int MaxFragments = 1_000;

    private readonly ConfigErrors _errors = errors;

    /// <summary>How far behind the newest event an admitted event can be, ms.</summary>
    private readonly long _late = Milliseconds(time.Lateness) + Milliseconds(time.OutOfOrderness);

    private readonly Dictionary<(CalendarUnit, string), CalendarPanes> _calendars = [];

    private bool _wrong;

    /// <summary>Checks the options of one feature; false where it can't be compiled.</summary>
    public bool Check(FeatureShape shape)
    {
        var feature = shape.Options;
        _wrong = false;
        if (shape.Texts.Count > 0 && shape.Numbers.Count == 0 && feature.Default != 0)
            Error(feature, "default", $"{NameOf(feature.Op!.Value)} of a text has no number, and is empty where nothing is known",
                "Remove 'default'");
        if (double.IsInfinity(feature.Default))
            Error(feature, "default", "the default isn't a finite number", "Give a finite number, or .nan for a missing value");
        if (feature.Op is { } op && feature.Expr is null) CheckOperator(feature, op);
        else if (feature.Op is not null)
            Error(feature, "expr", "a feature has either 'op' or 'expr'", "Remove one of them, or make two features");
        else if (feature.Expr is null)
            Error(feature, "op", "the feature computes nothing",
                "Give 'op' (count, sum, ...) or 'expr' (an expression over other features)");
        else CheckDerived(feature);
        return !_wrong;
    }

    /// <summary>The window as compiled; only for options that passed the check.</summary>
    public Window Window(FeatureOptions feature) => feature.Window switch
    {
        { Sliding: { } size, Every: { } every } =>
            new Window(WindowKind.Panes, Milliseconds(every), (int)(Milliseconds(size) / Milliseconds(every))),
        { Tumbling: { } size } => new Window(WindowKind.Panes, Milliseconds(size), 1),
        { Calendar: { } unit } window => CalendarWindow(unit, window.Zone, window.Last ?? 1),
        { Session: { } gap } => new Window(WindowKind.Session, Milliseconds(gap), (int)Sessions.Rows(Milliseconds(gap), _late)),
        _ => Features.Window.Lifetime,
    };

    /// <summary>Calendars are made once: windows are the same where they have the same one.</summary>
    private Window CalendarWindow(CalendarUnit unit, string? zone, int units)
    {
        var found = TimeZoneInfo.FindSystemTimeZoneById(zone ?? "UTC");
        if (!_calendars.TryGetValue((unit, found.Id), out var calendar))
            _calendars[(unit, found.Id)] = calendar = new CalendarPanes(unit, found);
        return new Window(WindowKind.Panes, calendar.AverageMs, units) { Calendar = calendar };
    }

    private void CheckOperator(FeatureOptions feature, FeatureOperator op)
    {
        var spec = OperatorTable.Of(op);
        var name = NameOf(op);

        if (spec.Of is not (OperandNeed.None or OperandNeed.Optional) && feature.Of is null)
            Error(feature, "of", $"{name} needs an operand",
                $"Add 'of', e.g. of: {(spec.Of == OperandNeed.Name ? "event.category" : "event.value")}");
        if (spec.Of == OperandNeed.None && feature.Of is not null)
            Error(feature, "of", $"{name} has no operand", "Remove 'of'; to choose events use 'where'");
        if (feature.Scale is not null && (!spec.Adds || feature.Of is null && spec.Of == OperandNeed.Optional))
            Error(feature, "scale", $"{name} adds nothing, so it has no scale", "Remove 'scale'");
        if (feature.Scale is < 0 or > 9) Error(feature, "scale", $"a scale of {feature.Scale} digits is out of range", "Give 0 to 9");
        if (feature.Unit is not null && spec.Unit is null) Error(feature, "unit", $"{name} measures no time", "Remove 'unit'");
        CheckOwnOptions(feature, op, name);
        if ((feature.SameDayMerge || spec.KeepsDays) && _late > DaysCell.Reach * Panes.DayMs)
            Error(feature, feature.SameDayMerge ? "same_day_merge" : "op", $"events may be late by more than {DaysCell.Reach} days, but "
                + $"distinct days are known for {DaysCell.Reach} days back",
                $"Let time.lateness and time.out_of_orderness be {DaysCell.Reach} days together at most");
        if (feature.Over is not null && spec.IsOfEvents)
            Error(feature, "over", $"{name} looks at events, not at the items of their lists", "Remove 'over'");
        if (feature.Over is not null && feature.Previous)
            Error(feature, "over", "the previous event is no item's", "Remove 'over' or 'previous'");
        if (op == FeatureOperator.Duration && feature.Where is not null)
            Error(feature, "where", "duration is that of the whole session", "Remove 'where'");

        CheckWindow(feature);
        var kind = feature.Window switch
        {
            { Session: not null } => WindowKinds.Session,
            { Sliding: not null } or { Tumbling: not null } or { Calendar: not null } => WindowKinds.Panes,
            _ => WindowKinds.Lifetime,
        };
        if (op == FeatureOperator.Trend && !_wrong && kind == WindowKinds.Panes && Window(feature).Rows < Slope.MinPanes)
            Error(feature, "window", "a trend needs two complete panes beside that of now",
                $"Choose a sliding window of {Slope.MinPanes} panes or more");
        if (spec.Windows.HasFlag(kind)) return;
        if (spec.Windows == WindowKinds.Session)
            Error(feature, "window", $"{name} is the length of a session", "Add window: { session: 30m }");
        else if (spec.Windows == WindowKinds.Panes)
            Error(feature, "window", $"{name} goes through the panes of a window", "Add window: { sliding: 28d, every: 1d }");
        else Error(feature, "window", $"{name} looks at the whole life time", "Remove 'window'");
    }

    /// <summary>The options that belong to one operator, or to a few.</summary>
    private void CheckOwnOptions(FeatureOptions feature, FeatureOperator op, string name)
    {
        void Only(bool given, string key, string message, params FeatureOperator[] owners)
        {
            if (given && !owners.Contains(op))
                Error(feature, key, $"{name} {message}", $"Remove '{key}', or use op: {string.Join(" or ", owners.Select(NameOf))}");
        }

        Only(feature.Previous, "previous", "has no previous event", FeatureOperator.TimeSince);
        Only(feature.SameDayMerge, "same_day_merge", "merges no days", FeatureOperator.Rfm);
        Only(feature.HalfLife is not null, "half_life", "doesn't decay", FeatureOperator.DecayedSum, FeatureOperator.DecayedMean,
            FeatureOperator.Top);
        Only(feature.K is not null, "k", "ranks nothing", FeatureOperator.Top);
        Only(feature.Weight is not null, "weight", "weighs nothing", FeatureOperator.Top);
        Only(feature.Slots is not null, "slots", "has no slots", FeatureOperator.Top);
        if (op == FeatureOperator.Top) CheckTop(feature);
        Only(feature.Per is not null, "per", "isn't per anything", FeatureOperator.Rate);
        Only(feature.Prior is not null, "prior", "has no prior", FeatureOperator.Rate);
        Only(feature.PriorWeight is not null, "prior_weight", "has no prior", FeatureOperator.Rate);
        if (op is FeatureOperator.DecayedSum or FeatureOperator.DecayedMean)
        {
            if (feature.HalfLife is null)
                Error(feature, "half_life", $"{name} needs to know how fast it decays", "Add 'half_life', e.g. half_life: 7d");
            else CheckHalfLife(feature);
        }
        Only(feature.Quantile is not null, "quantile", "is no quantile", FeatureOperator.Quantile);
        if (op == FeatureOperator.Quantile && feature.Quantile is not (>= 0 and <= 1))
            Error(feature, "quantile", feature.Quantile is null ? "a quantile needs its share" : $"a share of {feature.Quantile} is none",
                "Give 'quantile' from 0 to 1, e.g. quantile: 0.5 for the median");
        if (op == FeatureOperator.Rate) CheckRate(feature);
    }

    private void CheckHalfLife(FeatureOptions feature)
    {
        if (feature.HalfLife < TimeSpan.FromMilliseconds(1))
            Error(feature, "half_life", $"a half-life of {feature.HalfLife} is none", "Give a duration such as 12h or 7d");
    }

    private void CheckTop(FeatureOptions feature)
    {
        if (feature.K is < 1 or > TopOperator.MostNames)
            Error(feature, "k", $"{feature.K} names can't be ranked", $"Give 1 to {TopOperator.MostNames}");
        if (TopOperator.Kind(feature) is null)
            Error(feature, "slots", $"there are no cells of {feature.Slots} slots", "Give 8, 16, 32 or 64");
        else if (TopOperator.Names(feature) > (feature.Slots ?? 16))
            Error(feature, "slots", $"{feature.Slots} slots can't rank {feature.K} names", "Give more slots, a few times as many as 'k'");
        CheckHalfLife(feature);
        if (feature.HalfLife is not null && feature.Window is not null)
            Error(feature, "half_life", "a window and a half-life are two ways to forget", "Give one of them");
    }

    private void CheckRate(FeatureOptions feature)
    {
        if (feature.Per is null)
            Error(feature, "per", "a rate needs the events that it is per", "Add 'per', e.g. per: event.type == 'page_view'");
        if (feature.Prior is null != feature.PriorWeight is null)
            Error(feature, feature.Prior is null ? "prior" : "prior_weight", "a prior is a rate and what it is worth",
                "Give both 'prior' and 'prior_weight', or none of them");
        if (feature.Prior is { } prior && !double.IsFinite(prior)) Error(feature, "prior", "the prior isn't a number", "Give a number");
        if (feature.PriorWeight is { } weight && !(weight > 0 && double.IsFinite(weight)))
            Error(feature, "prior_weight", $"a weight of {weight} is none", "Give a number above 0, e.g. 20");
        if (feature.PriorWeight is not null && feature.Default != 0)
            Error(feature, "default", "where nothing is known, a rate with a prior is the prior", "Remove 'default'");
    }

    private void CheckDerived(FeatureOptions feature)
    {
        void Refuse(bool given, string key)
        {
            if (given) Error(feature, key, $"a derived feature has no '{key}'", "Remove it; 'expr' is computed from other features alone");
        }

        Refuse(feature.Of is not null, "of");
        Refuse(feature.Over is not null, "over");
        Refuse(feature.Where is not null, "where");
        Refuse(feature.Window is not null, "window");
        Refuse(feature.Scale is not null, "scale");
        Refuse(feature.Unit is not null, "unit");
        Refuse(feature.Previous, "previous");
        Refuse(feature.SameDayMerge, "same_day_merge");
        Refuse(feature.HalfLife is not null, "half_life");
        Refuse(feature.Quantile is not null, "quantile");
        Refuse(feature.K is not null, "k");
        Refuse(feature.Weight is not null, "weight");
        Refuse(feature.Slots is not null, "slots");
        Refuse(feature.Per is not null, "per");
        Refuse(feature.Prior is not null, "prior");
        Refuse(feature.PriorWeight is not null, "prior_weight");
    }

    private void CheckWindow(FeatureOptions feature)
    {
        if (feature.Window is not { } window) return;
        const string one = "Give one of 'sliding', 'tumbling', 'calendar' and 'session'";
        var kinds = (window.Sliding is null ? 0 : 1) + (window.Tumbling is null ? 0 : 1) + (window.Calendar is null ? 0 : 1)
            + (window.Session is null ? 0 : 1);
        if (kinds > 1) WindowError(window, "", "a window is of one kind", one);
        if (kinds == 0) WindowError(window, "", "the window has no kind", $"{one}, or remove 'window' for the whole life time");
        if (window.Every is not null && window.Sliding is null)
            WindowError(window, "every", "only a sliding window has panes", "Remove 'every'");

        if (window.Last is not null && window.Calendar is null)
            WindowError(window, "last", "only a calendar window has units", "Remove 'last', or give 'calendar'");
        if (window.Last is < 1 or > MaxPanes)
            WindowError(window, "last", $"{window.Last} units can't be kept", $"Give 1 to {MaxPanes:N0}");
        if (window.Zone is { } zone && window.Calendar is null)
            WindowError(window, "zone", "only a calendar window has a time zone", "Remove 'zone', or give 'calendar'");
        else if (window.Zone is { } name && TimeZones.Find(name) is null)
            WindowError(window, "zone", $"this system knows no time zone '{Spelling.Short(name)}'",
                "Give a name such as Europe/Berlin; where there are none but UTC, install the system's tzdata");
        CheckSize(window, "sliding", window.Sliding);
        CheckSize(window, "tumbling", window.Tumbling);
        CheckSize(window, "session", window.Session);
        CheckSize(window, "every", window.Every);
        if (window.Sliding is { } size && kinds == 1) CheckPanes(window, size);
        if (window.Session is { } gap && gap >= TimeSpan.FromMilliseconds(1)
            && Sessions.Rows(Milliseconds(gap), _late) is var rows and > MaxFragments)
            WindowError(window, "session", $"to bridge sessions by late events, {rows} fragments would be kept per customer; at most "
            + $"{MaxFragments} can be", "Enlarge the gap, or lower time.lateness");
    }

    private void CheckPanes(WindowOptions window, TimeSpan size)
    {
        if (window.Every is not { } every)
        {
            WindowError(window, "every", "a sliding window moves by panes, and their length isn't given",
                "Add 'every', e.g. every: 5m: the window's edge is exact to that much");
            return;
        }
        if (every <= TimeSpan.Zero || size <= TimeSpan.Zero) return;
        if (size.Ticks % every.Ticks != 0)
            WindowError(window, "every", $"panes of {every} don't divide the window of {size}", "Choose a pane that divides the size");
        else if (size / every > MaxPanes)
            WindowError(window, "every", $"the window would have {size / every:0} panes; at most {MaxPanes} can be kept",
                "Choose a longer pane");
    }

    private void CheckSize(WindowOptions window, string key, TimeSpan? size)
    {
        if (size is { } given && (given < TimeSpan.FromMilliseconds(1) || given.Ticks % TimeSpan.TicksPerMillisecond != 0))
            WindowError(window, key, $"{given} isn't a positive number of milliseconds", "Give a duration such as 5m, 24h or 7d");
    }

    private void Error(FeatureOptions feature, string key, string message, string remedy)
    {
        _wrong = true;
        _errors.Add(feature.Node, key, $"feature '{feature.Name}': {message}", remedy);
    }

    private void WindowError(WindowOptions window, string key, string message, string remedy)
    {
        _wrong = true;
        _errors.Add(window.Node, key, message, remedy);
    }

    /// <summary>The operator as the config writes it.</summary>
    private static string NameOf(FeatureOperator op) => Spelling.Snake(op.ToString());

    private static long Milliseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMillisecond;
}
