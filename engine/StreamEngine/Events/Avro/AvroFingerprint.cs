using System.Text;

namespace StreamEngine.Events.Avro;

/// <summary>CRC-64-AVRO, the Rabin fingerprint of the Avro specification ("Schema Fingerprints").</summary>
public static class AvroFingerprint
{
    private const ulong Empty = 0xc15d213aa4d7a795;
    private static readonly ulong[] Table = MakeTable();

    /// <summary>The fingerprint of a text's UTF-8 bytes.</summary>
    public static ulong Of(string text)
    {
        var crc = Empty;
        foreach (var b in Encoding.UTF8.GetBytes(text)) crc = crc >> 8 ^ Table[(byte)crc ^ b];
        return crc;
    }

    private static ulong[] MakeTable()
    {
        var table = new ulong[256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (ulong)i;
            for (var bit = 0; bit < 8; bit++) crc = crc >> 1 ^ Empty & (ulong)-(long)(crc & 1);
            table[i] = crc;
        }
        return table;
    }
}
