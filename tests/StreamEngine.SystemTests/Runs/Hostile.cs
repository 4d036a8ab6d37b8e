using System.IO.Compression;
using System.Text;

namespace StreamEngine.SystemTests.Runs;

/// <summary>Files and texts that an outsider would make.</summary>
internal static class Hostile
{
    /// <summary>A line with up to three damages at places that the seed draws: bytes changed, taken out, put in, repeated.</summary>
    public static byte[] Damaged(byte[] line, Random random)
    {
        var bytes = line.ToList();
        for (var i = random.Next(4); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, Enumerable.Range(0, length).Select(_ => (byte)random.Next(256))); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            }
        }
        return [.. bytes.Select(b => b is (byte)'\n' or (byte)'\r' ? (byte)' ' : b)];
    }

    /// <summary>A list of nine, of lists of nine, and so on: 9^9 values when they are written out.</summary>
    public static string Laughs()
    {
        var text = new StringBuilder("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (var level = 'b'; level < 'j'; level++)
            text.Append($"{level}: &{level} [{string.Join(',', Enumerable.Repeat($"*{(char)(level - 1)}", 9))}]\n");
        return text.ToString();
    }

    /// <summary>So many megabytes of zeros, packed by deflate.</summary>
    public static byte[] Bomb(int megabytes)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var part = new byte[1_000_000];
            for (var i = 0; i < megabytes; i++) deflate.Write(part);
        }
        return packed.ToArray();
    }

    /// <summary>An Avro container file of one block.</summary>
    public static byte[] Container(string schema, string codec, long records, byte[] block)
    {
        using var file = new MemoryStream();
        file.Write("Obj\u0001"u8);
        Long(file, 2);
        foreach (var (name, value) in new[] { ("avro.schema", schema), ("avro.codec", codec) })
        {
            Bytes(file, Encoding.UTF8.GetBytes(name));
            Bytes(file, Encoding.UTF8.GetBytes(value));
        }
        Long(file, 0);
        file.Write(new byte[16]);
        Long(file, records);
        Bytes(file, block);
        file.Write(new byte[16]);
        return file.ToArray();
    }

    private static void Bytes(Stream file, byte[] bytes)
    {
        Long(file, bytes.Length);
        file.Write(bytes);
    }

    private static void Long(Stream file, long value)
    {
        var left = (ulong)(value << 1 ^ value >> 63);
        for (; left > 127; left >>= 7) file.WriteByte((byte)(left & 127 | 128));
        file.WriteByte((byte)left);
    }
}
