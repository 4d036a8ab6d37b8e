using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>What a config has that can be switched.</summary>
public sealed class SwitchNames(EngineOptions options)
{
    private readonly string[][] _names =
    [
        [],
        [.. options.Offers.Select(o => o.Name)],
        [.. options.Offers.Select(o => o.Channel).Distinct()],
        [.. options.Models.Select(m => m.Name)],
        [.. options.Decisions.Budgets.Select(b => b.Name)],
    ];

    /// <summary>Every target, as it is written.</summary>
    public IEnumerable<SwitchTarget> All =>
        [SwitchTarget.All, .. Enum.GetValues<SwitchKind>()
            .SelectMany(kind => _names[(int)kind].Select(name => new SwitchTarget(kind, name)))];

    /// <summary>Whether the config has it.</summary>
    public bool Has(SwitchTarget target) => target.Kind == SwitchKind.All || _names[(int)target.Kind].Contains(target.Name);

    /// <summary>Reads what somebody wrote.</summary>
    /// <param name="text">Such as <c>offer:club</c>.</param>
    /// <param name="target">What is meant, where it has a target's form.</param>
    /// <returns>What is wrong with it, with the remedy; null where the config has it.</returns>
    public string? Read(string text, out SwitchTarget target)
    {
        if (!SwitchTarget.TryParse(text, out target))
        {
            var near = All.Where(t => t.Name == text).Select(t => $"'{t}'").ToList();
            return $"'{text}' can't be switched: write all, offer:NAME, channel:NAME, model:NAME or budget:NAME."
                + (near.Count == 0 ? "" : $" Did you mean {string.Join(" or ", near)}?");
        }
        if (Has(target)) return null;
        var kind = SwitchTarget.Word(target.Kind);
        return $"The config has no {kind} '{target.Name}'. {KnownNames.Hint(target.Name, _names[(int)target.Kind], kind + "s")}.";
    }
}
