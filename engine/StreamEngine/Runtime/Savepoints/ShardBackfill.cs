using StreamEngine.Connectors;
using StreamEngine.State;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>Told of a profile.</summary>
internal delegate void ProfileAction(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile);

/// <summary>
/// A shard folded from the start of its log up to a savepoint's position, with the config's layout: what is new is taken from it.
/// </summary>
internal sealed class ShardBackfill : IProfileReader, IDisposable
{
    private readonly Shard _shard;
    private readonly IStateStore _store;
    private readonly DecisionBatch _decisions;
    private byte[] _profile = [];
    private int _length;

    private ShardBackfill(Shard shard, IStateStore store, DecisionBatch decisions) =>
        (_shard, _store, _decisions) = (shard, store, decisions);

    /// <summary>Folds.</summary>
    public static ShardBackfill Run(WorkerSettings settings, SavepointShard at, int partitions, Action<double> progress,
        CancellationToken stop)
    {
        var decisions = new DecisionBatch(settings.Engine);
        var store = settings.OpenStore(at.Shard);
        var filled = new ShardBackfill(new Shard(settings.Engine, at.Shard, store, new OutputBuffer(), decisions, settings.Time,
            new PartitionCounts(partitions)), store, decisions);
        // Up to the first mark that tells of tables the log does not know them: what is new looks up in them as they are now.
        if (settings.Tables is { } tables) filled._shard.State.Event.Tables = tables.Current;
        try
        {
            using var restore =
                new ShardRestore(settings, filled._shard, new RestoreBounds([.. at.Offsets], at.Decisions, Checkpoints: null, Cuts: false));
            SavepointTaker.Run(restore, settings, progress, stop);
            return filled;
        }
        catch
        {
            filled.Dispose();
            throw;
        }
    }

    /// <summary>A customer's profile, taken out; empty where there is none. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Take(ReadOnlySpan<byte> key)
    {
        if (!_store.Read(key, this)) return default;
        _store.Delete(key);
        return _profile.AsSpan(0, _length);
    }

    /// <summary>
    /// Shows the profiles that were not taken: of customers whom the savepoint does not know, as where a source needs less consent than it
    /// did.
    /// </summary>
    public void Rest(ProfileAction see) => _store.Scan(new Visitor(see));

    void IProfileReader.Read(ReadOnlySpan<byte> profile)
    {
        if (_profile.Length < profile.Length) _profile = new byte[2 * profile.Length];
        profile.CopyTo(_profile);
        _length = profile.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shard.Dispose();
        _decisions.Dispose();
    }

    private sealed class Visitor(ProfileAction see) : IProfileVisitor
    {
        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => see(key, profile);
    }
}
