namespace StreamEngine.Decisions;

/// <summary>The assignments of a logged decision, each as it was written: the names of an experiment and of a variation of it.</summary>
internal ref struct LoggedAssignments(in LoggedDecision decision, ReadOnlySpan<byte> value)
{
    private readonly ReadOnlySpan<byte> _value = decision.Assignments.Of(value);
    private AvroCursor _reader = new(decision.Assignments.Of(value));
    private long _left;

    /// <summary>The assignment at hand.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly LoggedAssignments GetEnumerator() => this;

    /// <summary>Goes to the next assignment.</summary>
    public bool MoveNext()
    {
        if (_value.IsEmpty) return false;   // a record of a version that knew no experiments
        if (_left == 0) _left = _reader.Items("assignments");
        if (_left == 0) return false;
        _left--;
        var start = _reader.At;
        _reader.Bytes("assignments.experiment");
        _reader.Bytes("assignments.variation");
        Current = _value[start.._reader.At];
        return true;
    }
}
