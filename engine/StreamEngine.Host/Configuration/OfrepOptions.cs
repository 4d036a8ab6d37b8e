using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>Placements and experiments as flags, by OpenFeature's remote evaluation protocol.</summary>
internal sealed record OfrepOptions : ILocated
{
    [Doc("The placements that are flags, whose value is the chosen offer; all experiments are flags too, whose value is the variation. At "
        + "most as many as requests.remember.")]
    public IReadOnlyList<string> Placements { get; init; } = [];

    [Doc("For how long a customer's decision in a placement holds: evaluations within this time get the same decision, which counts as "
        + "shown once.")]
    [Bounds(1, 86_400)]
    public TimeSpan Hold { get; init; } = TimeSpan.FromMinutes(30);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
