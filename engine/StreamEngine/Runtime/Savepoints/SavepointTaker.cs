using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>
/// Makes savepoints, beside a running engine or without one: it reads the log and the checkpoints, joins no group and writes to its own
/// folder only. One shard after the other is restored to what is committed, as a new owner would, and written as one cut.
/// </summary>
public sealed class SavepointTaker
{
    private const int Tries = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly Func<int, string?> _checkpoints;
    private readonly PartitionCounts _partitions;

    /// <summary>Prepares; checks the topics.</summary>
    /// <param name="settings">The engine, its log, and where stores are opened; the worker's id is not used.</param>
    /// <param name="checkpoints">The folder of a shard's checkpoints, which is only read; null where there is none.</param>
    /// <exception cref="LogException">The topics do not fit, or the group has committed nothing.</exception>
    public SavepointTaker(WorkerSettings settings, Func<int, string?> checkpoints)
    {
        (_settings, _engine, _checkpoints) = (settings, settings.Engine, checkpoints);
        _partitions = Topics.Check(settings.Log, _engine);
        if (!Enumerable.Range(0, _partitions.Sources).Any(p =>
            _engine.Events.Sources.Any(s => settings.Log.Committed(_engine.Options.Name, new TopicPartition(s.Topic, p)) is not null)))
            throw new LogException($"Group {_engine.Options.Name} has committed no offsets in this log: there is nothing to save. Check "
            + "the config's name, and that it is the log that the engine runs on.");
    }

    /// <summary>Makes a savepoint.</summary>
    /// <param name="folder">Its folder; must hold none.</param>
    /// <param name="progress">Told the shard at hand, and its share from 0 to 1.</param>
    /// <param name="stop">Ends the work; nothing is left.</param>
    /// <exception cref="IOException">There is a savepoint already, or the folder can't be written.</exception>
    public SavepointManifest Take(string folder, Action<int, double> progress, CancellationToken stop)
    {
        var settings = _settings;
        using var tables = TableFollower.Begin(ref settings, stop);
        using var held = SavepointFolder.Begin(folder);
        try
        {
            var begun = _settings.Time.GetUtcNow();
            var shards = new List<SavepointShard>();
            for (var p = 0; p < _partitions.Sources; p++) shards.Add(Take(settings, folder, p, progress, stop));
            var manifest = Manifest(begun, shards);
            SavepointFolder.Write(folder, manifest);
            return manifest;
        }
        catch
        {
            foreach (var file in Directory.GetFiles(folder, "shard-*.ckpt")) File.Delete(file);
            held.Dispose();
            if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
            throw;
        }
    }

    /// <summary>Works a restore off that no worker polls beside.</summary>
    internal static void Run(ShardRestore restore, WorkerSettings settings, Action<double> progress, CancellationToken stop)
    {
        var registry = new Outage("schema registry", settings.Time, settings.Report);
        while (!restore.Slice())
        {
            stop.ThrowIfCancellationRequested();
            progress(restore.Progress);
            if (restore.Shard.WaitsFor is { } reason) registry.Away(reason, $"Shard {restore.Shard.Partition} waits for a schema.");
            else registry.Back();
            if (restore.Waits) Task.Delay(Pause, settings.Time).Wait(stop);
        }
    }

    /// <summary>A running engine may remove or cut off a checkpoint file while it is read: then the shard is begun again.</summary>
    private SavepointShard Take(WorkerSettings settings, string folder, int partition, Action<int, double> progress, CancellationToken stop)
    {
        for (var tries = 1; ; tries++)
        {
            var checkpoints = _checkpoints(partition);
            var bounds = RestoreBounds.Committed(_settings.Log, _engine, partition, checkpoints, _settings.Time, stop);
            using var decisions = new DecisionBatch(_engine);
            using var shard =
                new Shard(_engine, partition, _settings.OpenStore(partition), new OutputBuffer(), decisions, _settings.Time, _partitions);
            shard.KeepCheckpoints(null, 0, () => Task.FromResult(0L)); // so that one can be loaded; none is written
            using var restore = new ShardRestore(settings, shard, bounds);
            try
            {
                Run(restore, _settings, share => progress(partition, share), stop);
            }
            catch (IOException) when (checkpoints is not null && tries < Tries)
            {
                continue;
            }
            return Write(folder, shard, restore.DecisionsEnd);
        }
    }

    private static SavepointShard Write(string folder, Shard shard, long decisions)
    {
        var file = SavepointFolder.FileOf(shard.Partition);
        var marker = shard.Mark(decisions, 0);
        using var writer = new CutFileWriter(Path.Combine(folder, file), marker.Start);
        var clean = new WithoutEpoch(writer);
        shard.Scan(clean);
        var sum = writer.Close(marker with { Profiles = writer.Profiles });
        return new SavepointShard(shard.Partition, file, marker.Start.Next, decisions, writer.Profiles, writer.Bytes, sum);
    }

    private SavepointManifest Manifest(DateTimeOffset begun, List<SavepointShard> shards) => new(
        SavepointManifest.Newest, _engine.Options.Name, _engine.ConfigHash, _engine.StateVersion, begun,
        [.. _engine.Options.Events.Select(StateItems.Of)], _engine.Options.Outputs.Decisions, _partitions.Sources, _engine.Options.Purposes,
        new SavepointLayout(_engine.Layout.FixedLength, _engine.Layout.Slots, [.. StateItems.Of(_engine).Select(i => i.Item)]), shards);

    /// <summary>In which cut a profile last changed is no part of what is known of the customer.</summary>
    private sealed class WithoutEpoch(CutFileWriter writer) : State.IProfileVisitor
    {
        private byte[] _copy = [];

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
        {
            if (_copy.Length < profile.Length) _copy = new byte[2 * profile.Length];
            var copy = _copy.AsSpan(0, profile.Length);
            profile.CopyTo(copy);
            State.StateLayout.Epoch(copy) = 0;
            writer.Add(key, copy);
        }
    }
}
