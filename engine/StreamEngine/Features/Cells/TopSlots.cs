using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The slots of a <see cref="TopCell{TSlots}"/>: hashes, then weights, then texts, each side by side.</summary>
internal readonly ref struct TopSlots
{
    /// <summary>Bytes of a slot.</summary>
    public const int Width = sizeof(ulong) + sizeof(double) + KeptText.Size;

    /// <summary>Half-lives of an era: a weight is scaled by at most 2^64.</summary>
    private const int EraLength = 64;

    private readonly ref TopHeader _header;
    private readonly Span<ulong> _hashes;
    private readonly Span<double> _weights;
    private readonly Span<KeptText> _texts;

    public TopSlots(ref TopHeader header, Span<byte> bytes)
    {
        _header = ref header;
        var slots = bytes.Length / Width;
        _hashes = MemoryMarshal.Cast<byte, ulong>(bytes[..(slots * sizeof(ulong))]);
        _weights = MemoryMarshal.Cast<byte, double>(bytes.Slice(slots * sizeof(ulong), slots * sizeof(double)));
        _texts = MemoryMarshal.Cast<byte, KeptText>(bytes[(slots * (sizeof(ulong) + sizeof(double)))..]);
    }

    private int Count => (int)_header.Count;

    /// <summary>Takes an event in; true where another text had to go.</summary>
    public bool Add(ulong hash, in KeptText text, double weight, long time, double halfLife)
    {
        if (halfLife > 0)
        {
            BeginEra((long)Math.Floor(time / (EraLength * halfLife)));
            weight *= Scale(time, halfLife);
        }
        return Take(hash, in text, weight);
    }

    /// <summary>Takes all texts of other slots in.</summary>
    public void Merge(TopSlots other)
    {
        BeginEra(other._header.Era);
        var behind = Behind(_header.Era - other._header.Era);
        for (var i = 0; i < other.Count; i++) Take(other._hashes[i], in other._texts[i], Math.ScaleB(other._weights[i], behind));
    }

    /// <summary>Reads the strongest texts, as many as there is room for weights; returns what all weigh.</summary>
    public double Read(long now, double halfLife, Span<double> texts, Span<double> weights, double missing)
    {
        var left = halfLife > 0 ? Math.Pow(2, -Age(now, halfLife)) : 1;
        Span<int> best = stackalloc int[weights.Length];
        var found = Strongest(best);
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = i < found ? _weights[best[i]] * left : missing;
            KeptText.In(texts, i * KeptText.Places) = i < found ? _texts[best[i]] : default;
        }
        var total = 0.0;
        foreach (var weight in _weights[..Count]) total += weight;
        return total * left;
    }

    /// <summary>The slots of the strongest texts in order; how many there are.</summary>
    private int Strongest(Span<int> best)
    {
        var found = 0;
        for (var slot = 0; slot < Count; slot++)
        {
            if (found == best.Length && (found == 0 || !IsStronger(slot, best[found - 1]))) continue;
            var place = found < best.Length ? found++ : found - 1;
            for (; place > 0 && IsStronger(slot, best[place - 1]); place--) best[place] = best[place - 1];
            best[place] = slot;
        }
        return found;
    }

    /// <summary>Of two equal weights the text that comes first, so that the order of arrival decides nothing.</summary>
    private bool IsStronger(int slot, int than)
    {
        if (_weights[slot] != _weights[than]) return _weights[slot] > _weights[than];
        var order = _texts[slot].Text.SequenceCompareTo(_texts[than].Text);
        return order != 0 ? order < 0 : _hashes[slot] < _hashes[than];
    }

    private bool Take(ulong hash, in KeptText text, double weight)
    {
        var slot = _hashes[..Count].IndexOf(hash);
        if (slot >= 0)
        {
            _weights[slot] += weight;
            return false;
        }
        var full = Count == _hashes.Length;
        slot = full ? Weakest() : (int)_header.Count++;
        _hashes[slot] = hash;
        _texts[slot] = text;
        _weights[slot] = full ? _weights[slot] + weight : weight;
        return full;
    }

    private int Weakest()
    {
        var weakest = 0;
        for (var slot = 1; slot < _weights.Length; slot++)
            if (_weights[slot] < _weights[weakest]) weakest = slot;
        return weakest;
    }

    /// <summary>Brings the weights to a later era; the first event begins its own.</summary>
    private void BeginEra(long era)
    {
        if (_header.Count == 0) _header.Era = era;
        if (era <= _header.Era) return;
        var behind = Behind(era - _header.Era);
        foreach (ref var weight in _weights[..Count]) weight = Math.ScaleB(weight, behind);
        _header.Era = era;
    }

    /// <summary>What a weight of a time is multiplied by.</summary>
    private double Scale(long time, double halfLife) => Math.Pow(2, Age(time, halfLife));

    /// <summary>Half-lives from the era's beginning to a time.</summary>
    private double Age(long time, double halfLife) => (time - _header.Era * (EraLength * halfLife)) / halfLife;

    /// <summary>The power of two that weights lose over some eras.</summary>
    private static int Behind(long eras) => -(int)Math.Min(eras, 1_000) * EraLength;
}
