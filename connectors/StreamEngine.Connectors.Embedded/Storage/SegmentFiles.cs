using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>
/// Reads entries from FasterLog's files without its iterators, which need the log to be recovered first and skip a page on damage. The
/// format is FASTER 2.6's with checksums per entry: xor (8 bytes), length (4), the entry, padding to 4; entries don't cross pages, zeros
/// fill a page's end. Thread-safe.
/// </summary>
internal sealed class SegmentFiles(string prefix, int pageBytes, long segmentBytes) : IDisposable
{
    /// <summary>Bytes before an entry.</summary>
    public const int EntryHeader = 12;

    /// <summary>The log's first address.</summary>
    public const long FirstAddress = 64;

    private readonly Dictionary<long, SafeFileHandle> _handles = [];

    /// <summary>The first address behind the last byte in the files.</summary>
    public long Length()
    {
        long end = 0;
        for (var segment = 0L; File.Exists(Path(segment)); segment++) end = segment * segmentBytes + new FileInfo(Path(segment)).Length;
        return end;
    }

    /// <summary>The address behind an entry of that length.</summary>
    public static long End(long address, int length) => address + EntryHeader + ((length + 3) & ~3);

    /// <summary>Where the entry behind one of that length begins, unless the page ends before it.</summary>
    public long After(long address, int length)
    {
        var next = End(address, length);
        return next % pageBytes + EntryHeader > pageBytes ? NextPage(next) : next;
    }

    /// <summary>The page behind the one that holds the address.</summary>
    public long NextPage(long address) => (address / pageBytes + 1) * pageBytes;

    /// <summary>Where the file behind the one that holds the address begins.</summary>
    public long NextSegment(long address) => (address / segmentBytes + 1) * segmentBytes;

    /// <summary>
    /// Reads the entry at the address; null where there are zeros, the file's end or no possible entry (<paramref name="damaged"/> tells
    /// the last apart).
    /// </summary>
    public byte[]? Read(long address, out bool damaged)
    {
        Span<byte> header = stackalloc byte[EntryHeader];
        damaged = false;
        if (ReadAt(address, header) < EntryHeader) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (length == 0)
        {
            damaged = header.ContainsAnyExcept((byte)0);
            return null;
        }
        damaged = length < Chunk.HeaderLength || address % pageBytes + EntryHeader + length > pageBytes;
        if (damaged) return null;
        var entry = new byte[length];
        if (ReadAt(address + EntryHeader, entry) == length) return entry;
        damaged = true;
        return null;
    }

    /// <summary>Reads raw bytes; fewer at the end of the files.</summary>
    public int ReadAt(long address, Span<byte> bytes)
    {
        var handle = Handle(address / segmentBytes);
        if (handle is null) return 0;
        var total = 0;
        while (total < bytes.Length)
        {
            var read = RandomAccess.Read(handle, bytes[total..], address % segmentBytes + total);
            if (read == 0) break;
            total += read;
        }
        return total;
    }

    /// <summary>Cuts everything from the address on.</summary>
    public void Truncate(long address)
    {
        Dispose();
        var segment = address / segmentBytes;
        for (var later = segment + 1; File.Exists(Path(later)); later++) File.Delete(Path(later));
        if (!File.Exists(Path(segment))) return;
        using var file = new FileStream(Path(segment), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        if (file.Length <= address % segmentBytes) return;
        file.SetLength(address % segmentBytes);
        file.Flush(flushToDisk: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_handles)
        {
            foreach (var handle in _handles.Values) handle.Dispose();
            _handles.Clear();
        }
    }

    private string Path(long segment) => $"{prefix}.{segment}";

    private SafeFileHandle? Handle(long segment)
    {
        lock (_handles)
        {
            if (_handles.TryGetValue(segment, out var known)) return known;
            if (!File.Exists(Path(segment))) return null;
            return _handles[segment] =
                File.OpenHandle(Path(segment), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
    }
}
