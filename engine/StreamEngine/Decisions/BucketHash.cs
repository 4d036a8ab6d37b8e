using System.Buffers.Text;

namespace StreamEngine.Decisions;

/// <summary>
/// GrowthBook's hash, version 2: <c>fnv1a32(text(fnv1a32(seed + value))) % 10000 / 10000</c>, so that every SDK of that ecosystem puts a
/// customer into the same bucket. Hashed are the UTF-8 bytes; SDKs that hash UTF-16 units agree for ASCII ids.
/// </summary>
public static class BucketHash
{
    private const uint OffsetBasis = 2_166_136_261;
    private const uint Prime = 16_777_619;

    /// <summary>The bucket, 0 to 0.9999.</summary>
    /// <param name="seed">The experiment's seed, UTF-8.</param>
    /// <param name="value">What is assigned, e.g. the customer id, UTF-8.</param>
    public static double Bucket(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> value)
    {
        Span<byte> digits = stackalloc byte[10];
        Utf8Formatter.TryFormat(Fnv1a(Fnv1a(OffsetBasis, seed), value), digits, out var length);
        return Fnv1a(OffsetBasis, digits[..length]) % 10_000 / 10_000.0;
    }

    /// <summary>GrowthBook's hash, version 1, which its namespaces use: <c>fnv1a32(value + seed) % 1000 / 1000</c>.</summary>
    public static double Bucket1(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> value) =>
        Fnv1a(Fnv1a(OffsetBasis, value), seed) % 1_000 / 1_000.0;

    private static uint Fnv1a(uint hash, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes) hash = (hash ^ b) * Prime;
        return hash;
    }
}
