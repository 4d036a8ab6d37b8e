using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>A cut that a shard starts from, loaded block by block: from a file of this machine, or from the checkpoint topic.</summary>
internal interface ICutLoad : IDisposable
{
    /// <summary>What closed the cut.</summary>
    CutMarker Marker { get; }

    /// <summary>Where it is loaded from, in words.</summary>
    string Place { get; }

    /// <summary>How much is loaded, 0 to 1.</summary>
    double Progress { get; }

    /// <summary>Loads some profiles; false once there are no more.</summary>
    bool Step(RestorePass shard);
}

/// <summary>A cut in a file, which was read and checked a moment ago.</summary>
internal sealed class FileCutLoad(string path, FileCut cut) : ICutLoad
{
    private readonly CheckpointReader _reader = new(path);

    public CutMarker Marker => cut.Marker;

    public string Place => "files";

    public double Progress => (double)_reader.Position / cut.End;

    public bool Step(RestorePass shard)
    {
        if (_reader.Position >= cut.End) return false;
        if (!_reader.Next(out var block))
            throw new IOException($"Checkpoint {cut.Marker.Number} in {path} can't be read again: check the disk. The next start takes an "
                + "older one, the topic, or the log.");
        if (block.Kind == BlockKind.Profiles) shard.Load(block);
        return true;
    }

    public void Dispose() => _reader.Dispose();
}

/// <summary>
/// A cut in the compacted checkpoint topic: every profile there, each as of its own position. Some may be newer than the marker, of a cut
/// that was not closed; what they cover is left out when events are read again, as for every other. The load must end within <see
/// cref="TopicSpec.CompactionLag"/>: later the topic may have forgotten a profile for the sake of one that stands behind the end asked for.
/// </summary>
internal sealed class TopicCutLoad : ICutLoad
{
    private const int ReadRecords = 1_000;

    private readonly ILogReader _reader;
    private readonly RecordBatch _batch = new();
    private readonly long _low, _high;

    public TopicCutLoad(ILog log, TopicPartition partition, long low, long high, CutMarker marker)
    {
        (Marker, _low, _high) = (marker, low, high);
        _reader = log.OpenReader();
        _reader.Assign(partition, low);
    }

    public CutMarker Marker { get; }

    public string Place => "the topic";

    public double Progress => _high == _low ? 1 : (double)(_reader.Position - _low) / (_high - _low);

    public bool Step(RestorePass shard)
    {
        if (_reader.Position >= _high) return false;
        _reader.Read(_batch, ReadRecords, TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < _batch.Count; i++)
        {
            if (_batch[i].Offset >= _high) return false;
            // Damaged records don't happen in a replicated log; were it so, the profile might lack what its cut promises.
            if (!CutBlock.TryParse(_batch.Value(i), out var block))
                throw new LogException($"The checkpoint topic holds a record at offset {_batch[i].Offset} that is no checkpoint: give the "
                    + "engine a topic of its own.");
            if (block.Kind == BlockKind.Profiles && block.IsOf(Marker.Version)) shard.Load(block);
        }
        return true;
    }

    public void Dispose() => _reader.Dispose();

    /// <summary>
    /// The newest marker that satisfies a condition: markers stand at the ends of cuts, so the search goes back from the end in growing
    /// steps. None where another version has written behind it: what that superseded may be compacted away.
    /// </summary>
    public static CutMarker? Newest(ILog log, TopicPartition partition, long low, long high, string version, Func<CutMarker, bool> fits)
    {
        using var reader = log.OpenReader();
        var batch = new RecordBatch();
        long to = high;
        for (long step = 2_000; to > low; step *= 8)
        {
            var from = Math.Max(low, to - step);
            CutMarker? newest = null;
            var foreign = false;
            reader.Assign(partition, from);
            while (reader.Position < to)
            {
                reader.Read(batch, ReadRecords, TimeSpan.FromMilliseconds(100));
                for (var i = 0; i < batch.Count; i++)
                {
                    if (batch[i].Offset >= to || !CutBlock.TryParse(batch.Value(i), out var block)) continue;
                    if (!block.IsOf(version)) foreign = true;
                    else if (block.Kind == BlockKind.Marker && block.Marker() is var marker && fits(marker))
                        (newest, foreign) = (marker, false);
                }
            }
            if (newest is not null || foreign) return foreign ? null : newest;
            to = from;
        }
        return null;
    }
}
