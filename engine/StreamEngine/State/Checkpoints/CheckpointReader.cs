using Microsoft.Win32.SafeHandles;

namespace StreamEngine.State.Checkpoints;

/// <summary>A closed cut in a file.</summary>
/// <param name="Marker">What it says.</param>
/// <param name="End">The offset behind its marker: the cut is the file up to here.</param>
/// <param name="Highest">The highest position of a profile in it, by source: the committed offsets must have reached it.</param>
public sealed record FileCut(CutMarker Marker, long End, long[] Highest);

/// <summary>What a walk through a checkpoint file found.</summary>
/// <param name="Cuts">The closed cuts, oldest first.</param>
/// <param name="ValidBytes">The file's bytes up to the first damaged or unfinished block.</param>
/// <param name="Bytes">The file's bytes.</param>
/// <param name="Damage">
/// What is wrong with it; null where it is whole, or only ends within a block, as a process leaves it that is stopped amid a write.
/// </param>
public sealed record FileContent(IReadOnlyList<FileCut> Cuts, long ValidBytes, long Bytes, string? Damage = null);

/// <summary>
/// Reads a checkpoint file block by block; never reads past the first damaged block, as what follows it may lack profiles.
/// </summary>
public sealed class CheckpointReader : IDisposable
{
    private readonly SafeFileHandle _file;
    private byte[] _buffer = new byte[1 << 16];

    /// <summary>Opens a file.</summary>
    public CheckpointReader(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        Bytes = RandomAccess.GetLength(_file);
    }

    /// <summary>The file's length.</summary>
    public long Bytes { get; }

    /// <summary>Where the next block starts.</summary>
    public long Position { get; private set; }

    /// <summary>Reads the next block; false at the end or at a damaged block. Valid until the next call.</summary>
    public bool Next(out CutBlock block)
    {
        block = default;
        Span<byte> start = stackalloc byte[12];
        if (Bytes - Position < start.Length || RandomAccess.Read(_file, start, Position) < start.Length) return false;
        var length = CutBlock.LengthOf(start);
        if (length == 0 || length > Bytes - Position) return false;
        if (_buffer.Length < length) _buffer = new byte[Math.Max(length, _buffer.Length * 2)];
        var bytes = _buffer.AsSpan(0, length);
        for (var read = 0; read < length;)
        {
            var n = RandomAccess.Read(_file, bytes[read..], Position + read);
            if (n == 0) return false;
            read += n;
        }
        if (!CutBlock.TryParse(bytes, out block)) return false;
        Position += length;
        return true;
    }

    /// <summary>Walks through a file, checking every block.</summary>
    public static FileContent Inspect(string path)
    {
        using var reader = new CheckpointReader(path);
        var cuts = new List<FileCut>();
        long[]? highest = null;
        while (reader.Next(out var block))
        {
            var position = block.Position;
            highest ??= new long[position.Next.Length];
            if (position.Next.Length != highest.Length) break;
            for (var i = 0; i < highest.Length; i++) highest[i] = Math.Max(highest[i], position.Next[i]);
            if (block.Kind == BlockKind.Marker) cuts.Add(new FileCut(block.Marker(), reader.Position, [.. highest]));
        }
        var valid = reader.Position;
        return new FileContent(cuts, valid, reader.Bytes, reader.Damage());
    }

    /// <summary>What is wrong behind the last whole block; null where the file only ends there, or within a block.</summary>
    private string? Damage()
    {
        var at = Position;
        Span<byte> start = stackalloc byte[CutBlock.Prefix];
        if (Bytes - at < start.Length || RandomAccess.Read(_file, start, at) < start.Length) return null;
        var length = CutBlock.LengthOf(start);
        if (length > 0 && length <= Bytes - at) return $"the block at byte {at} of {Bytes} does not fit its checksum";
        // A length that was changed looks like an early end; what gives it away is a block behind it.
        var zeros = true;
        for (var from = at; from < Bytes;)
        {
            var read = RandomAccess.Read(_file, _buffer, from);
            if (read == 0) break;
            var bytes = _buffer.AsSpan(0, read);
            zeros &= !bytes.ContainsAnyExcept((byte)0);
            var found = bytes[(from == at ? 1 : 0)..].IndexOf(CutBlock.Start);
            if (found < 0)
            {
                from += Math.Max(1, read - CutBlock.Start.Length + 1);
                continue;
            }
            Position = from + found + (from == at ? 1 : 0);
            if (Next(out _)) return $"the block at byte {at} of {Bytes} does not have the length that it says";
            from = Position + 1;
        }
        return length == 0 && !zeros ? $"no block begins at byte {at} of {Bytes}" : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
