using System.Numerics;
using System.Runtime.InteropServices;

namespace StreamEngine.Features;

/// <summary>
/// HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) over 512 registers of one byte, with the estimator of Ertl, "New cardinality
/// estimation algorithms for HyperLogLog sketches" (2017), which needs no tables of corrections. The standard error is 1.04 / sqrt(512) =
/// 4.6 %.
/// </summary>
internal static class HyperLogLog
{
    /// <summary>Registers of a sketch.</summary>
    public const int Size = 1 << IndexBits;

    /// <summary>The standard error of an estimate, relative.</summary>
    public const double StandardError = 0.046;

    private const int IndexBits = 9;
    private const int MostRank = 64 - IndexBits;

    /// <summary>Takes a hash in: its first bits choose the register, which keeps the longest run of zeros of the others.</summary>
    public static void Add(Span<byte> registers, ulong hash)
    {
        ref var register = ref registers[(int)(hash >> MostRank)];
        var rank = (byte)(BitOperations.LeadingZeroCount(hash << IndexBits | 1UL << (IndexBits - 1)) + 1);
        if (rank > register) register = rank;
    }

    /// <summary>Makes a sketch that of both sets together.</summary>
    public static void Merge(Span<byte> registers, ReadOnlySpan<byte> other)
    {
        var into = MemoryMarshal.Cast<byte, Vector<byte>>(registers);
        var from = MemoryMarshal.Cast<byte, Vector<byte>>(other);
        for (var i = 0; i < into.Length; i++) into[i] = Vector.Max(into[i], from[i]);
    }

    /// <summary>How many different hashes were taken in.</summary>
    public static double Estimate(ReadOnlySpan<byte> registers)
    {
        Span<int> counts = stackalloc int[MostRank + 2];
        counts.Clear();
        foreach (var register in registers) counts[register]++;
        var z = Size * Tau(1 - (double)counts[MostRank + 1] / Size);
        for (var rank = MostRank; rank >= 1; rank--) z = 0.5 * (z + counts[rank]);
        z += Size * Sigma((double)counts[0] / Size);
        return Size / (2 * Math.Log(2)) * Size / z;
    }

    /// <summary>x + the sum of x^(2^k) 2^(k-1) over k from 1 on.</summary>
    private static double Sigma(double x)
    {
        if (x == 1) return double.PositiveInfinity;
        double sum = x, before, factor = 1;
        do
        {
            x *= x;
            before = sum;
            sum += x * factor;
            factor += factor;
        }
        while (sum != before);
        return sum;
    }

    /// <summary>A third of (1 - x - the sum of (1 - x^(2^-k))^2 2^-k over k from 1 on).</summary>
    private static double Tau(double x)
    {
        if (x is 0 or 1) return 0;
        double sum = 1 - x, before, factor = 1;
        do
        {
            x = Math.Sqrt(x);
            before = sum;
            factor *= 0.5;
            sum -= (1 - x) * (1 - x) * factor;
        }
        while (sum != before);
        return sum / 3;
    }
}
