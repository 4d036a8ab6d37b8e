using System.Buffers.Binary;

namespace StreamEngine.Decisions;

/// <summary>The candidates of a logged decision, in the order of the offers that its config had.</summary>
/// <param name="decision">The decision, as read.</param>
/// <param name="value">The record's value that it was read from.</param>
public ref struct LoggedCandidates(in LoggedDecision decision, ReadOnlySpan<byte> value)
{
    private readonly ReadOnlySpan<byte> _value = decision.Candidates.Of(value);
    private AvroCursor _reader = new(decision.Candidates.Of(value));
    private long _left;

    /// <summary>The candidate at hand.</summary>
    public Candidate Current { get; private set; }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly LoggedCandidates GetEnumerator() => this;

    /// <summary>Goes to the next candidate.</summary>
    public bool MoveNext()
    {
        if (_left == 0) _left = _reader.Items("candidates");
        if (_left == 0) return false;
        _left--;
        var offer = _reader.Bytes("candidates.offer");
        var drop = _reader.Bytes("candidates.drop");
        var factors = _reader.Take(5 * 8, "candidates");
        var rank = _reader.Int("candidates.rank");
        var source = _reader.Symbol<PropensitySource>("candidates.p_source");
        Current = new Candidate(offer.Of(_value), drop.Of(_value), new LoggedFactors(factors.Of(_value)), rank, source);
        return true;
    }

    /// <summary>One candidate.</summary>
    /// <param name="offer">The offer's name.</param>
    /// <param name="drop">Why it was not chosen, as the record has it; empty for the chosen one.</param>
    /// <param name="factors">P, C, V, L and the priority.</param>
    /// <param name="rank">Its place in arbitration from 1; 0 where it did not take part.</param>
    /// <param name="source">Where its P came from.</param>
    public readonly ref struct Candidate(ReadOnlySpan<byte> offer, ReadOnlySpan<byte> drop, LoggedFactors factors, int rank,
        PropensitySource source)
    {
        /// <summary>The offer's name.</summary>
        public readonly ReadOnlySpan<byte> Offer = offer;

        /// <summary>Why it was not chosen, as the record has it; empty for the chosen one.</summary>
        public readonly ReadOnlySpan<byte> Drop = drop;

        /// <summary>P, C, V, L and the priority.</summary>
        public readonly LoggedFactors Factors = factors;

        /// <summary>Its place in arbitration from 1; 0 where it did not take part.</summary>
        public readonly int Rank = rank;

        /// <summary>Where its P came from.</summary>
        public readonly PropensitySource Source = source;
    }
}

/// <summary>The five numbers of a candidate or of the chosen offer, as they stand in a record.</summary>
/// <param name="bytes">P, C, V, L and the priority, 8 bytes each.</param>
public readonly ref struct LoggedFactors(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Propensity.</summary>
    public double P => BinaryPrimitives.ReadDoubleLittleEndian(_bytes);

    /// <summary>Value.</summary>
    public double V => BinaryPrimitives.ReadDoubleLittleEndian(_bytes[16..]);

    /// <summary>P x C x V x L.</summary>
    public double Priority => BinaryPrimitives.ReadDoubleLittleEndian(_bytes[32..]);
}
