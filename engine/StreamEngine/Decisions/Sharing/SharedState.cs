namespace StreamEngine.Decisions;

/// <summary>
/// A shard's part in the numbers that all shards share: what it adds to them, and those that it decides by. Belongs to the shard's thread.
/// </summary>
/// <param name="scope">Which numbers it decides by.</param>
internal sealed class SharedState(SharedScope scope)
{
    /// <summary>What the shard adds.</summary>
    public Tallies Tallies { get; } = new();

    /// <summary>The numbers that it decides by, as the newest marks in its log say.</summary>
    public SharedView View { get; } = new(scope);

    /// <summary>Which of the topics that were made anew one after the other has what the shard adds.</summary>
    public long Generation { get; private set; }

    /// <summary>What the shard adds is in the topic of this generation, as it was read from there.</summary>
    public void IsIn(long generation) => Generation = generation;

    /// <summary>Writes everything again where the topic was made anew since; whether there is anything to write.</summary>
    public bool Renew(long generation)
    {
        if (generation <= Generation) return false;
        Generation = generation;
        return Tallies.ChangeAll();
    }

    /// <summary>The snapshot that was compared with them last.</summary>
    public SharedNumbers? Seen { get; set; }
}
