using System.Collections.Immutable;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Decisions;

/// <summary>Compiles budgets, collecting every mistake.</summary>
internal static class BudgetCompiler
{
    /// <summary>Compiles them.</summary>
    /// <param name="options">The budgets in config order.</param>
    /// <param name="offers">The offers.</param>
    /// <param name="outcomes">Which events are outcomes; null for none.</param>
    /// <param name="scopes">What an offer's expressions may read.</param>
    /// <param name="errors">Receives every mistake.</param>
    public static IReadOnlyList<Budget> Compile(IReadOnlyList<BudgetOptions> options, IReadOnlyList<OfferOptions> offers,
        Outcomes.OutcomeOptions? outcomes, Func<OfferOptions, Scope> scopes, ConfigErrors errors) =>
        [.. options.Select(o => Compile(o, offers, outcomes, scopes, errors))];

    private static Budget Compile(BudgetOptions options, IReadOnlyList<OfferOptions> offers, Outcomes.OutcomeOptions? outcomes,
        Func<OfferOptions, Scope> scopes, ConfigErrors errors)
    {
        var name = options.Name;
        if (name.Length == 0 || name.Any(c => c is '/' or '@' || char.IsControl(c)))
            errors.Add(options.Node.At, $"'{Printable.Text(name)}' can't be a budget's name",
                "Leave out '/', '@' and control characters: they part the names of shared numbers");
        var amount = Millionths(options.Amount);
        if (!(amount > 0))
            errors.Add(options.Node, "amount", $"a budget of {options.Amount} pays for nothing",
                $"Choose an amount of a millionth or more; to stop its offers at run time, 'streamengine switch off budget:{name}'");
        if (options.From is { } from && options.To is { } to && from >= to)
            errors.Add(options.Node, "to", $"budget {name} ends before it begins", "Choose a later 'to', or an earlier 'from'");
        if (options.Period is null && options.Pacing != Pacing.Asap && (options.From is null || options.To is null))
            errors.Add(options.Node, "pacing", $"budget {name} can't be paced, as it has neither a period nor 'from' and 'to'",
                "Give it a 'period', or 'from' and 'to'; or spend it as fast as there are customers (pacing: asap)");
        if (options.Outcome != Outcomes.OutcomeKind.None && outcomes?.Events.Any(e => e.Kind == options.Outcome) != true)
        {
            var kind = Spelling.Snake(options.Outcome.ToString());
            errors.Add(options.Node, "charge", $"no event is a {kind}, so budget {name} would never be charged",
                $"Declare one under 'outcomes.events' with kind: {kind}");
        }
        var zone = TimeFunctions.Zone(options.TimeZone);
        if (zone is null)
            errors.Add(options.Node, "time_zone", $"unknown time zone '{Spelling.Short(options.TimeZone)}'",
                "Write a name such as 'Europe/Berlin' or an offset such as '+05:30'; where none is known, install the system's tzdata");
        return new Budget(name, amount, Costs(options, amount, offers, scopes, errors), options.Outcome,
            options.Pacing, options.Period, zone ?? TimeZoneInfo.Utc, options.From?.ToUnixTimeMilliseconds() ?? long.MinValue,
            options.To?.ToUnixTimeMilliseconds() ?? long.MaxValue);
    }

    /// <summary>
    /// An amount in whole millionths; parts of one are lost. First it is rounded to thousandths of them, as 4.02 times a million is a
    /// little less than 4,020,000 for a double.
    /// </summary>
    private static double Millionths(double amount) => Math.Floor(Math.Round(amount * Budget.Units, 3));

    /// <summary>
    /// What each offer costs. It is known at the start, so that whoever reads a logged decision knows what it has cost; parts of a
    /// millionth count as one.
    /// </summary>
    private static ImmutableArray<double> Costs(BudgetOptions options, double amount, IReadOnlyList<OfferOptions> offers,
        Func<OfferOptions, Scope> scopes, ConfigErrors errors)
    {
        var covered = Covered(options, offers, errors);
        var costs = new double[offers.Count];
        var told = errors.All.Count;
        for (var i = 0; i < costs.Length; i++)
        {
            costs[i] = -1;
            if (!covered[i] || errors.All.Count > told) continue; // a mistake in the expression is told once, not for each offer
            var scope = new Scope { Constants = scopes(offers[i]).Constants };
            if (ExpressionCompiler.Double(options.Cost, scope, errors) is not { } expression) continue;
            var cost = Math.Ceiling(Math.Round(expression(new EvalContext()) * Budget.Units, 3));
            if (cost >= 0 && cost <= amount) costs[i] = cost;
            else if (cost >= 0)
                errors.Add(options.Node, "cost", $"offer {offers[i].Name} costs {cost / Budget.Units}, more than all of budget "
                    + $"{options.Name} ({options.Amount})", "Raise the amount, or leave the offer out of 'offers'");
            else errors.Add(options.Node, "cost", $"offer {offers[i].Name} costs {cost / Budget.Units}", "Give a cost of 0 or more");
        }
        return [.. costs];
    }

    private static bool[] Covered(BudgetOptions options, IReadOnlyList<OfferOptions> offers, ConfigErrors errors)
    {
        var told = errors.All.Count;
        Known("offers", options.Offers, [.. offers.Select(o => o.Name)], "offer");
        Known("channels", options.Channels, [.. offers.Select(o => o.Channel).Distinct()], "offer's channel");
        Known("groups", options.Groups, [.. offers.Select(o => o.Group).Where(g => g.Length > 0).Distinct()], "offer's group");
        bool[] covered =
            [.. offers.Select(o => Has(options.Offers, o.Name) && Has(options.Channels, o.Channel) && Has(options.Groups, o.Group))];
        if (errors.All.Count == told && offers.Count > 0 && !covered.Contains(true))
            errors.Add(options.Node, Given().First(), $"budget {options.Name} pays for no offer, as its {string.Join(" and ", Given())} "
                + "have none in common", "Leave one of them out, or name such that one offer is in all of them");
        return covered;

        IEnumerable<string> Given()
        {
            if (options.Offers.Count > 0) yield return "offers";
            if (options.Channels.Count > 0) yield return "channels";
            if (options.Groups.Count > 0) yield return "groups";
        }

        static bool Has(IReadOnlyList<string> some, string one) => some.Count == 0 || some.Contains(one);

        void Known(string key, IReadOnlyList<string> given, string[] known, string what)
        {
            foreach (var name in given)
                if (!known.Contains(name))
                    errors.Add(options.Node, key, $"'{name}' is no {what}", KnownNames.Hint(name, known, key));
        }
    }
}
