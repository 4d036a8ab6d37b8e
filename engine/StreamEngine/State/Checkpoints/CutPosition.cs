namespace StreamEngine.State.Checkpoints;

/// <summary>
/// Where a shard stands between two commits: the next offset of each source, and how many decisions and marks its newest record has caused
/// so far (an idle partition's watermark moves without a record).
/// </summary>
/// <param name="Next">The next offset to read, by source.</param>
/// <param name="Source">The source of the newest record; -1 before the first record and request.</param>
/// <param name="Ordinal">Decisions and marks of the newest record.</param>
public sealed record CutPosition(long[] Next, int Source, int Ordinal)
{
    /// <summary>The ordinal that stands for a record itself, before what it causes.</summary>
    public const int TheRecord = -1;

    /// <summary>Whether a state at this position holds what a cause did; before the first record and request it holds nothing.</summary>
    /// <param name="source">The cause's source.</param>
    /// <param name="offset">The cause's offset.</param>
    /// <param name="ordinal">Which of its decisions and marks; <see cref="TheRecord"/> for the record.</param>
    public bool Covers(int source, long offset, int ordinal) =>
        Source >= 0 && (offset < Next[source] - 1 || (offset == Next[source] - 1 && (source != Source || ordinal < Ordinal)));

    /// <summary>Whether it is no later than another one: at the same offsets requests and marks of silence move only the ordinal.</summary>
    public bool AtMost(CutPosition other)
    {
        var same = true;
        for (var i = 0; i < Next.Length; i++)
        {
            if (Next[i] > other.Next[i]) return false;
            same &= Next[i] == other.Next[i];
        }
        return !same || Source < 0 || (Source == other.Source && Ordinal <= other.Ordinal);
    }
}

/// <summary>What closes a cut: every profile that changed before its start, and since the cut before, stands in front of it.</summary>
/// <param name="Number">Cuts of a shard are numbered upwards.</param>
/// <param name="Start">Where the shard stood when the cut began: events from here on are applied again.</param>
/// <param name="Watermark">The watermark there, ms.</param>
/// <param name="Newest">The newest event time of each source there, ms.</param>
/// <param name="Decisions">An offset of the decision partition at or below the first entry that the start does not cover.</param>
/// <param name="CreatedAt">When the cut began, ms since 1970-01-01 UTC.</param>
/// <param name="Profiles">Profiles that the shard held.</param>
/// <param name="Version">Layout and sources that the profiles belong to.</param>
public sealed record CutMarker(long Number, CutPosition Start, long Watermark, long[] Newest, long Decisions, long CreatedAt, long Profiles,
    string Version)
{
    /// <summary>The number of a cut that a restore of a savepoint wrote; the engine's own begin with 1.</summary>
    public const long SavepointNumber = 0;

    /// <summary>
    /// What was switched off for the shard's decisions there, as its log has it; empty where everything was on. A restore does not read the
    /// log from before the cut.
    /// </summary>
    public ReadOnlyMemory<byte> SwitchedOff { get; init; }

    /// <summary>
    /// As of which versions the shard looked up in tables that are topics there; empty where the config had none.
    /// </summary>
    public ReadOnlyMemory<byte> Tables { get; init; }

    /// <summary>
    /// The numbers of all shards that the shard decided by there, as its log has them; empty where there were none.
    /// </summary>
    public ReadOnlyMemory<byte> Shared { get; init; }

    /// <summary>Whether a restore of a savepoint wrote it.</summary>
    public bool OfSavepoint => Number == SavepointNumber;
}
