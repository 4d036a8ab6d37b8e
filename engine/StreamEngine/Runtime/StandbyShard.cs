using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// One shard's checkpoints on a node that does not own it, copied from the checkpoint topic into the files that a take-over loads. It goes
/// in rounds: ask for the topic's end, read to it, and only there close a cut, by the newest marker read. A marker met on the way must
/// wait: in a compacted topic what it promises may be gone because something newer stands behind it, and that is not read yet.
/// </summary>
internal sealed class StandbyShard : IDisposable
{
    /// <summary>
    /// A round takes less, or starts over: well within the time that a superseded record is kept, clocks that differ included.
    /// </summary>
    private static readonly TimeSpan LongestRound = TopicSpec.CompactionLag / 2;

    private readonly CheckpointFiles _files;
    private readonly CompiledEngine _engine;
    private readonly TimeProvider _time;
    private readonly int _blockBytes;
    private readonly CutBlock.Writer _block = new();
    private byte[] _room = [];
    private CutPosition? _at;       // of the block that is open
    private int _profiles;          // in it
    private CutMarker? _newest;     // read and not written yet
    private long _asked;
    private volatile CutMarker? _closed;
    private volatile Exception? _failure;

    /// <param name="partition">The shard's partition.</param>
    /// <param name="engine">What a marker must fit to.</param>
    /// <param name="open">Opens the shard's files.</param>
    /// <param name="blockBytes">The most bytes of a block in the files, but for the last profile.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">Somebody has the folder open, or it can't be written.</exception>
    public StandbyShard(int partition, CompiledEngine engine, Func<int, Action<CheckpointEvent>, CheckpointFiles> open, int blockBytes,
        TimeProvider time)
    {
        (_engine, _blockBytes, _time) = (engine, blockBytes, time);
        Topic = new TopicPartition(engine.Options.Checkpoints.Topic, partition);
        _files = open(partition, OnFiles);
    }

    /// <summary>The shard's partition of the checkpoint topic.</summary>
    public TopicPartition Topic { get; }

    /// <summary>The next offset to read; -1 before the first round.</summary>
    public long Position { get; private set; } = -1;

    /// <summary>The topic's end when it was asked for; -1 before.</summary>
    public long End { get; private set; } = -1;

    /// <summary>Whether there is a round to finish.</summary>
    public bool Behind => Position < End;

    /// <summary>Whether the disk keeps up.</summary>
    public bool HasRoom => _files.HasRoom;

    /// <summary>Why the files take no more; null while they do.</summary>
    public Exception? Failure => _failure;

    /// <summary>The newest cut that is closed and on the disk; null before the first.</summary>
    public CutMarker? Closed => _closed;

    /// <summary>A layout that the newest marker has and this engine has not: the cut can't be used here. Null where it can.</summary>
    public string? OtherVersion { get; private set; }

    /// <summary>Begins a round; the first one fills new files, beside those that the node may have from when it owned the shard.</summary>
    /// <param name="low">The topic's first offset.</param>
    /// <param name="high">Its end.</param>
    /// <param name="asked">When that was asked for, a timestamp of the clock.</param>
    /// <exception cref="IOException">They can't be made.</exception>
    public void Begin(long low, long high, long asked)
    {
        if (Position < 0)
        {
            _files.BeginBeside();
            Position = low;
        }
        End = high;
        _asked = asked;
    }

    /// <summary>Takes what was read.</summary>
    /// <param name="batch">Records of the topic from <see cref="Position"/> on.</param>
    /// <param name="position">The reader's position behind them.</param>
    /// <returns>Why they can't be taken; null where they were.</returns>
    public string? Add(RecordBatch batch, long position)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            // A damaged record may be a profile that some marker promises: nothing behind it may be closed.
            if (!CutBlock.TryParse(batch.Value(i), out var block))
                return $"the checkpoint topic holds a record at offset {batch[i].Offset} that is no checkpoint: give the engine a topic of "
                    + "its own";
            if (!block.IsOf(_engine.StateVersion))
            {
                // Another layout or other sources: what it superseded may be gone, so a marker before it promises nothing any more.
                _newest = null;
                if (block.Kind == BlockKind.Marker) OtherVersion = block.Marker().Version;
            }
            else if (block.Kind == BlockKind.Marker) (_newest, OtherVersion) = (block.Marker(), null);
            else Take(block, block.Position);
        }
        Position = position;
        return null;
    }

    /// <summary>
    /// Ends a round that has reached the end asked for: what was read since the last one is a cut now, where a marker came with it.
    /// </summary>
    /// <returns>Why it is not; null where it is.</returns>
    public string? Close()
    {
        if (_time.GetElapsedTime(_asked) > LongestRound)
            return $"reading to the topic's end took longer than {LongestRound.TotalMinutes:0} minutes, and what was superseded meanwhile "
                + "may be gone";
        Flush();
        if (_newest is null) return null;
        _block.Mark(_newest);
        _files.Append(_block.Bytes, _newest, 0);
        _newest = null;
        return null;
    }

    /// <summary>Lets go of the folder, with what was added written. A file without a closed cut is of no use to anybody and goes.</summary>
    public void Dispose()
    {
        _files.Dispose();
        if (Position < 0 || _closed is not null || CheckpointFiles.In(_files.Folder) is not [var mine, ..]) return;
        try
        {
            File.Delete(mine);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays until a later file has closed a cut; no restore takes it.
        }
    }

    /// <summary>Adds a record's profile to the block that is open; a block has one position, so another one begins a new block.</summary>
    private void Take(in CutBlock record, CutPosition at)
    {
        if (_at is null || _at.Source != at.Source || _at.Ordinal != at.Ordinal || !_at.Next.AsSpan().SequenceEqual(at.Next)
            || _block.Length >= _blockBytes)
        {
            Flush();
            _at = at;
            _block.Begin(BlockKind.Profiles, at.Next, at.Source, at.Ordinal);
        }
        var payload = record.Payload;
        while (record.Next(ref payload, ref _room, out var key, out var profile))
        {
            _block.Add(key, profile);
            _profiles++;
        }
    }

    private void Flush()
    {
        if (_at is null) return;
        _block.End();
        _files.Append(_block.Bytes, null, _profiles);
        _at = null;
        _profiles = 0;
    }

    /// <summary>On the files' thread.</summary>
    private void OnFiles(CheckpointEvent e)
    {
        if (e.Failure is not null) _failure = e.Failure;
        else _closed = e.Marker;
    }
}
