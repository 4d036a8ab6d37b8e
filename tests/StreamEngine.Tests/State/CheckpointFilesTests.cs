using System.Text;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using Xunit;

namespace StreamEngine.Tests.State;

/// <summary>
/// Checkpoint files: what is closed reads back, what is damaged is never taken for whole, and waste does not grow for ever.
/// </summary>
public sealed class CheckpointFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("checkpoint-").FullName;
    private readonly List<CheckpointEvent> _told = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", 0x00000000u)]
    [InlineData("123456789", 0xE3069283u)] // the check value of CRC-32C, RFC 3720 and others
    public void The_checksum_is_Castagnolis(string text, uint expected) =>
        Assert.Equal(expected, Crc32C.Of(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(0x00, 0x8A9136AAu)] // RFC 3720, appendix B.4: 32 bytes of zeros, and of ones
    [InlineData(0xFF, 0x62A8AB43u)]
    public void The_checksum_is_that_of_the_RFC_however_the_bytes_are_split(byte value, uint expected)
    {
        var bytes = Enumerable.Repeat(value, 32).ToArray();
        Assert.Equal(expected, Crc32C.Of(bytes));
        for (var at = 0; at <= bytes.Length; at++) Assert.Equal(expected, Crc32C.Of(bytes.AsSpan(0, at), bytes.AsSpan(at)));
    }

    [Fact]
    public void A_closed_cut_reads_back_with_its_positions()
    {
        Write(cuts: 2, profiles: 3);
        var cuts = CheckpointFiles.Cuts(_folder).ToList();
        Assert.Equal([2L, 1], cuts.Select(c => c.Cut.Marker.Number));
        var expected = Marker(2, 3);
        Assert.Equal(expected, cuts[0].Cut.Marker with { Start = expected.Start, Newest = expected.Newest });
        Assert.Equal(Marker(2, 3).Start.Next, cuts[0].Cut.Marker.Start.Next);
        Assert.Equal([2_010L, 7], cuts[0].Cut.Highest);
        var profiles = Read(cuts[0].Path, cuts[0].Cut);
        Assert.Equal(["c0=2:c0", "c1=2:c1", "c2=2:c2"], profiles.Select(p => $"{p.Key}={p.Value}").Order());
        Assert.Equal(2, _told.Count(t => t.Marker is not null));
    }

    [Fact]
    public void Any_flipped_byte_is_noticed_and_the_cut_before_it_stands()
    {
        Write(cuts: 3, profiles: 4);
        var path = CheckpointFiles.In(_folder)[0];
        var whole = File.ReadAllBytes(path);
        var ends = CheckpointReader.Inspect(path).Cuts.Select(c => c.End).ToList();
        Assert.Equal(3, ends.Count);
        Assert.Null(CheckpointReader.Inspect(path).Damage);
        var last = whole.AsSpan().LastIndexOf("SEC3"u8);
        for (var at = 0; at < whole.Length; at++)
            foreach (var mask in new byte[] { 0x01, 0x80, 0xFF })
            {
                var damaged = (byte[])whole.Clone();
                damaged[at] ^= mask;
                File.WriteAllBytes(path, damaged);
                var content = CheckpointReader.Inspect(path);
                Assert.Equal(ends.Where(e => e <= at), content.Cuts.Select(c => c.End));
                Assert.True(content.ValidBytes <= at, $"byte {at} ^ {mask:X2}: {content.ValidBytes} bytes taken for whole");
                // Only the last block's length can be changed so that the file looks as if it ended amid a write.
                Assert.True(content.Damage is not null || at >= last + 4 && at < last + 8, $"byte {at} ^ {mask:X2}");
            }
    }

    [Fact]
    public void Any_torn_tail_leaves_the_cuts_before_it()
    {
        Write(cuts: 3, profiles: 2);
        var path = CheckpointFiles.In(_folder)[0];
        var whole = File.ReadAllBytes(path);
        var ends = CheckpointReader.Inspect(path).Cuts.Select(c => c.End).ToList();
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(ends.Where(e => e <= length), CheckpointReader.Inspect(path).Cuts.Select(c => c.End));
            Assert.Null(CheckpointReader.Inspect(path).Damage);
        }
    }

    [Fact]
    public void Going_on_behind_a_cut_drops_what_follows_it()
    {
        Write(cuts: 3, profiles: 2);
        var (path, cut) = CheckpointFiles.Cuts(_folder).ElementAt(1);
        using (var files = Open())
        {
            files.Begin(path, cut);
            Cut(files, 7, 2);
        }
        Assert.Equal([7L, 2, 1], CheckpointFiles.Cuts(_folder).Select(c => c.Cut.Marker.Number));
    }

    [Fact]
    public void Waste_is_written_away_and_nothing_else()
    {
        const int Profiles = 2_000;
        using (var files = Open())
        {
            files.Begin(null, null);
            for (var n = 1; n <= 60; n++)
            {
                Cut(files, n, Profiles, new string('x', 400));
                SpinWait.SpinUntil(() => files.HasRoom);
            }
        }
        var bytes = CheckpointFiles.In(_folder).Sum(f => new FileInfo(f).Length);
        Assert.InRange(bytes, Profiles * 400, 40 << 20); // some 50 MB without compaction
        Assert.True(CheckpointFiles.In(_folder)[0].EndsWith("checkpoint-00000001.bin", StringComparison.Ordinal) is false);
        var (path, cut) = CheckpointFiles.Cuts(_folder).First();
        Assert.Equal(60, cut.Marker.Number);
        var profiles = Read(path, cut);
        Assert.Equal(Profiles, profiles.Count);
        Assert.All(profiles, p => Assert.StartsWith($"60:{p.Key}", p.Value));
    }

    [Fact]
    public void A_second_owner_is_refused_while_the_first_has_it()
    {
        using var first = Open();
        Assert.ThrowsAny<IOException>(() => Open());
    }

    [Fact]
    public void A_disk_that_fails_ends_the_checkpoints_and_is_told()
    {
        using (var files = Open())
        {
            files.Begin(null, null);
            Directory.CreateDirectory(Path.Combine(_folder, "checkpoint-00000002.bin.tmp")); // in the way of the next file
            for (var n = 1; n <= 60 && files.HasRoom; n++) Cut(files, n, 2_000, new string('x', 400));
            SpinWait.SpinUntil(() => _told.Any(t => t.Failure is not null), 10_000);
            Assert.False(files.HasRoom);
        }
        Assert.NotNull(_told[^1].Failure);
        Assert.Null(_told[^1].Marker);
        Assert.NotEmpty(CheckpointFiles.Cuts(_folder)); // what was closed before still stands
    }

    private CheckpointFiles Open() => new(_folder, e => { lock (_told) _told.Add(e); });

    private void Write(int cuts, int profiles)
    {
        using var files = Open();
        files.Begin(null, null);
        for (var n = 1; n <= cuts; n++) Cut(files, n, profiles);
    }

    /// <summary>A cut in two slices.</summary>
    private static void Cut(CheckpointFiles files, int number, int profiles, string filler = "")
    {
        var writer = new CutBlock.Writer();
        for (var half = 0; half < 2; half++)
        {
            writer.Begin(BlockKind.Profiles, [number * 1_000L + half * 10, 7], 1, half);
            var count = 0;
            for (var i = half; i < profiles; i += 2, count++)
                writer.Add(Encoding.UTF8.GetBytes($"c{i}"), Encoding.UTF8.GetBytes($"{number}:c{i}{filler}"));
            writer.End();
            files.Append(writer.Bytes, null, count);
        }
        writer.Mark(Marker(number, profiles));
        files.Append(writer.Bytes, Marker(number, profiles), 0);
    }

    private static CutMarker Marker(int number, int profiles) =>
        new(number, new CutPosition([number * 1_000L, 7], 0, 3), 123_456, [123_456, 99], 42, 1_767_225_600_000, profiles, "layout");

    private static Dictionary<string, string> Read(string path, FileCut cut)
    {
        var profiles = new Dictionary<string, string>();
        byte[] room = [];
        using var reader = new CheckpointReader(path);
        while (reader.Position < cut.End && reader.Next(out var block))
        {
            if (block.Kind != BlockKind.Profiles) continue;
            var payload = block.Payload;
            while (block.Next(ref payload, ref room, out var key, out var profile))
                profiles[Encoding.UTF8.GetString(key)] = Encoding.UTF8.GetString(profile);
        }
        return profiles;
    }
}
