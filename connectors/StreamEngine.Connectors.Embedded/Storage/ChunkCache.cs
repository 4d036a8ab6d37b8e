namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>The chunks written or read last, by address, up to a number of bytes; the oldest goes first. Thread-safe.</summary>
internal sealed class ChunkCache(long maxBytes)
{
    private readonly Dictionary<long, byte[]> _chunks = [];
    private readonly Queue<long> _order = [];
    private long _bytes;

    public byte[]? Find(long address)
    {
        lock (_chunks) return _chunks.GetValueOrDefault(address);
    }

    public void Add(long address, byte[] chunk)
    {
        lock (_chunks)
        {
            if (!_chunks.TryAdd(address, chunk)) return;
            _order.Enqueue(address);
            _bytes += chunk.Length;
            while (_bytes > maxBytes && _order.TryDequeue(out var oldest) && _chunks.Remove(oldest, out var gone)) _bytes -= gone.Length;
        }
    }
}
