using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Connectors.Embedded.Storage;
using Xunit;

namespace StreamEngine.ContractTests.Logs.Embedded;

/// <summary>Cut and flipped bytes: an open gives an intact prefix of closed groups, or says that the log is corrupt.</summary>
public sealed class DamageTests : IDisposable
{
    private const int Page = 16 << 10;
    private const int Segment = 64 << 10;

    private readonly TempDirectory _directory = new();
    private readonly string _file;
    private readonly byte[] _original;
    private readonly long _closedAt;
    private readonly Dictionary<long, string> _states = [];

    public DamageTests()
    {
        using (var log = new EmbeddedLog(Options))
        {
            log.CreateTopics([new TopicSpec("in", 1), new TopicSpec("a", 2), new TopicSpec("b", 1)]);
            using var worker = new TestWorker(log,
                new WorkerOptions { Group = "g", InstanceId = "w", Sources = ["in"], Outputs = ["a", "b"] }, resume: true);
            while (worker.Owned.Count == 0) worker.Poll();
            var random = new Random(5);
            for (var n = 0; n < 60; n++)
            {
                var outputs = new OutputBuffer();
                for (var i = random.Next(1, 30); i > 0; i--)
                    outputs.Add(i % 2, i % 4 == 0 ? 1 : 0, 0, n, Encoding.UTF8.GetBytes($"key {i}"),
                        Encoding.UTF8.GetBytes(new string('v', random.Next(80))));
                worker.Log.Begin();
                worker.Log.Write(outputs, 0, outputs.Count);
                Assert.Equal(CommitOutcome.Committed, worker.Log.Commit([new OffsetToCommit(0, 0, n + 1)]));
                _states[log.Store.VisibleEnd] = State(log.Store.Catalog);
            }
        }
        _file = Path.Combine(_directory.Path, "log.0");
        _original = File.ReadAllBytes(_file);
        _closedAt = CloseMarker.Read(_directory.Path);
        Assert.InRange(_closedAt, 2 * Page, Segment); // several pages in one segment
    }

    private EmbeddedLogOptions Options => new(_directory.Path) { PageBytes = Page, WriteMemoryBytes = 4 * Page, SegmentBytes = Segment };

    [Fact]
    public void A_flipped_byte_after_a_clean_close_is_harmless_or_named()
    {
        var named = 0;
        foreach (var (position, flipped) in Flips(seed: 1))
            if (Open(flipped, _closedAt, position) is null) named++;
        Assert.InRange(named, 1000, 2000);
    }

    [Fact]
    public void A_flipped_byte_after_a_crash_gives_an_intact_prefix_or_is_named()
    {
        int named = 0, cut = 0;
        foreach (var (position, flipped) in Flips(seed: 2))
        {
            var end = Open(flipped, closedAt: 0, position);
            if (end is null) named++;
            else if (end < _closedAt) cut++;
        }
        Assert.True(named > 1000, $"{named} named"); // a hole in what was durable is never taken for a torn tail
        Assert.True(cut > 0, "no flip hit the last group");
    }

    [Fact]
    public void A_cut_file_gives_an_intact_prefix_after_a_crash_and_is_named_after_a_clean_close()
    {
        for (var length = _original.Length - 1; length > 0; length -= 151)
        {
            var cut = _original[..length];
            Assert.NotNull(Open(cut, closedAt: 0, length));
            if (length < _closedAt) Assert.Null(Open(cut, _closedAt, length));
        }
    }

    [Fact]
    public void A_damaged_log_is_refused_untouched_and_a_torn_one_is_usable_again()
    {
        var flipped = (byte[])_original.Clone();
        flipped[Page + 500] ^= 4;
        File.WriteAllBytes(_file, flipped);
        var error = Assert.Throws<LogException>(() => new EmbeddedLog(Options));
        Assert.Contains("corrupt", error.Message, StringComparison.Ordinal);
        Assert.Contains(_directory.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(flipped, File.ReadAllBytes(_file));

        File.Delete(Path.Combine(_directory.Path, "closed"));
        File.WriteAllBytes(_file, _original[..(int)(_closedAt - 10)]);
        for (var round = 0; round < 2; round++)
        {
            using var log = new EmbeddedLog(Options);
            Assert.Equal(59, log.Committed("g", new TopicPartition("in", 0)));
            using var writer = log.OpenWriter();
            writer.Write("in", "k"u8, "v"u8, 1);
            writer.Flush();
            Assert.Equal((0, round + 1), log.Watermarks(new TopicPartition("in", 0)));
        }
    }

    public void Dispose() => _directory.Dispose();

    private IEnumerable<(int Position, byte[] Bytes)> Flips(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 2000; i++)
        {
            var position = random.Next(64, (int)_closedAt);
            var flipped = (byte[])_original.Clone();
            flipped[position] ^= (byte)(1 << random.Next(8));
            yield return (position, flipped);
        }
    }

    /// <summary>Recovers from these bytes; the end, whose state must be what the log held there; null when it is called corrupt.</summary>
    private long? Open(byte[] bytes, long closedAt, int position)
    {
        File.WriteAllBytes(_file, bytes);
        using var files = new SegmentFiles(Path.Combine(_directory.Path, "log"), Page, Segment);
        var catalog = new Catalog();
        RecoveredEnd end;
        try
        {
            end = Recovery.Run(files, catalog, closedAt, _directory.Path);
        }
        catch (LogException)
        {
            Assert.Equal(bytes.Length, new FileInfo(_file).Length);
            return null;
        }
        if (catalog.PartitionCount == 4 && _states.TryGetValue(end.End, out var state)) Assert.Equal(state, State(catalog));
        else Assert.True(end.End < _states.Keys.Min(), $"Damage at {position}: ended at {end.End}, where no group does");
        AssertSameChunks(files, end.End, position);
        return end.End;
    }

    private void AssertSameChunks(SegmentFiles files, long end, int position)
    {
        for (long address = SegmentFiles.FirstAddress; address < end;)
        {
            var chunk = files.Read(address, out _);
            if (chunk is null)
            {
                address = files.NextPage(address);
                continue;
            }
            Assert.True(chunk.AsSpan().SequenceEqual(_original.AsSpan((int)address + SegmentFiles.EntryHeader, chunk.Length)),
                $"Damage at {position} came through at {address}");
            address = files.After(address, chunk.Length);
        }
    }

    private static string State(Catalog catalog) =>
        string.Join(",", Enumerable.Range(0, catalog.PartitionCount).Select(p => catalog.Partition(p).High)) + "/" + catalog.Group("g")?[0];
}
