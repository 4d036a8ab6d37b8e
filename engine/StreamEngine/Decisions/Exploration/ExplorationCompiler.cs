using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;

namespace StreamEngine.Decisions;

/// <summary>Compiles what placements explore, collecting every mistake.</summary>
internal static class ExplorationCompiler
{
    public static IReadOnlyList<Exploration> Compile(IReadOnlyList<ExplorationOptions> options, IReadOnlyList<OfferOptions> offers,
        ConfigErrors errors) => [.. options.Select(o => Compile(o, offers, errors))];

    private static Exploration Compile(ExplorationOptions options, IReadOnlyList<OfferOptions> offers, ConfigErrors errors)
    {
        var isGreedy = options.Method == ExplorationMethod.EpsilonGreedy;
        var (wanted, other) = isGreedy ? ("epsilon", "temperature") : ("temperature", "epsilon");
        var method = Spelling.Snake(options.Method.ToString());
        if ((isGreedy ? options.Temperature : options.Epsilon) is not null)
            errors.Add(options.Node, other, $"{method} has no {other}", $"Give '{wanted}' only, or choose the other method");
        var parameter = isGreedy ? options.Epsilon : options.Temperature;
        if (parameter is null)
            errors.Add(options.Node.At, $"{method} has no {wanted}", isGreedy
                ? "Add e.g. 'epsilon: 0.1', the share of decisions that draw any candidate"
                : "Add e.g. 'temperature: 0.1'; a higher one explores more");
        else if (!(isGreedy ? parameter is >= 0 and <= 1 : parameter is > 0 && double.IsFinite(parameter.Value)))
            errors.Add(options.Node, wanted, $"{parameter} is no {wanted}",
                isGreedy ? "Choose a number from 0 to 1" : "Choose a number above 0");
        var known = offers.SelectMany(o => o.Placements).Distinct().ToArray();
        if (offers.Count > 0 && offers.All(o => o.Placements.Count > 0) && !known.Contains(options.Name))
            errors.Add(options.Node.At, $"no offer may be shown in placement '{options.Name}'",
                KnownNames.Hint(options.Name, known, "placements"));
        return new Exploration([.. Encoding.UTF8.GetBytes(options.Name)], options.Name,
            new SelectionRule(options.Method, parameter ?? 1), Hash64.Of(Encoding.UTF8.GetBytes(options.Seed)));
    }
}
