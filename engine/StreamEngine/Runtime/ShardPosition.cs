using StreamEngine.Decisions;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// Where a shard stands: the next offset of each of its sources, which of them brought the newest record, and how many decisions and marks
/// that record has caused so far.
/// </summary>
internal sealed class ShardPosition(int sources)
{
    private readonly long[] _next = new long[sources];
    private readonly long[] _sealed = new long[sources];

    /// <summary>By source, the next offset to read.</summary>
    public ReadOnlySpan<long> Next => _next;

    /// <summary>By source, the next offset as of the commit that is under way, or failed and was not tried again yet.</summary>
    public ReadOnlySpan<long> Sealed => _sealed;

    /// <summary>Whether there is such a commit that the shard has a part in.</summary>
    public bool IsSealed { get; private set; }

    /// <summary>By source, the next offset as last committed. Read by the metrics as well.</summary>
    public long[] Committed { get; } = new long[sources];

    /// <summary>The source of the newest record; -1 before the first.</summary>
    public int Source { get; private set; } = -1;

    /// <summary>The ordinal of the next decision or mark that the newest record causes.</summary>
    public int Ordinal { get; private set; }

    /// <summary>Whether a logged mark says that another source follows the newest record.</summary>
    public bool Switched { get; private set; }

    /// <summary>The newest record is this one.</summary>
    public void Take(int source, long offset)
    {
        (Source, Ordinal, Switched) = (source, 0, false);
        _next[source] = offset + 1;
    }

    /// <summary>The position of what the newest record causes next.</summary>
    public Cause NextCause() => At(Ordinal++);

    /// <summary>
    /// The same for what no record causes (a request, a switch): where the shard has seen none, it stands before the first one of its first
    /// source.
    /// </summary>
    public Cause NextCauseOfOurs()
    {
        if (Source < 0) Source = 0;
        return NextCause();
    }

    /// <summary>The position of something that the newest record caused.</summary>
    public Cause At(int ordinal) => new(Source, _next[Source] - 1, ordinal);

    /// <summary>
    /// The newest record is the one that a logged entry names, or there is none before the source's first. What is logged between the mark
    /// that another source follows and that source's record (switches, a request's decision) takes nothing of that back.
    /// </summary>
    public void Stand(int source, int ordinal, DecisionKind kind) => (Source, Ordinal, Switched) = (source, ordinal,
        kind == DecisionKind.Order || Switched && source == Source && kind != DecisionKind.Refused);

    /// <summary>Where the shard starts in a source, before anything is replayed.</summary>
    public void StartAt(int source, long offset) => _next[source] = Committed[source] = offset;

    /// <summary>Stands where a cut began.</summary>
    public void StartAt(CutPosition start)
    {
        for (var i = 0; i < _next.Length; i++) StartAt(i, start.Next[i]);
        (Source, Ordinal) = (start.Source, start.Ordinal);
    }

    /// <summary>Offsets below this hold no more records for us (markers, aborted or compacted records).</summary>
    public void SkipTo(int source, long offset) => StartAt(source, Math.Max(offset, _next[source]));

    /// <summary>Everything up to here is what the commit that now begins is about.</summary>
    public void Seal()
    {
        _next.CopyTo(_sealed, 0);
        IsSealed = true;
    }

    /// <summary>That commit was confirmed; false where there is none.</summary>
    public bool TryCommit()
    {
        if (!IsSealed) return false;
        IsSealed = false;
        _sealed.CopyTo(Committed, 0);
        return true;
    }

    /// <summary>A copy, as cuts have it.</summary>
    public CutPosition Copy() => new([.. _next], Source, Ordinal);
}
