using System.Buffers.Binary;

namespace StreamEngine.Connectors;

/// <summary>Kafka's default partitioner: murmur2 of the key, seed 0x9747b28c, sign bit cleared, modulo the number of partitions.</summary>
public static class Murmur2
{
    /// <summary>The partition of a key.</summary>
    public static int Partition(ReadOnlySpan<byte> key, int partitions) => (int)((Hash(key) & 0x7fffffff) % (uint)partitions);

    /// <summary>The 32-bit murmur2 hash as Kafka's Java client computes it.</summary>
    public static uint Hash(ReadOnlySpan<byte> data)
    {
        const uint m = 0x5bd1e995;
        var h = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
            k ^= k >> 24;
            h = h * m ^ k * m;
            data = data[4..];
        }
        if (data.Length == 3) h ^= (uint)data[2] << 16;
        if (data.Length >= 2) h ^= (uint)data[1] << 8;
        if (data.Length >= 1)
        {
            h ^= data[0];
            h *= m;
        }
        h ^= h >> 13;
        h *= m;
        return h ^ h >> 15;
    }
}
