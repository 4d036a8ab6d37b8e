using System.Buffers.Binary;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>Notes at a clean close where the log ended, so that damage to its last entries can be told from a torn tail.</summary>
internal static class CloseMarker
{
    private const string Name = "closed";
    private const ulong Mask = 0x5ca1ab1e_0ddba115;

    /// <summary>The noted end; 0 where there is no (whole) note.</summary>
    public static long Read(string directory)
    {
        var path = Path.Combine(directory, Name);
        if (!File.Exists(path)) return 0;
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length != 16) return 0;
        var end = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return ((ulong)end ^ Mask) == BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8)) ? end : 0;
    }

    /// <summary>Replaces the note.</summary>
    public static void Write(string directory, long end)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, end);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], (ulong)end ^ Mask);
        var path = Path.Combine(directory, Name);
        using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".new", path, overwrite: true);
    }
}
