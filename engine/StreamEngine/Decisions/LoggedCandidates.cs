namespace StreamEngine.Decisions;

/// <summary>
/// The candidates of a logged decision, each with its offer's name and its place in arbitration from 1; 0 where it did not take part.
/// </summary>
internal ref struct LoggedCandidates(in LoggedDecision decision, ReadOnlySpan<byte> value)
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
        _reader.Bytes("candidates.drop");
        _reader.Skip(5 * 8, "candidates");
        var rank = _reader.Int("candidates.rank");
        _reader.Symbol<PropensitySource>("candidates.p_source");
        Current = new Candidate(offer.Of(_value), rank);
        return true;
    }

    /// <summary>One candidate.</summary>
    internal readonly ref struct Candidate(ReadOnlySpan<byte> offer, int rank)
    {
        private readonly ReadOnlySpan<byte> _offer = offer;

        /// <summary>The offer's name and the candidate's rank.</summary>
        public void Deconstruct(out ReadOnlySpan<byte> name, out int place)
        {
            name = _offer;
            place = rank;
        }
    }
}
