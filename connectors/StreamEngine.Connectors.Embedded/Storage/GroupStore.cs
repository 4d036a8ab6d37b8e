using FASTER.core;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>
/// Appends closed groups to FasterLog and shows them once they are durable. Appenders only enqueue; one thread commits for all of them, so
/// that the groups which arrive during a write share the next one. Thread-safe.
/// </summary>
internal sealed class GroupStore : IDisposable
{
    private const long MaxPendingBytes = 16 << 20;

    private readonly EmbeddedLogOptions _options;
    private readonly SegmentFiles _files;
    private readonly ChunkCache _cache;
    private readonly IDevice _device;
    private readonly FasterLog _log;
    private readonly Thread _committer;

    private readonly Lock _append = new();
    private readonly List<long> _placed = [];
    private long _sequence;
    private uint _checksum;

    private readonly object _gate = new();
    private readonly Queue<(byte[] Chunk, long Address, long GroupEnd)> _pending = [];
    private long _pendingBytes;
    private long _appendedEnd;
    private long _visibleEnd;
    private Exception? _failure;
    private bool _stopping;

    /// <summary>Recovers what is in the directory and opens it for writing.</summary>
    /// <exception cref="LogException">The log is corrupt.</exception>
    public GroupStore(EmbeddedLogOptions options)
    {
        _options = options;
        var prefix = Path.Combine(options.Directory, "log");
        _files = new SegmentFiles(prefix, options.PageBytes, options.SegmentBytes);
        _cache = new ChunkCache(options.CacheBytes);
        var end = Recovery.Run(_files, Catalog, CloseMarker.Read(options.Directory), options.Directory);
        for (var p = 0; p < Catalog.PartitionCount; p++) Catalog.Partition(p).Next = Catalog.Partition(p).High;
        (_sequence, _checksum, _appendedEnd, _visibleEnd) = (end.Sequence, end.Checksum, end.End, end.End);

        _device = options.Device?.Invoke(prefix) ?? Devices.CreateLogDevice(prefix); // writes through: a completed write is durable
        _log = new FasterLog(new FasterLogSettings
        {
            LogDevice = _device,
            LogCommitManager = new RecoveredCommit(end.End),
            PageSize = options.PageBytes,
            MemorySize = options.WriteMemoryBytes,
            SegmentSize = options.SegmentBytes,
            LogChecksum = LogChecksumType.PerEntry,
        });
        if (_log.TailAddress != end.End)
            throw new LogException($"The log in {options.Directory} ends at {end.End}, but was opened at {_log.TailAddress}: another "
                + "version's format?");
        _committer = new Thread(CommitLoop) { IsBackground = true, Name = "embedded-log-commit" };
        _committer.Start();
    }

    public Catalog Catalog { get; } = new();

    /// <summary>
    /// Bytes of records after which a chunk is closed: below the runtime's limit for large objects, and several to a page.
    /// </summary>
    public int ChunkBytes => Math.Min(60 << 10, _options.PageBytes / 4);

    /// <summary>Refuses a record that does not fit in a page.</summary>
    public void ThrowIfTooLarge(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length + value.Length > MaxRecordBytes)
            throw new LogException($"A record of {key.Length + value.Length} bytes for topic {topic} is larger than {MaxRecordBytes}, the "
                + "most that a page of the log holds.");
    }

    /// <summary>The most bytes of a record, key and value.</summary>
    public int MaxRecordBytes =>
        _options.PageBytes - SegmentFiles.EntryHeader - Chunk.HeaderLength - Chunk.SectionLength - Chunk.RecordHeaderLength;

    /// <summary>Appends a closed group: all chunks, one behind the other. Returns the address that must become durable.</summary>
    /// <exception cref="LogException">The log could not be written before.</exception>
    public long Append(List<byte[]> chunks)
    {
        Backpressure();
        lock (_append)
        {
            ThrowIfFailed();
            try
            {
                Place(chunks);
            }
            catch (Exception error) when (error is not LogException)
            {
                Fail(error); // offsets and chain have moved on, the log has not
                ThrowIfFailed();
            }
            var end = SegmentFiles.End(_placed[^1], chunks[^1].Length);
            lock (_gate)
            {
                for (var i = 0; i < chunks.Count; i++)
                {
                    _pending.Enqueue((chunks[i], _placed[i], end));
                    _pendingBytes += chunks[i].Length;
                }
                _appendedEnd = end;
                Monitor.PulseAll(_gate);
            }
            return end;
        }
    }

    /// <summary>
    /// Waits until everything up to the address is durable and shown, for as long as it takes where no patience is given; false where it is
    /// not within that.
    /// </summary>
    /// <exception cref="LogException">It could not be written.</exception>
    public bool WaitDurable(long end, TimeSpan? patience = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        lock (_gate)
        {
            while (_visibleEnd < end)
            {
                ThrowIfFailed();
                var left = patience is not { } given || given == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan
                    : given - TimeProvider.System.GetElapsedTime(began);
                if (left <= TimeSpan.Zero && left != Timeout.InfiniteTimeSpan) return false;
                Monitor.Wait(_gate, left);
            }
        }
        return true;
    }

    /// <summary>Waits until what is appended now is durable and shown.</summary>
    public void WaitDurable()
    {
        long end;
        lock (_gate) end = _appendedEnd;
        WaitDurable(end);
    }

    /// <summary>A mark for <see cref="WaitForMore"/>: take it before looking for records.</summary>
    public long VisibleEnd => Interlocked.Read(ref _visibleEnd);

    /// <summary>Waits until more became visible than the mark, somebody calls <see cref="Wake"/>, or the time is over.</summary>
    public void WaitForMore(long mark, TimeSpan timeout)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            if (_visibleEnd == mark && !_stopping) Monitor.Wait(_gate, timeout);
        }
    }

    /// <summary>Ends all waits, so that pollers look at their ownership.</summary>
    public void Wake()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }

    /// <summary>The first visible chunk at or behind the address, and where the next one is looked for.</summary>
    /// <exception cref="LogException">The files were damaged since they were opened.</exception>
    public byte[]? ReadChunk(long address, out long next)
    {
        var end = VisibleEnd;
        while (address < end)
        {
            var chunk = _cache.Find(address);
            if (chunk is null)
            {
                chunk = _files.Read(address, out var damaged);
                if (damaged || chunk is not null && !Chunk.IsIntact(chunk))
                    throw new LogException($"The log in {_options.Directory} is damaged at address {address}: restore the directory from a "
                        + "copy.");
                if (chunk is not null) _cache.Add(address, chunk);
            }
            if (chunk is not null)
            {
                next = _files.After(address, chunk.Length);
                return chunk;
            }
            address = _files.NextPage(address);
        }
        next = address;
        return null;
    }

    /// <summary>Makes durable what is appended, notes the end, closes the files.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _committer.Join();
        if (_failure is null && _visibleEnd == _appendedEnd) CloseMarker.Write(_options.Directory, _visibleEnd);
        _failure ??= new ObjectDisposedException(nameof(EmbeddedLog));
        _log.Dispose();
        _device.Dispose();
        _files.Dispose();
    }

    private void Place(List<byte[]> chunks)
    {
        _placed.Clear();
        var durable = VisibleEnd;
        foreach (var chunk in chunks)
        {
            foreach (ref var section in Chunk.Sections(chunk.AsSpan()))
            {
                var partition = Catalog.Partition(section.Partition);
                section = section with { BaseOffset = partition.Next };
                partition.Next += section.Count;
            }
            _checksum = Chunk.Seal(chunk, _sequence++, _checksum, durable);
            _placed.Add(Enqueue(chunk));
        }
    }

    private long Enqueue(byte[] chunk)
    {
        var spin = new SpinWait();
        long address;
        while (!_log.TryEnqueue((ReadOnlySpan<byte>)chunk, out address))
        {
            ThrowIfFailed(); // the write memory is full until pages are written
            spin.SpinOnce(sleep1Threshold: 20);
        }
        return address;
    }

    private void Backpressure()
    {
        lock (_gate)
        {
            while (_pendingBytes > MaxPendingBytes)
            {
                ThrowIfFailed();
                Monitor.Wait(_gate);
            }
        }
    }

    private void CommitLoop()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    while (_pending.Count == 0 && !_stopping) Monitor.Wait(_gate);
                    if (_pending.Count == 0) return;
                }
                _log.CommitAsync().AsTask().GetAwaiter().GetResult();
                Publish(_log.CommittedUntilAddress);
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private void Fail(Exception error)
    {
        lock (_gate)
        {
            _failure ??= error;
            Monitor.PulseAll(_gate);
        }
    }

    private void Publish(long committed)
    {
        lock (_gate)
        {
            while (_pending.TryPeek(out var next) && next.GroupEnd <= committed)
            {
                _pending.Dequeue();
                _pendingBytes -= next.Chunk.Length;
                _cache.Add(next.Address, next.Chunk);
                Catalog.Apply(next.Chunk, next.Address);
                if ((Chunk.Flags(next.Chunk) & ChunkFlags.End) != 0) Interlocked.Exchange(ref _visibleEnd, next.GroupEnd);
            }
            Monitor.PulseAll(_gate);
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new LogException($"The log in {_options.Directory} can't be written any more ({failure.GetBaseException().Message}). "
                + "What was acknowledged is safe: free disk space or mend the disk, then open it again.", failure);
    }
}
