using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Decisions.Outcomes;

/// <summary>Events of one outcome, ready to run.</summary>
internal sealed record OutcomeRule(OutcomeKind Kind, BoolExpr When, StringExpr Decision, DoubleExpr Value, bool TakesLast, StringExpr Offer,
    StringExpr Placement);

/// <summary>The compiled config of outcomes: which events they are, how long they count, and where open decisions are kept.</summary>
public sealed class OutcomeRules
{
    private readonly OutcomeRule[] _rules;
    private readonly long[] _windows;

    private OutcomeRules(OutcomeRule[] rules, long[] windows, OpenDecisions open)
    {
        (_rules, _windows, Open) = (rules, windows, open);
    }

    /// <summary>The decisions that wait for outcomes, in the profile.</summary>
    internal OpenDecisions Open { get; }

    /// <summary>The longest window, ms: a decision is closed that long after it was made.</summary>
    internal long Longest => _windows.Max();

    /// <summary>A rule.</summary>
    internal OutcomeRule this[int rule] => _rules[rule];

    /// <summary>How long outcomes of a kind count, ms.</summary>
    internal long Window(OutcomeKind kind) => _windows[(int)kind];

    /// <summary>The first rule that the event matches; -1 where it is no outcome.</summary>
    internal int Match(EvalContext context)
    {
        for (var i = 0; i < _rules.Length; i++)
            if (_rules[i].When(context)) return i;
        return -1;
    }

    /// <summary>Compiles the config and reserves the slot; null where there is none.</summary>
    internal static OutcomeRules? Compile(OutcomeOptions? options, int experiments, IReadOnlyList<Exploration> explorations,
        FieldCatalog fields, IReadOnlyList<string> purposes, TimeSpan lateness, StateLayout layout, ConfigErrors errors)
    {
        if (options is null) return null;
        if (options.Events.Count == 0)
            errors.Add(options.Node.At, "no event is an outcome", "Declare the events under 'events', or leave 'outcomes' out");
        foreach (var (key, window) in options.Windows.All.Skip(1))
            if (window <= TimeSpan.Zero)
                errors.Add(options.Windows.Node, key, $"within a window of {window} no outcome counts",
                    "Choose a duration above 0, such as 7d");
        if (options.MaxOpen is < 1 or > OpenDecisions.MostOpen)
            errors.Add(options.Node, "max_open", $"{options.MaxOpen} decisions can't be kept open",
                $"Choose a number from 1 to {OpenDecisions.MostOpen}");
        var scope = new Scope { Event = fields, Purposes = purposes };
        var rules = options.Events.Select((e, i) => Rule(e, options.Events.Take(i), scope, errors)).ToArray();
        long[] windows = [.. options.Windows.All.Select(w => (long)w.Window.TotalMilliseconds)];
        var open = OpenDecisions.Reserve(Math.Clamp(options.MaxOpen, 1, OpenDecisions.MostOpen), experiments,
            windows.Max() + (long)lateness.TotalMilliseconds, layout, [.. Learning(explorations)]);
        return new OutcomeRules(rules, windows, open);
    }

    private static IEnumerable<OpenDecisions.Learning> Learning(IReadOnlyList<Exploration> explorations)
    {
        for (var i = 0; i < explorations.Count; i++)
            if (explorations[i].Thompson is { } rule)
                yield return new OpenDecisions.Learning(Hash64.Of(explorations[i].Placement.AsSpan()), i, rule.CountsAfter);
    }

    private static OutcomeRule Rule(OutcomeEventOptions options, IEnumerable<OutcomeEventOptions> before, Scope scope, ConfigErrors errors)
    {
        if (before.Any(e => e.Name == options.Name))
            errors.Add(options.Node.At, $"outcome {options.Name} is declared twice", "Rename or remove one of them");
        if (options.Kind == OutcomeKind.None)
            errors.Add(options.Node, "kind", $"outcome {options.Name} says nothing of the decision",
                "Give it a kind: impression, click, conversion, refund or reject");
        if (options.When.Text.Length == 0)
            errors.Add(options.Node, "when", $"outcome {options.Name} names no events", "Say which: when: event.type == 'Offer Clicked'");
        var takesLast = options.WithoutDecision == WithoutDecision.LastDecision;
        if (!takesLast && Said(options.Decision) is false)
            errors.Add(options.Node, "decision", $"outcome {options.Name} belongs to no decision",
                "Say where its id stands (decision: event.decision_id), or set without_decision: last_decision");
        if (!takesLast && (Said(options.Offer) || Said(options.Placement)))
            errors.Add(options.Node, Said(options.Offer) ? "offer" : "placement", "it is looked at for last decisions alone",
                "Set without_decision: last_decision, or remove it");
        return new OutcomeRule(options.Kind,
            options.When.Text.Length == 0 ? _ => false : ExpressionCompiler.Bool(options.When, scope, errors) ?? (_ => false),
            ExpressionCompiler.String(options.Decision, scope, errors) ?? (_ => default),
            ExpressionCompiler.Double(options.Value, scope, errors) ?? (_ => 0),
            takesLast,
            ExpressionCompiler.String(options.Offer, scope, errors) ?? (_ => default),
            ExpressionCompiler.String(options.Placement, scope, errors) ?? (_ => default));
    }

    private static bool Said(ExprText text) => text.Text.Trim() is not ("''" or "\"\"");
}
