using System.Runtime.InteropServices;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>Reads a profile's features as of a time.</summary>
internal sealed class FeatureReader(FeatureSet features) : IProfileReader
{
    /// <summary>In: as of when, ms; raised to the profile's newest time.</summary>
    public long At;

    /// <summary>In: where the vector goes.</summary>
    public Memory<double> Vector;

    /// <summary>Out: the profile's newest time, ms; <see cref="long.MinValue"/> where it had no event yet.</summary>
    public long Newest { get; private set; }

    public void Read(ReadOnlySpan<byte> profile)
    {
        Newest = MemoryMarshal.Read<long>(profile);
        features.Read(profile, Math.Max(At, Newest), Vector.Span);
    }
}
