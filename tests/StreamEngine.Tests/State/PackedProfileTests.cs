using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using Xunit;

namespace StreamEngine.Tests.State;

/// <summary>Profiles in checkpoints: without the words that are 0, and as earlier versions wrote them.</summary>
public sealed class PackedProfileTests
{
    /// <summary>Any length, and any words empty or not, come back to the byte; what follows stays where it is.</summary>
    [Fact]
    public void What_is_packed_comes_back() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(20_261_130, 1), Prop.ForAll<int, ushort>(Comes_back));

    private static void Comes_back(int seed, ushort size)
    {
        var random = new Random(seed);
        var profile = new byte[size % 1_500];
        var share = random.NextDouble();
        for (var at = 0; at < profile.Length; at += 8)
            if (random.NextDouble() < share) random.NextBytes(profile.AsSpan(at, Math.Min(8, profile.Length - at)));
        var packed = new byte[PackedProfile.MostBytes(profile.Length)];
        var used = PackedProfile.Pack(profile, packed);

        var back = new byte[profile.Length];
        Random.Shared.NextBytes(back);
        Assert.Equal(used, PackedProfile.Unpack(packed, back));
        Assert.Equal(profile, back);

        var words = profile.Length / 8;
        var empty = Enumerable.Range(0, words).Count(i => BinaryPrimitives.ReadUInt64LittleEndian(profile.AsSpan(8 * i)) == 0);
        Assert.Equal(profile.Length - 8 * empty + 8 * ((words + 63) / 64), used);
    }

    [Fact]
    public void Profiles_of_a_block_come_back_one_by_one()
    {
        byte[][] profiles = [new byte[1_024], [.. Enumerable.Range(0, 700).Select(i => (byte)i)], [], new byte[5]];
        var (writer, copy) = (new CutBlock.Writer(), new CutBlock.Writer());
        writer.Begin(BlockKind.Profiles, [7], 0, 1);
        copy.Begin(BlockKind.Profiles, [7], 0, 1);
        for (var i = 0; i < profiles.Length; i++)
        {
            writer.Add(Encoding.UTF8.GetBytes($"c{i}"), profiles[i]);
            copy.Add(writer.Newest);
        }
        writer.End();
        copy.End();
        Assert.Equal(writer.Bytes, copy.Bytes);
        Assert.True(writer.Length < 1_024, $"{writer.Length} bytes, of which the empty profile should have some 30");
        Assert.Equal(profiles, Read(writer.Bytes));
    }

    [Fact]
    public void A_block_of_an_earlier_version_is_read()
    {
        byte[] profile = [.. new byte[16], 1, 2, 3];
        var block = new byte[48 + 6 + 2 + profile.Length];
        "SEC2"u8.CopyTo(block);
        (block[12], block[13]) = ((byte)BlockKind.Profiles, 1);
        BinaryPrimitives.WriteInt64LittleEndian(block.AsSpan(40), 7);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(48), 2);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(50), profile.Length);
        "c0"u8.CopyTo(block.AsSpan(54));
        profile.CopyTo(block, 56);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(4), block.Length - 12);
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(8), Crc32C.Of(block.AsSpan(12)));
        Assert.Equal([profile], Read(block));
    }

    private static List<byte[]> Read(ReadOnlySpan<byte> bytes)
    {
        Assert.True(CutBlock.TryParse(bytes, out var block));
        var (found, payload, room) = (new List<byte[]>(), block.Payload.ToArray(), Array.Empty<byte>());
        ReadOnlySpan<byte> rest = payload;
        while (block.Next(ref rest, ref room, out var key, out var profile))
        {
            Assert.Equal($"c{found.Count}", Encoding.UTF8.GetString(key));
            found.Add(profile.ToArray());
        }
        Assert.True(rest.IsEmpty);
        return found;
    }
}
