using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>What a restore did.</summary>
/// <param name="Items">What became of every item.</param>
/// <param name="Profiles">Profiles written, by shard.</param>
/// <param name="Partial">Whether a backfill missed records that the log holds no more.</param>
public sealed record RestoreResult(IReadOnlyList<ItemChange> Items, IReadOnlyList<long> Profiles, bool Partial);

/// <summary>
/// Makes a savepoint the newest checkpoint of every shard, in a config's own layout, so that the next start goes on from it:
/// <code>
///  (1) compare   layout and sources, by name and shape; every mistake at once
///  (2) fit       committed offsets, and what the log still holds
///  (3) lock      every shard's folder: no engine may have it
///  (4) verify    every byte of the savepoint
/// (5) convert   each profile into a file beside the shard's checkpoints; with a backfill, after the shard was folded from the log up to
/// the savepoint  (6) publish   the files get their names, the highest of their folders
/// </code>
/// </summary>
public sealed class SavepointRestorer
{
    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly string _folder;
    private readonly LayoutChange _change;
    private readonly bool _backfill;

    /// <summary>Steps (1) and (2).</summary>
    /// <param name="settings">The engine with the new config, its log, and where stores for a backfill are opened.</param>
    /// <param name="folder">The savepoint.</param>
    /// <param name="backfill">Whether what is new is filled from the log.</param>
    /// <param name="errors">Mistakes so far.</param>
    /// <exception cref="ConfigException">The config can't go on from the savepoint.</exception>
    /// <exception cref="LogException">The log can't.</exception>
    /// <exception cref="InvalidDataException">There is no whole savepoint.</exception>
    public SavepointRestorer(WorkerSettings settings, string folder, bool backfill, ConfigErrors errors)
    {
        (_settings, _engine, _folder, _backfill) = (settings, settings.Engine, folder, backfill);
        Manifest = SavepointFolder.Read(folder);
        _change = LayoutChange.Compare(Manifest, _engine, backfill, errors);
        errors.ThrowIfAny();
        SavepointFit.Check(settings.Log, _engine, Manifest);
        Partial = backfill && SavepointFit.IsPartial(settings.Log, _engine, Manifest);
        if (Partial && _change.Mixed.Count > 0)
            throw new LogException($"{string.Join(", ", _change.Mixed)}: a part of what it is computed from is kept, the rest can't be "
                + "filled, as the log no longer begins at offset 0: its values would be wrong. Take it out, or let it look at something "
                + "else that is new as a whole.");
    }

    /// <summary>What is restored.</summary>
    public SavepointManifest Manifest { get; }

    /// <summary>Whether a backfill will miss records that the log holds no more.</summary>
    public bool Partial { get; }

    /// <summary>What a person should look at.</summary>
    public IReadOnlyList<string> Warnings => Partial
        ? [.. _change.Warnings, "the backfill is partial: the log no longer begins at offset 0, and what was deleted is missing from what "
        + "is new"]
        : _change.Warnings;

    /// <summary>Steps (3) to (6).</summary>
    /// <param name="checkpoints">The folder of a shard's checkpoints.</param>
    /// <param name="progress">Told the shard at hand, and its share from 0 to 1.</param>
    /// <param name="stop">Ends the work before anything has taken effect.</param>
    /// <exception cref="IOException">An engine has a folder open, or it can't be written.</exception>
    public RestoreResult Restore(Func<int, string> checkpoints, Action<int, double> progress, CancellationToken stop)
    {
        var held = new List<CheckpointFiles>();
        var settings = _settings;
        using var tables = _backfill ? TableFollower.Begin(ref settings, stop) : null;
        try
        {
            foreach (var shard in Manifest.Shards) held.Add(Lock(checkpoints(shard.Shard)));
            var markers = Manifest.Shards.Select(s => SavepointFolder.Verify(_folder, s)).ToList();
            var written = new List<(string From, string To)>();
            var profiles = new List<long>();
            foreach (var (shard, marker) in Manifest.Shards.Zip(markers))
            {
                var target = Next(checkpoints(shard.Shard));
                written.Add((target + ".tmp", target));
                profiles.Add(Convert(settings, shard, marker, target + ".tmp", progress, stop));
            }
            foreach (var (from, to) in written) File.Move(from, to);
            return new RestoreResult(_change.Items, profiles, Partial);
        }
        finally
        {
            foreach (var files in held)
            {
                foreach (var unfinished in Directory.GetFiles(files.Folder, "*.tmp")) File.Delete(unfinished);
                files.Dispose();
            }
        }
    }

    private static CheckpointFiles Lock(string folder)
    {
        try
        {
            return new CheckpointFiles(folder, _ => { });
        }
        catch (IOException e)
        {
            throw new IOException($"{folder} can't be taken: an engine runs on it, or it can't be written ({e.Message.TrimEnd('.')}). Stop "
                + "the engine first.", e);
        }
    }

    /// <summary>
    /// Newer than every checkpoint there is: a start takes the newest that fits, and falls back to those only where this one is damaged.
    /// </summary>
    private static string Next(string folder)
    {
        var newest = CheckpointFiles.In(folder).Select(f =>
            int.Parse(Path.GetFileNameWithoutExtension(f)["checkpoint-".Length..], CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Max();
        return Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"checkpoint-{newest + 1:D8}.bin"));
    }

    private long Convert(WorkerSettings settings, SavepointShard shard, CutMarker marker, string target, Action<int, double> progress,
        CancellationToken stop)
    {
        var conversion = new ProfileConversion(_change, _engine);
        using var backfill = _backfill && _change.Added.Count > 0
            ? ShardBackfill.Run(settings, shard, Manifest.Partitions, share => progress(shard.Shard, share), stop) : null;
        using var writer = new CutFileWriter(target, marker.Start);
        using var reader = new CheckpointReader(Path.Combine(_folder, shard.File));
        byte[] room = [];
        while (reader.Next(out var block))
        {
            stop.ThrowIfCancellationRequested();
            progress(shard.Shard, (double)reader.Position / reader.Bytes);
            if (block.Kind != BlockKind.Profiles) continue;
            var payload = block.Payload;
            while (block.Next(ref payload, ref room, out var key, out var profile))
                writer.Add(key, conversion.Convert(profile, backfill is null ? default : backfill.Take(key)));
        }
        if (reader.Position != reader.Bytes)
            throw new InvalidDataException($"{Path.Combine(_folder, shard.File)} can't be read again. Check the disk.");
        backfill?.Rest((key, profile) => writer.Add(key, conversion.Convert(default, profile)));
        writer.Close(marker with { Number = CutMarker.SavepointNumber, Version = _engine.StateVersion, Profiles = writer.Profiles });
        return writer.Profiles;
    }
}
