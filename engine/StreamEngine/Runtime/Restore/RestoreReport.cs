using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>What is told of a restore: how far it is, that it stands still, what it lacks, and what it took.</summary>
internal sealed class RestoreReport(WorkerSettings settings, Shard shard, DecisionCursor decisions)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private long _told, _stood = -1;
    private bool _damaged;

    /// <summary>Where the cut is loaded from.</summary>
    public string Place { get; set; } = "";

    /// <summary>How much is done, 0 to 1.</summary>
    public double Progress { get; private set; }

    /// <summary>Warns where a shard is folded from a log that has lost its start.</summary>
    public void TellWhatIsMissing(RestoreAnswer answer)
    {
        for (var i = 0; i < answer.Start.Length; i++)
            if (answer.Start[i] > 0 && answer.Committed[i] > answer.Start[i])
                Tell(true, $": {settings.Engine.Events.Sources[i].Topic} starts at offset {answer.Start[i]}: what stood before it was "
                    + "deleted and is missing from the features. Raise the topic's retention.");
    }

    /// <summary>Warns of checkpoint files that are damaged: what they held is folded again from the log.</summary>
    public void TellDamaged(IReadOnlyList<string> files, CutMarker? cut)
    {
        shard.Counters.CheckpointsDamaged += files.Count;
        _damaged = files.Count > 0;
        foreach (var file in files)
            Tell(true, $": {file}. It goes on from {(cut is null ? "the log's start" : $"checkpoint {cut.Number} from {Place}")}; nothing "
                + "is lost. Check the disk.");
    }

    /// <summary>A slice is over.</summary>
    /// <param name="committed">By source, where the restore ends.</param>
    /// <param name="cut">What it started from; null where that was the log's start.</param>
    /// <param name="load">The cut, while it is being loaded.</param>
    public void UnderWay(long[] committed, CutMarker? cut, ICutLoad? load)
    {
        long done = 0, all = 0;
        for (var i = 0; i < committed.Length; i++)
        {
            done += shard.Next(i) - (cut?.Start.Next[i] ?? 0);
            all += committed[i] - (cut?.Start.Next[i] ?? 0);
        }
        var replayed = all == 0 ? 1 : (double)done / all;
        Progress = cut is null ? replayed : ((load?.Progress ?? 1) + replayed) / 2;
        if (_told != 0 && settings.Time.GetElapsedTime(_told) < Every) return;
        // Readers stop at an open transaction. One that the broker has forgotten to end would hold them up without a word.
        var stands = load is null && done + decisions.Position == _stood;
        _stood = done + decisions.Position;
        if (_told != 0)
            Tell(stands, $" is being restored: {Progress:P0}." + (stands
                ? $" Nothing has come for 5 s: {settings.Engine.Options.Outputs.Decisions}[{shard.Partition}] is read at offset "
                + $"{decisions.Position} of {decisions.Mark}. If it stays so, look there and in the sources for a transaction that hangs, "
                + "and abort it with the broker's tools."
                : ""));
        _told = settings.Time.GetTimestamp();
    }

    /// <summary>The shard is restored.</summary>
    public void Done(CutMarker? cut, TimeSpan took)
    {
        Progress = 1;
        if (shard.Counters.Restored + shard.Counters.Loaded == 0 && !_damaged) return;
        var loaded = cut is null ? "" : $"checkpoint {cut.Number} with {shard.Counters.Loaded} profiles from {Place}, then ";
        Tell(_damaged, $" restored: {loaded}{shard.Counters.Restored} records, in {took.TotalSeconds:0.0} s."
            + (_damaged ? " A part of this is what the damaged checkpoint files cost." : ""));
    }

    private void Tell(bool warning, string what) => settings.Report(new WorkerEvent(warning, $"Shard {shard.Partition}{what}"));
}
