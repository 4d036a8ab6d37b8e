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

    /// <summary>The snapshot that was compared with them last.</summary>
    public SharedNumbers? Seen { get; set; }
}
