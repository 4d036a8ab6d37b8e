using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>Compiles what placements explore, collecting every mistake.</summary>
internal static class ExplorationCompiler
{
    public static IReadOnlyList<Exploration> Compile(IReadOnlyList<ExplorationOptions> options, IReadOnlyList<OfferOptions> offers,
        OutcomeOptions? outcomes, TimeSpan lateness, ConfigErrors errors) =>
        [.. options.Select(o => Compile(o, offers, outcomes, lateness, errors))];

    private static Exploration Compile(ExplorationOptions options, IReadOnlyList<OfferOptions> offers, OutcomeOptions? outcomes,
        TimeSpan lateness, ConfigErrors errors)
    {
        var known = offers.SelectMany(o => o.Placements).Distinct().ToArray();
        if (offers.Count > 0 && offers.All(o => o.Placements.Count > 0) && !known.Contains(options.Name))
            errors.Add(options.Node.At, $"no offer may be shown in placement '{options.Name}'",
                KnownNames.Hint(options.Name, known, "placements"));
        var learns = options.Method == ExplorationMethod.Thompson;
        CheckForeign(options, errors);
        return new Exploration([.. Encoding.UTF8.GetBytes(options.Name)], options.Name,
            learns ? default : new SelectionRule(options.Method, Parameter(options, errors) ?? 1),
            Hash64.Of(Encoding.UTF8.GetBytes(options.Seed)))
        {
            Thompson = learns ? ThompsonCompiler.Compile(options, outcomes, lateness, errors) : null,
        };
    }

    /// <summary>Says what is given that the method has not.</summary>
    private static void CheckForeign(ExplorationOptions options, ConfigErrors errors)
    {
        (string Key, bool IsGiven, ExplorationMethod Owner)[] all =
        [
            ("epsilon", options.Epsilon is not null, ExplorationMethod.EpsilonGreedy),
            ("temperature", options.Temperature is not null, ExplorationMethod.Softmax),
            ("reward", options.Reward is not null, ExplorationMethod.Thompson),
            ("prior", options.Prior is not null, ExplorationMethod.Thompson),
            ("half_life", options.HalfLife is not null, ExplorationMethod.Thompson),
        ];
        var method = Spelling.Snake(options.Method.ToString());
        var own = string.Join(", ", all.Where(o => o.Owner == options.Method).Select(o => $"'{o.Key}'"));
        foreach (var (key, isGiven, owner) in all)
            if (isGiven && owner != options.Method)
                errors.Add(options.Node, key, $"{method} has no {key}",
                    $"Give {own} only, or choose the method {Spelling.Snake(owner.ToString())}");
    }

    private static double? Parameter(ExplorationOptions options, ConfigErrors errors)
    {
        var isGreedy = options.Method == ExplorationMethod.EpsilonGreedy;
        var wanted = isGreedy ? "epsilon" : "temperature";
        var parameter = isGreedy ? options.Epsilon : options.Temperature;
        if (parameter is null)
            errors.Add(options.Node.At, $"{Spelling.Snake(options.Method.ToString())} has no {wanted}", isGreedy
                ? "Add e.g. 'epsilon: 0.1', the share of decisions that draw any candidate"
                : "Add e.g. 'temperature: 0.1'; a higher one explores more");
        else if (!(isGreedy ? parameter is >= 0 and <= 1 : parameter is > 0 && double.IsFinite(parameter.Value)))
            errors.Add(options.Node, wanted, $"{parameter} is no {wanted}",
                isGreedy ? "Choose a number from 0 to 1" : "Choose a number above 0");
        return parameter;
    }
}
