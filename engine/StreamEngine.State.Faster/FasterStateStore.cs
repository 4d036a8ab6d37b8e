using FASTER.core;

namespace StreamEngine.State.Faster;

/// <summary>
/// One shard's profiles in FASTER: a hash index over a log whose tail is in memory and updated in place, the rest on disk. One session, one
/// thread; an operation that has to fetch from disk is completed before it returns.
/// </summary>
public sealed class FasterStateStore : IStateStore
{
    private const long TidyBytes = 2 << 20;

    private readonly FasterStateOptions _options;
    private readonly LocalDevice _device;
    private readonly FasterKV<SpanByte, SpanByte> _store;
    private readonly ClientSession<SpanByte, SpanByte, long, long, Empty, ProfileFunctions> _session;
    private readonly ProfileOperation _operation = new();
    private long _tidyAbove, _tidyUntil;
    private bool _disposed;

    /// <summary>Opens an empty store in the options' directory.</summary>
    /// <exception cref="IOException">The directory can't be made or written.</exception>
    public FasterStateStore(FasterStateOptions options)
    {
        _options = options;
        _tidyAbove = SmallestTidy;
        Directory.CreateDirectory(options.Directory);
        _device = new LocalDevice(Path.Combine(options.Directory, "profiles"), options.DeleteOnClose);
        _store = new FasterKV<SpanByte, SpanByte>(new FasterKVSettings<SpanByte, SpanByte>
        {
            LogDevice = _device,
            IndexSize = options.Index,
            MemorySize = options.Memory,
            PageSize = options.PageBytes,
            SegmentSize = Math.Max(options.PageBytes, 64L << 20),
            MutableFraction = options.MutableFraction,
            ConcurrencyControlMode = ConcurrencyControlMode.None, // one session on one thread
        });
        _session = _store.For(new ProfileFunctions(_operation)).NewSession<ProfileFunctions>(
            sessionVariableLengthStructSettings: new SessionVariableLengthStructSettings<SpanByte, long>
            {
                valueLength =
                new ProfileLengths(_operation)
            });
    }

    /// <inheritdoc/>
    public long Count => _operation.Count;

    /// <inheritdoc/>
    public long MemoryBytes => _store.Log.MemorySizeBytes + (_store.IndexSize + _store.OverflowBucketCount) * 64;

    /// <summary>Bytes of the whole log, memory and disk, superseded versions included.</summary>
    public long LogBytes => _store.Log.TailAddress - _store.Log.BeginAddress;

    /// <inheritdoc/>
    public void Update(ReadOnlySpan<byte> key, IProfileUpdate update) => Update(key, update, creates: true);

    /// <inheritdoc/>
    public bool TryUpdate(ReadOnlySpan<byte> key, IProfileUpdate update) => Update(key, update, creates: false);

    /// <summary>True where the profile was there or was created.</summary>
    private unsafe bool Update(ReadOnlySpan<byte> key, IProfileUpdate update, bool creates)
    {
        (_operation.Update, _operation.Creates, _operation.Applied) = (update, creates, false);
        fixed (byte* start = key)
        {
            var pinned = SpanByte.FromPointer(start, key.Length);
            long input = 0, output = 0;
            try
            {
                var status = _session.RMW(ref pinned, ref input, ref output);
                if (status.IsPending) _session.CompletePending(wait: true);
                if (status.IsFaulted || _device.Failure is not null) throw Failed();
            }
            catch (FasterException e) when (_device.Failure is null)
            {
                throw new IOException($"A profile does not fit into the state store in {_options.Directory}: {e.Message}. One page holds "
                    + $"{_options.PageBytes} bytes. Raise state.memory, or keep less of each customer.", e);
            }
        }
        return _operation.Applied; // the status of an operation that went to the disk says nothing of it
    }

    /// <inheritdoc/>
    public bool Read(ReadOnlySpan<byte> key, IProfileReader reader) => Find(key, reader);

    /// <inheritdoc/>
    public unsafe bool Delete(ReadOnlySpan<byte> key)
    {
        if (!Find(key, null)) return false; // FASTER's own delete writes a tombstone without looking at the disk
        fixed (byte* start = key)
        {
            var pinned = SpanByte.FromPointer(start, key.Length);
            var status = _session.Delete(ref pinned);
            if (status.IsPending) _session.CompletePending(wait: true);
        }
        _operation.Count--;
        return true;
    }

    /// <summary>
    /// Shows every live profile once: walks the whole log and shows a version when the index says that it is the newest (FASTER's own
    /// iterator leaves out live records where versions of one chain are deleted). Versions on disk cost a read each; memory does not grow.
    /// </summary>
    public void Scan(IProfileVisitor visitor)
    {
        using var versions = _store.Log.Scan(_store.Log.BeginAddress, _store.Log.TailAddress);
        while (versions.GetNext(out var record))
        {
            if (record.Tombstone) continue;
            ref var key = ref versions.GetKey();
            if (Find(key.AsReadOnlySpan(), null) && _operation.Address == versions.CurrentAddress)
                visitor.Visit(key.AsReadOnlySpan(), versions.GetValue().AsReadOnlySpan());
        }
    }

    /// <summary>
    /// Once the log is twice as long as after the last time (and longer than memory), its older half is moved to the tail where it still
    /// lives, a few pages a call, and its disk space given back. Only whole pages: of the page that a compaction ends in, FASTER reads as
    /// much as lies before the end, and would copy the record across it with the rest of its bytes missing.
    /// </summary>
    public void Tidy()
    {
        if (_tidyUntil == 0)
        {
            if (LogBytes <= _tidyAbove) return;
            var half = PageStart(Math.Min(_store.Log.BeginAddress + LogBytes / 2, _store.Log.SafeReadOnlyAddress));
            if (half <= _store.Log.BeginAddress) return;
            _tidyUntil = half;
        }
        var until = Math.Min(_tidyUntil, PageStart(_store.Log.BeginAddress + Math.Max(TidyBytes, _options.PageBytes)));
        _session.Compact(until, CompactionType.Lookup);
        _store.Log.Truncate();
        if (_device.Failure is not null) throw Failed();
        if (until < _tidyUntil) return;
        _tidyUntil = 0;
        _tidyAbove = Math.Max(SmallestTidy, 2 * LogBytes);
    }

    private long PageStart(long address) => address & ~(_options.PageBytes - 1);

    private long SmallestTidy => 2 * _options.Memory;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _session.Dispose();
        _store.Dispose();
        _device.Dispose();
    }

    private unsafe bool Find(ReadOnlySpan<byte> key, IProfileReader? reader)
    {
        _operation.Reader = reader;
        _operation.Found = false;
        fixed (byte* start = key)
        {
            var pinned = SpanByte.FromPointer(start, key.Length);
            long input = 0, output = 0;
            var status = _session.Read(ref pinned, ref input, ref output);
            if (status.IsPending) _session.CompletePending(wait: true);
            if (status.IsFaulted || _device.Failure is not null) throw Failed();
        }
        _operation.Reader = null;
        return _operation.Found;
    }

    private IOException Failed() =>
        new($"The state store in {_options.Directory} could not read or write its files: "
        + $"{_device.Failure?.Message ?? "FASTER reports a fault"} Check the disk and its free space (state.directory names the folder), "
        + "then start again: the state is rebuilt from the log.", _device.Failure);
}
