using System.Runtime.CompilerServices;

namespace StreamEngine.Features;

/// <summary>
/// Typed access to a profile's bytes by offset. Offsets come from the compiled layout; the profile's length is checked once per call of
/// <see cref="FeatureSet"/>.
/// </summary>
internal static class ProfileBytes
{
    /// <summary>The value at an offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref T At<T>(ref byte profile, int offset) where T : unmanaged =>
        ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(ref profile, offset));
}
