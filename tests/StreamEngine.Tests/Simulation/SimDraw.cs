using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace StreamEngine.Tests.Simulation;

/// <summary>What exploration draws at a decision's position, by the runtime's own XXH64.</summary>
internal static class SimDraw
{
    private static readonly ulong Seed = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(SimEngines.ExplorationSeed));

    /// <summary>A number from 0 to below 1 of 53 bits.</summary>
    public static double Of(int source, int partition, long offset, int ordinal)
    {
        var hash = Seed;
        foreach (var part in new[] { ((long)source << 32) | (uint)partition, offset, ordinal })
            hash = XxHash64.HashToUInt64(MemoryMarshal.AsBytes([part]), (long)hash);
        return (hash >> 11) / (double)(1UL << 53);
    }
}
