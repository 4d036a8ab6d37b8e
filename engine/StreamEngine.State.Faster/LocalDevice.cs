using System.Collections.Concurrent;
using FASTER.core;
using Microsoft.Win32.SafeHandles;

namespace StreamEngine.State.Faster;

/// <summary>
/// A file per segment. The thread that asks reads by itself: a shard waits for each profile that it fetches, and FASTER's own device, which
/// hands reads to the thread pool, adds two thread switches to each (milliseconds on a busy machine). Writes are the pool's.
/// </summary>
internal sealed class LocalDevice : StorageDeviceBase
{
    private const uint Sector = 512;
    private const uint Error = 5; // FASTER only asks whether it is 0

    private readonly ConcurrentDictionary<int, SafeFileHandle> _segments = new();
    private readonly bool _deleteOnClose;
    private volatile Exception? _failure;
    private int _writing;

    public LocalDevice(string prefix, bool deleteOnClose)
        : base(prefix, Sector, -1) => _deleteOnClose = deleteOnClose;

    /// <summary>The first write that failed: what was to be written is lost, so the store must not be used any more.</summary>
    public Exception? Failure => _failure;

    public override void WriteAsync(IntPtr sourceAddress, int segmentId, ulong destinationAddress, uint numBytesToWrite,
        DeviceIOCompletionCallback callback, object context)
    {
        Interlocked.Increment(ref _writing);
        ThreadPool.UnsafeQueueUserWorkItem(_ =>
        {
            try
            {
                Write(sourceAddress, segmentId, (long)destinationAddress, (int)numBytesToWrite);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _failure ??= e;
            }
            // Also after a failure as if it had gone well: FASTER would wait for the page for ever, and the store's thread could not say
            // what is wrong.
            callback(0, numBytesToWrite, context);
            Interlocked.Decrement(ref _writing);
        }, null);
    }

    public override unsafe void ReadAsync(int segmentId, ulong sourceAddress, IntPtr destinationAddress, uint readLength,
        DeviceIOCompletionCallback callback, object context)
    {
        uint error = 0, read = 0;
        try
        {
            // Less than asked is the end of the file: FASTER reads ahead of a record's end.
            read = (uint)RandomAccess.Read(Segment(segmentId), new Span<byte>((void*)destinationAddress, (int)readLength),
                (long)sourceAddress);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure ??= e;
            error = Error;
        }
        callback(error, read, context);
    }

    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result)
    {
        if (_segments.TryRemove(segment, out var handle)) handle.Dispose();
        File.Delete(PathOf(segment));
        callback(result);
    }

    public override long GetFileSize(int segment) => RandomAccess.GetLength(Segment(segment));

    public override void Dispose()
    {
        SpinWait.SpinUntil(() => Volatile.Read(ref _writing) == 0);
        foreach (var (segment, handle) in _segments)
        {
            handle.Dispose();
            if (_deleteOnClose) File.Delete(PathOf(segment));
        }
        _segments.Clear();
    }

    private unsafe void Write(IntPtr source, int segment, long at, int length) =>
        RandomAccess.Write(Segment(segment), new ReadOnlySpan<byte>((void*)source, length), at);

    private SafeFileHandle Segment(int segment) =>
        _segments.GetOrAdd(segment, static (s, device) =>
            File.OpenHandle(device.PathOf(s), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite), this);

    private string PathOf(int segment) => $"{FileName}.{segment}";
}
