using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StreamEngine.State.Checkpoints;

/// <summary>
/// A profile without the words of eight bytes that are 0, as checkpoints have it: most windows of most customers are empty. Each 64 words
/// begin with a mask (uint64, little-endian) with a bit for each word, the lowest for the first, that is 1 where the word stands behind the
/// mask. What is left at the end, fewer than eight bytes, stands as it is.
/// </summary>
internal static class PackedProfile
{
    private const int Word = sizeof(ulong), Group = 64;

    /// <summary>The room that packing a profile of a length needs, more than any result.</summary>
    public static int MostBytes(int length) => length + Word * (length / (Word * Group) + 2);

    /// <summary>Packs.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="packed">Receives the result, at least <see cref="MostBytes"/> long.</param>
    /// <returns>Bytes of the result.</returns>
    public static int Pack(ReadOnlySpan<byte> profile, Span<byte> packed)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(profile);
        var used = 0;
        for (var begin = 0; begin < words.Length; begin += Group)
        {
            var group = words.Slice(begin, Math.Min(Group, words.Length - begin));
            var (mask, head) = (0UL, used);
            used += Word;
            for (var i = 0; i < group.Length; i++)
            {
                // Written whether it is 0 or not, so that nothing branches: the next word takes the place of one that is.
                MemoryMarshal.Write(packed[used..], group[i]);
                var stands = group[i] == 0 ? 0 : 1;
                mask |= (ulong)stands << i;
                used += stands * Word;
            }
            BinaryPrimitives.WriteUInt64LittleEndian(packed[head..], mask);
        }
        var rest = profile[(words.Length * Word)..];
        rest.CopyTo(packed[used..]);
        return used + rest.Length;
    }

    /// <summary>Unpacks.</summary>
    /// <param name="packed">Begins with a packed profile.</param>
    /// <param name="profile">Receives the profile, as long as it was.</param>
    /// <returns>Bytes that the packed profile has.</returns>
    public static int Unpack(ReadOnlySpan<byte> packed, Span<byte> profile)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(profile);
        words.Clear();
        var used = 0;
        for (var begin = 0; begin < words.Length; begin += Group)
        {
            var mask = BinaryPrimitives.ReadUInt64LittleEndian(packed[used..]);
            used += Word;
            for (; mask != 0; mask &= mask - 1)
            {
                words[begin + System.Numerics.BitOperations.TrailingZeroCount(mask)] = MemoryMarshal.Read<ulong>(packed[used..]);
                used += Word;
            }
        }
        var rest = profile[(words.Length * Word)..];
        packed.Slice(used, rest.Length).CopyTo(rest);
        return used + rest.Length;
    }
}
