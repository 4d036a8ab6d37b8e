using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FASTER.core;

namespace StreamEngine.ContractTests.Logs.Embedded;

/// <summary>
/// A device that loses what was not acknowledged: from a chosen write on the machine is off, and of the writes under way each sector
/// reaches the files or not, in any order, by a seeded coin. Fails later operations, so that the log notices. With no coin it is a full
/// disk: nothing more is written.
/// </summary>
internal sealed class CrashDevice : StorageDeviceBase
{
    private const int Sector = 512;
    private const int TooLate = 28; // as "no space left on device"

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;
    private readonly Random? _coin;
    private int _writesLeft;

    public CrashDevice(string prefix, int writesUntilCrash, Random? coin)
        : base(prefix, Sector, -1)
    {
        _writesLeft = writesUntilCrash;
        _coin = coin;
        _thread = new Thread(() =>
        {
            foreach (var action in _work.GetConsumingEnumerable()) action();
        })
        { IsBackground = true };
        _thread.Start();
    }

    public bool Crashed => Volatile.Read(ref _writesLeft) < 0;

    public override void WriteAsync(IntPtr sourceAddress, int segmentId, ulong destinationAddress, uint numBytesToWrite,
        DeviceIOCompletionCallback callback, object context)
    {
        var bytes = new byte[numBytesToWrite];
        Marshal.Copy(sourceAddress, bytes, 0, bytes.Length);
        _work.Add(() =>
        {
            if (Interlocked.Decrement(ref _writesLeft) >= 0)
            {
                using var file = Open(segmentId);
                RandomAccess.Write(file.SafeFileHandle, bytes, (long)destinationAddress);
                callback(0, numBytesToWrite, context);
                return;
            }
            if (_coin is not null) Tear(bytes, segmentId, (long)destinationAddress);
            callback(TooLate, 0, context);
        });
    }

    public override void ReadAsync(int segmentId, ulong sourceAddress, IntPtr destinationAddress, uint readLength,
        DeviceIOCompletionCallback callback, object context)
    {
        _work.Add(() =>
        {
            var bytes = new byte[readLength];
            using (var file = Open(segmentId)) RandomAccess.Read(file.SafeFileHandle, bytes, (long)sourceAddress);
            Marshal.Copy(bytes, 0, destinationAddress, bytes.Length);
            callback(0, readLength, context);
        });
    }

    public override void RemoveSegment(int segment) { }

    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result) => callback(result);

    public override void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
    }

    private void Tear(byte[] bytes, int segment, long address)
    {
        using var file = Open(segment);
        var odds = _coin!.Next(3); // none, some, all
        for (var at = 0; at < bytes.Length; at += Sector)
            if (odds == 2 || odds == 1 && _coin.Next(2) == 0)
                RandomAccess.Write(file.SafeFileHandle, bytes.AsSpan(at, Math.Min(Sector, bytes.Length - at)), address + at);
    }

    private FileStream Open(int segment) =>
        new($"{FileName}.{segment}", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
}
