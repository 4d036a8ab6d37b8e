using System.Text;
using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>The parts of output records that do not change from record to record, encoded once. For one thread.</summary>
internal sealed class EncodedPolicy
{
    private readonly DecisionPolicy _policy;
    private readonly byte[][] _models;
    private readonly bool[] _needed;   // by model, whether the decision at hand needed it

    public EncodedPolicy(string engine, IReadOnlyList<string> sourceTopics, DecisionPolicy policy, string configHash)
    {
        _policy = policy;
        IdPrefixes = sourceTopics.Select(t => Encoding.UTF8.GetBytes($"{engine}/{t}/")).ToArray();
        Topics = sourceTopics.Select(SpanWriter.Encode).ToArray();
        Triggers = [.. policy.Triggers.Select(t => SpanWriter.Encode(t.Name)), SpanWriter.Encode("")];
        Offers = policy.Offers.Select(o => SpanWriter.Encode(o.Name)).ToArray();
        Treatments = policy.Offers.Select(o => o.Treatments.Select(SpanWriter.Encode).ToArray()).ToArray();
        Channels = policy.Offers.Select(o => SpanWriter.Encode(o.Channel)).ToArray();
        Variations = policy.Experiments.Select(e => e.Variations.Select(v =>
            (byte[])[.. SpanWriter.Encode(e.Name), .. SpanWriter.Encode(v.Name)]).ToArray()).ToArray();
        ConfigHash = SpanWriter.Encode(configHash);
        _models = [.. policy.Models.Select(m => (byte[])[.. SpanWriter.Encode(m.Name), .. SpanWriter.Encode(m.Model.Manifest.Version),
            .. SpanWriter.Encode(m.Model.Provider)])];
        _needed = new bool[_models.Length];
        Drops = Enum.GetValues<DropReason>().Select(r => SpanWriter.Encode(Reason(r))).ToArray();
        LimitDrops =
        [
            .. policy.Contacts.Names.Select((name, limit) => SpanWriter.Encode($"{Reason(policy.Contacts.Reason(limit))}:{name}")),
            .. policy.QuietHours.Select(q => SpanWriter.Encode($"{Reason(DropReason.QuietHours)}:{q.Name}")),
            .. policy.Budgets.Select(b => SpanWriter.Encode($"{Reason(DropReason.Budget)}:{b.Name}")),
        ];
    }

    /// <summary>Not yet length-prefixed: the position follows.</summary>
    public byte[][] IdPrefixes { get; }

    public byte[][] Topics { get; }

    /// <summary>The triggers' names, and behind them that of a request, which has none.</summary>
    public byte[][] Triggers { get; }

    public byte[][] Offers { get; }

    /// <summary>By offer and treatment.</summary>
    public byte[][][] Treatments { get; }

    /// <summary>By experiment and variation, the names of both.</summary>
    public byte[][][] Variations { get; }

    public byte[][] Channels { get; }

    public byte[] ConfigHash { get; }

    /// <summary>The most bytes of the array of models.</summary>
    public int MaxModels => 2 * SpanWriter.MaxLong + _models.Sum(m => m.Length);

    /// <summary>Writes the array of those models that a decision needed: all, unless an experiment tries some of them.</summary>
    public void Models(ref SpanWriter writer, Decision decision)
    {
        if (_policy.Plan.IsNeeded) _policy.Plan.For(decision.Variations, _needed);
        else Array.Fill(_needed, true);
        var count = _needed.AsSpan().Count(true);
        if (count > 0) writer.Long(count);
        for (var i = 0; i < _models.Length; i++)
            if (_needed[i]) writer.Raw(_models[i]);
        writer.Long(0);
    }

    private byte[][] Drops { get; }

    private byte[][] LimitDrops { get; }

    /// <summary>Why a candidate was dropped, as an encoded string.</summary>
    public ReadOnlySpan<byte> Drop(Decision decision, int offer) =>
        decision.Drop[offer] is DropReason.CustomerCap or DropReason.OfferCap or DropReason.ChannelCap or DropReason.GroupCap
            or DropReason.Suppressed or DropReason.QuietHours or DropReason.Budget
            ? LimitDrops[decision.Limit[offer]] : Drops[(int)decision.Drop[offer]];

    /// <summary>The most bytes that all candidates take apart from their numbers.</summary>
    public int MaxCandidates => checked((int)(Offers.Sum(o => (long)o.Length)
        + (long)Offers.Length * Math.Max(Longest(Drops), Longest(LimitDrops))));

    /// <summary>The most bytes of an offer's names.</summary>
    public int MaxOffer => Longest(Offers) + Longest([.. Treatments.SelectMany(t => t)]) + Longest(Channels);

    /// <summary>The most bytes of a decision's assignments.</summary>
    public int MaxAssignments => 2 * SpanWriter.MaxLong + Variations.Sum(Longest);

    /// <summary>Writes the array of the customer's variations.</summary>
    public void Assignments(ref SpanWriter writer, Decision decision)
    {
        var count = 0;
        foreach (var variation in decision.Variations) count += variation >= 0 ? 1 : 0;
        if (count > 0) writer.Long(count);
        for (var i = 0; i < decision.Variations.Length; i++)
            if (decision.Variations[i] >= 0) writer.Raw(Variations[i][decision.Variations[i]]);
        writer.Long(0);
    }

    /// <summary>Writes the array of the bucket versions of those variations; empty where no experiment is sticky.</summary>
    public void BucketVersions(ref SpanWriter writer, Decision decision)
    {
        var count = 0;
        if (_policy.IsSticky)
            foreach (var variation in decision.Variations) count += variation >= 0 ? 1 : 0;
        if (count > 0)
        {
            writer.Long(count);
            for (var i = 0; i < decision.Variations.Length; i++)
                if (decision.Variations[i] >= 0) writer.Long(_policy.Experiments[i].Sticky?.Version ?? -1);
        }
        writer.Long(0);
    }

    private static string Reason(DropReason reason) => reason == DropReason.None ? "" : Spelling.Snake(reason.ToString());

    private static int Longest(byte[][] parts) => parts.Length == 0 ? 0 : parts.Max(p => p.Length);
}
