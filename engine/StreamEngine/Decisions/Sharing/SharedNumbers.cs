namespace StreamEngine.Decisions;

/// <summary>A shared number: its sum over the shards, and what each of them adds.</summary>
/// <param name="Values">The sum.</param>
/// <param name="Parts">The parts by shard, in the order of the shards.</param>
internal sealed record SharedSum(double[] Values, IReadOnlyList<KeyValuePair<int, double[]>> Parts);

/// <summary>
/// The numbers that all shards of all processes share, as one process has read them: an immutable snapshot. A loop reads one at the
/// beginning of a turn, and whatever is decided in the turn follows it.
/// </summary>
public sealed class SharedNumbers
{
    private static readonly Dictionary<string, double[]> Nothing = [];
    private readonly Dictionary<string, double[]> _common = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Dictionary<string, double[]>> _addressed = [];

    /// <param name="sums">The numbers by name.</param>
    /// <param name="version">One past the offset of the newest record that is in it; 0 for none.</param>
    /// <param name="at">When that record was written, where it came while the engine ran; null else.</param>
    internal SharedNumbers(IReadOnlyDictionary<string, SharedSum> sums, long version, DateTimeOffset? at)
    {
        (Sums, Version, At) = (sums, version, at);
        foreach (var (name, sum) in sums)
            switch (SharedName.ReachOf(name, out var shard))
            {
                case SharedReach.Everybody:
                    _common[name] = sum.Values;
                    break;
                case SharedReach.OneShard:
                    if (!_addressed.TryGetValue(shard, out var own))
                        _addressed[shard] = own = new Dictionary<string, double[]>(StringComparer.Ordinal);
                    own[name] = sum.Values;
                    break;
            }
    }

    /// <summary>No number is known.</summary>
    public static SharedNumbers None { get; } = new(new Dictionary<string, SharedSum>(), 0, null);

    /// <summary>One past the offset of the newest record that is in it; 0 for none.</summary>
    public long Version { get; }

    /// <summary>When that record was written; null where it was there at the start.</summary>
    public DateTimeOffset? At { get; }

    /// <summary>All numbers by name.</summary>
    internal IReadOnlyDictionary<string, SharedSum> Sums { get; }

    /// <summary>The numbers that every shard decides by.</summary>
    internal IReadOnlyDictionary<string, double[]> Common => _common;

    /// <summary>The numbers that only this shard decides by.</summary>
    internal IReadOnlyDictionary<string, double[]> Of(int shard) => _addressed.GetValueOrDefault(shard, Nothing);

    /// <summary>What a single shard has, where there is no other, as in a replay.</summary>
    internal static SharedNumbers OfOne(Tallies tallies, int shard) => new(tallies.All.ToDictionary(t => t.Name, t =>
    {
        double[] values = [.. t.Values];
        return new SharedSum(values, [new(shard, values)]);
    }, StringComparer.Ordinal), 0, null);
}
