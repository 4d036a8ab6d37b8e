using System.Text;

namespace StreamEngine.Decisions;

/// <summary>
/// What is switched off for the offers and models of a policy: an immutable snapshot. A decision reads one snapshot from its beginning to
/// its end, and costs one look-up per offer. It also says which segments of customers are told, which is logged and restored in the same
/// way: what customers did before a segment was told counts for nothing there.
/// </summary>
public sealed class Switches
{
    /// <summary>What entries of told segments begin with, in marks.</summary>
    private const string SegmentPrefix = "segment:";

    private readonly bool[] _offers, _models, _told;
    private readonly byte[] _encoded;

    /// <summary>Makes a snapshot.</summary>
    /// <param name="policy">Whose offers and models are meant.</param>
    /// <param name="off">What is off; what the policy does not have is left out.</param>
    /// <param name="version">The offset of the newest record of the control topic that it is made of; -1 for none.</param>
    /// <param name="at">When that record was written, where it came while the engine ran; null else.</param>
    public Switches(DecisionPolicy policy, IEnumerable<SwitchTarget> off, long version, DateTimeOffset? at = null)
        : this(policy, off, policy.Segments, version, at)
    {
    }

    private Switches(DecisionPolicy policy, IEnumerable<SwitchTarget> off, IReadOnlyList<string> told, long version, DateTimeOffset? at)
    {
        (Version, At) = (version, at);
        Off = [.. off.Where(t => Knows(policy, t)).Distinct().Order()];
        All = Off.Contains(SwitchTarget.All);
        _offers = [.. policy.Offers.Select((o, i) => Off.Contains(new(SwitchKind.Offer, o.Name))
            || Off.Contains(new(SwitchKind.Channel, o.Channel))
            || policy.Budgets.Any(b => b.Costs[i] >= 0 && Off.Contains(new(SwitchKind.Budget, b.Name))))];
        _models = [.. policy.Models.Select(m => Off.Contains(new(SwitchKind.Model, m.Name)))];
        _told = [.. policy.Segments.Select(told.Contains)];
        _encoded = Encode([.. Off.Select(t => t.ToString()), .. policy.Segments.Where(told.Contains).Select(s => SegmentPrefix + s)]);
    }

    /// <summary>The offset of the newest record of the control topic that it is made of; -1 for none.</summary>
    public long Version { get; }

    /// <summary>When that record was written; null where it was there at the start.</summary>
    public DateTimeOffset? At { get; }

    /// <summary>What is off, of the things that the policy has, in order.</summary>
    public IReadOnlyList<SwitchTarget> Off { get; }

    /// <summary>Whether everything is off.</summary>
    public bool All { get; }

    /// <summary>What is off, and which segments are told, as Avro's array of strings: what marks and checkpoints hold.</summary>
    public ReadOnlySpan<byte> Encoded => _encoded;

    /// <summary>Whether an offer, its channel, or a budget that pays for it, is off.</summary>
    public bool IsOff(int offer) => _offers[offer];

    /// <summary>Whether a segment is told, by its place in the config.</summary>
    public bool IsTold(int segment) => _told[segment];

    /// <summary>Whether a model is off, by its place among the policy's.</summary>
    public bool IsModelOff(int model) => _models[model];

    /// <summary>The same for all of them: which a scorer leaves out.</summary>
    public ReadOnlySpan<bool> ModelsOff => _models;

    /// <summary>Whether the same things are off, and the same segments told: then nothing comes out another way.</summary>
    public bool Same(Switches other) => _encoded.AsSpan().SequenceEqual(other._encoded);

    /// <summary>Whether a policy has what is switched.</summary>
    public static bool Knows(DecisionPolicy policy, SwitchTarget target) => target.Kind switch
    {
        SwitchKind.All => true,
        SwitchKind.Offer => policy.Offers.Any(o => o.Name == target.Name),
        SwitchKind.Channel => policy.Offers.Any(o => o.Channel == target.Name),
        SwitchKind.Budget => policy.Budgets.Any(b => b.Name == target.Name),
        _ => policy.Models.Any(m => m.Name == target.Name),
    };

    /// <summary>What a mark or a checkpoint holds; everything is on, and no segment told, where that is nothing.</summary>
    /// <param name="policy">The policy now, which may have lost what was off then.</param>
    /// <param name="encoded">As <see cref="Encoded"/>.</param>
    /// <param name="version">The version that the mark has.</param>
    public static Switches Logged(DecisionPolicy policy, ReadOnlySpan<byte> encoded, long version)
    {
        var (off, told) = (new List<SwitchTarget>(), new List<string>());
        var cursor = new AvroCursor(encoded);
        for (var left = encoded.IsEmpty ? 0 : cursor.Items("off"); left > 0; left = left > 1 ? left - 1 : cursor.Items("off"))
        {
            var entry = Encoding.UTF8.GetString(cursor.Bytes("off").Of(encoded));
            if (entry.StartsWith(SegmentPrefix, StringComparison.Ordinal)) told.Add(entry[SegmentPrefix.Length..]);
            else if (SwitchTarget.TryParse(entry, out var target)) off.Add(target);
        }
        return new Switches(policy, off, told, version, at: null);
    }

    private static byte[] Encode(IReadOnlyList<string> entries)
    {
        byte[][] names = [.. entries.Select(SpanWriter.Encode)];
        var block = new byte[2 * SpanWriter.MaxLong + names.Sum(n => n.Length)];
        var writer = new SpanWriter(block);
        if (names.Length > 0) writer.Long(names.Length);
        foreach (var name in names) writer.Raw(name);
        writer.Long(0);
        return block[..writer.Length];
    }
}
