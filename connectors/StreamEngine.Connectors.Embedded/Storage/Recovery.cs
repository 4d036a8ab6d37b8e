using System.Buffers.Binary;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>Where the intact, closed part of a log ends.</summary>
/// <param name="End">The address behind its last entry.</param>
/// <param name="Sequence">The next chunk's number.</param>
/// <param name="Checksum">The last chunk's checksum.</param>
internal sealed record RecoveredEnd(long End, long Sequence, uint Checksum);

/// <summary>
/// Reads a log from its start and keeps closed groups only. The first chunk that is damaged or does not continue the chain ends the log: a
/// torn tail, which was never acknowledged, is cut. It is no torn tail, but corruption, when something proves that the log was durable
/// beyond: then nothing is touched and the open fails.
/// </summary>
internal static class Recovery
{
    private const int SearchBuffer = 1 << 20;
    private const int Overlap = 64; // of two blocks, so that no header is cut

    /// <summary>Fills the catalog and says where to go on.</summary>
    /// <param name="files">The log's files.</param>
    /// <param name="catalog">Empty.</param>
    /// <param name="closedAt">The end that the last clean close noted; 0 where there was none.</param>
    /// <param name="directory">For messages.</param>
    /// <exception cref="LogException">The log is corrupt.</exception>
    public static RecoveredEnd Run(SegmentFiles files, Catalog catalog, long closedAt, string directory)
    {
        var end = Scan(files, catalog);
        if (end.End < closedAt) throw Corrupt(directory, end.End, $"it was closed at {closedAt}");
        if (ProofOfMore(files, end) is { } proof) throw Corrupt(directory, end.End, $"an intact entry at {proof} was written later");
        files.Truncate(end.End);
        return end;
    }

    private static RecoveredEnd Scan(SegmentFiles files, Catalog catalog)
    {
        var length = files.Length();
        var open = new List<(byte[] Chunk, long Address)>();
        var end = new RecoveredEnd(SegmentFiles.FirstAddress, 0, 0);
        var (address, sequence, checksum) = (end.End, end.Sequence, end.Checksum);
        while (address < length)
        {
            var chunk = files.Read(address, out var damaged);
            if (chunk is null && !damaged)
            {
                address = files.NextPage(address);
                continue;
            }
            if (chunk is null || !Chunk.IsIntact(chunk) || Chunk.Sequence(chunk) != sequence || Chunk.Previous(chunk) != checksum) break;
            if (open.Count == 0 != ((Chunk.Flags(chunk) & ChunkFlags.Begin) != 0)) break;
            open.Add((chunk, address));
            sequence++;
            checksum = Chunk.Checksum(chunk);
            if ((Chunk.Flags(chunk) & ChunkFlags.End) != 0)
            {
                foreach (var (closed, at) in open) catalog.Apply(closed, at);
                open.Clear();
                end = new RecoveredEnd(SegmentFiles.End(address, chunk.Length), sequence, checksum);
            }
            address = files.After(address, chunk.Length);
        }
        return end;
    }

    /// <summary>
    /// Looks behind the end, at every place where an entry could begin, for an intact chunk that knew the log to be durable beyond the end.
    /// </summary>
    private static long? ProofOfMore(SegmentFiles files, RecoveredEnd end)
    {
        var buffer = new byte[SearchBuffer];
        const int seen = SegmentFiles.EntryHeader + Chunk.HeaderLength;
        var length = files.Length();
        for (var from = end.End; from < length;)
        {
            var read = files.ReadAt(from, buffer);
            for (var at = 0; at + seen <= read; at += 4)
            {
                var candidate = buffer.AsSpan(at, seen);
                if (candidate[SegmentFiles.EntryHeader] != Chunk.Version) continue;
                var header = candidate[SegmentFiles.EntryHeader..];
                if (BinaryPrimitives.ReadInt32LittleEndian(candidate[8..]) < Chunk.HeaderLength) continue;
                if (Chunk.Sequence(header) < end.Sequence || Chunk.Durable(header) <= end.End) continue;
                if (files.Read(from + at, out _) is { } chunk && Chunk.IsIntact(chunk)) return from + at;
            }
            from = read == SearchBuffer ? from + SearchBuffer - Overlap : files.NextSegment(from);
        }
        return null;
    }

    private static LogException Corrupt(string directory, long address, string why) => new(
        $"The log in {directory} is corrupt at address {address}: {why}. Nothing was changed. Restore the directory from a copy, or move "
            + "it away to start a new log.");
}
