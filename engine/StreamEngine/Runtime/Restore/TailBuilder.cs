using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// At least once: collects what the decision log holds behind the committed offsets, or may, and the events that caused it. It is not
/// applied; the shard catches up on it before it goes live.
/// </summary>
internal sealed class TailBuilder(CompiledEngine engine, RestorePass shard, RestoreQuestion question, DecisionCursor decisions,
    EventCursor[] events)
{
    private readonly long _mostBytes = 2 * engine.Options.Runtime.MaxIntervalBytes.Bytes + ShardRestore.ReadRecords * 1024;
    private bool _silent;   // the tail holds a mark of silence and what that caused, nothing else

    /// <summary>What was collected; null where nothing was.</summary>
    public LoggedTail? Tail { get; private set; }

    /// <summary>Deals with the entry at hand where it lies behind the committed offsets, or may.</summary>
    /// <exception cref="LogException">It can't have been written by this group.</exception>
    public bool Takes()
    {
        if (decisions.Source < 0) return false;
        var behind = decisions.Entry.Offset >= question.Answer.Committed[decisions.Source];
        if (Tail is null && !behind) return false;
        Tail ??= new LoggedTail(events.Length);
        if (behind) _silent = false;
        else if (_silent && decisions.Entry.Kind == DecisionKind.Watermark) Settle();
        Keep(Tail);
        return true;
    }

    /// <summary>
    /// Whether the entry at hand, whose cause was applied, begins a tail: a mark of silence behind the last record. Offsets don't say
    /// whether it was committed. What it caused is done again, and comes to nothing where it was done. An interval has one such mark at
    /// most, so where another one follows, this one was committed.
    /// </summary>
    public bool Opens()
    {
        if (decisions.Entry.Kind != DecisionKind.Watermark) return false;
        for (var source = 0; source < events.Length; source++)
            if (shard.Next(source) < question.Answer.Committed[source]) return false;
        Tail = new LoggedTail(events.Length);
        return _silent = true;
    }

    /// <summary>Reads the events of the entries that were kept; true once all are there.</summary>
    public bool HasEvents()
    {
        if (Tail is null) return true;
        foreach (var source in events)
            if (!source.Collect(Tail)) return false;
        return true;
    }

    /// <summary>What was kept turned out to be committed.</summary>
    private void Settle()
    {
        for (var i = 0; i < Tail!.Count; i++) shard.Apply(Tail[i].Entry, Tail[i].Source, Tail[i].Value);
        Tail = new LoggedTail(events.Length);
    }

    /// <summary>Keeps the entry at hand. All that follow it lie behind the committed offsets too.</summary>
    private void Keep(LoggedTail tail)
    {
        // No more was written than one interval holds: where there is, the offsets are not ours, or the shard went to another owner since
        // we asked.
        if (decisions.Entry.Offset >= question.Answer.End[decisions.Source] || tail.Bytes > _mostBytes)
        {
            if (!question.AskedAgain)
            {
                question.AskAgain();
                return;
            }
            if (!question.Moved) throw decisions.NotCommitted(question.Answer.NoOffsets);
        }
        tail.Add(decisions.Source, decisions.Entry, decisions.Value);
        decisions.Settled();
        question.Settled();
    }
}
