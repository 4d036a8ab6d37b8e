using StreamEngine.Events;

namespace StreamEngine.State.Checkpoints;

/// <summary>
/// Writes a checkpoint file anew without superseded profiles: same blocks, same order, same positions, the last marker only.
/// </summary>
internal static class CheckpointCompaction
{
    /// <summary>
    /// Compacts a whole, undamaged file that ends with a marker; the target is on the disk and checked when this returns.
    /// </summary>
    /// <returns>The new file's length.</returns>
    /// <exception cref="IOException">The disk is full, or what was written does not read back.</exception>
    public static long Run(string source, string target)
    {
        var newest = Newest(source);
        long length = 0, n = 0;
        CutMarker? last = null;
        using (var file = File.OpenHandle(target, FileMode.Create, FileAccess.ReadWrite))
        {
            using var reader = new CheckpointReader(source);
            var writer = new CutBlock.Writer();
            byte[] room = [];
            while (reader.Next(out var block))
            {
                if (block.Kind == BlockKind.Marker)
                {
                    last = block.Marker();
                    continue;
                }
                var position = block.Position;
                writer.Begin(BlockKind.Profiles, position.Next, position.Source, position.Ordinal);
                var empty = writer.Length;
                var payload = block.Payload;
                while (block.Next(ref payload, ref room, out var key, out var profile))
                    if (newest[Identity(key)] == n++) writer.Add(key, profile);
                if (writer.Length == empty) continue;
                writer.End();
                RandomAccess.Write(file, writer.Bytes, length);
                length += writer.Length;
            }
            writer.Mark(last ?? throw new IOException($"{source} has no closed cut."));
            RandomAccess.Write(file, writer.Bytes, length);
            length += writer.Length;
            RandomAccess.FlushToDisk(file);
        }
        var check = CheckpointReader.Inspect(target);
        if (check.ValidBytes != length || check.Cuts.Count != 1) throw new IOException($"{target} does not read back as it was written.");
        return length;
    }

    /// <summary>By key, which of the file's profiles is the newest.</summary>
    private static Dictionary<UInt128, long> Newest(string source)
    {
        var newest = new Dictionary<UInt128, long>();
        long n = 0;
        byte[] room = [];
        using var reader = new CheckpointReader(source);
        while (reader.Next(out var block))
        {
            if (block.Kind != BlockKind.Profiles) continue;
            var payload = block.Payload;
            while (block.Next(ref payload, ref room, out var key, out _)) newest[Identity(key)] = n++;
        }
        return newest;
    }

    /// <summary>Two hashes with unrelated seeds: keys that share both do not happen.</summary>
    private static UInt128 Identity(ReadOnlySpan<byte> key) => new(Hash64.Of(key), Hash64.Of(key, 0x9E3779B97F4A7C15));
}
