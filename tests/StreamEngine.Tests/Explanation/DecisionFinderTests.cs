using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Host.Explanation;
using StreamEngine.Tests.Decisions;
using Xunit;

namespace StreamEngine.Tests.Explanation;

/// <summary>Finding a decision's record by its id, among many others.</summary>
public sealed class DecisionFinderTests : IDisposable
{
    private const int Causes = 8_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("find-").FullName;
    private readonly EmbeddedLog _log;
    private readonly ILogReader _reader;
    private readonly DecisionFinder _finder;

    public DecisionFinderTests()
    {
        _log = new EmbeddedLog(new EmbeddedLogOptions(_folder)
        {
            WriteMemoryBytes = 4 << 20,
            PageBytes = 1 << 20,
            SegmentBytes = 16 << 20
        });
        _log.CreateTopics([new TopicSpec("decisions", 1)]);
        Fill();
        _reader = _log.OpenReader();
        _finder = new DecisionFinder(_log, _reader, "decisions");
    }

    public void Dispose()
    {
        _reader.Dispose();
        _log.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Each_is_found_by_few_looks_and_what_is_not_there_is_told_with_what_is()
    {
        foreach (var id in new[]
        {
            "shop/events/0/0/1", "shop/events/0/2/1", "shop/events/0/2998/1", "shop/events/0/3000/1", "shop/events/0/7998/1",
            "shop/mails/0/0/1", "shop/mails/0/3111/1", "shop/mails/0/7999/1", "shop/mails/0/8499/1",
        })
        {
            var found = Find(id);
            Assert.True(found.Value is not null, $"{id}: {found.Missing}");
            var logged = new LoggedDecision();
            Assert.True(LoggedDecision.TryParse(found.Value, ref logged));
            Assert.Equal(id, System.Text.Encoding.UTF8.GetString(logged.Id.Of(found.Value)));
            Assert.InRange(_finder.Read, 1, 2_000);
        }
        Assert.True(_log.Watermarks(new TopicPartition("decisions", 0)).High > 15_000, "the partition is large against that");

        foreach (var (id, told) in new[]
        {
            ("shop/events/0/2000/7", "the newest one seen before it is of offset 2000, ordinal 1"),
            ("shop/events/0/2001/0", "the newest one seen before it is of offset 2000, ordinal 1"),
            ("shop/events/0/90000/0", "the newest one seen before it is of offset 7998, ordinal 1"),
            ("shop/letters/0/17/0", "none of that source before it"),
            ("shop/events/0/2000/0", "a mark, 'order', which only recovery reads"),
            ("other/events/0/2000/1", "has the id 'shop/events/0/2000/1'"),
            ("shop/events/3/2000/1", "has the partitions 0 to 0, and the id names partition 3"),
        })
        {
            var found = Find(id);
            Assert.Null(found.Value);
            Assert.Contains(told, found.Missing, StringComparison.Ordinal);
        }
    }

    private FoundDecision Find(string text)
    {
        Assert.True(DecisionId.TryParse(text, out var id));
        return _finder.Find(id, CancellationToken.None);
    }

    /// <summary>
    /// Two sources; each second cause of the first has a mark and a decision. Five hundred of the second stand at one place, and five
    /// hundred at the end, so that a look meets none of the first for long. A stretch of the first is written twice, as after an attempt
    /// that failed.
    /// </summary>
    private void Fill()
    {
        var shop = new Shop([Shop.Offer("a")]);
        shop.Decide();
        var records = new DecisionRecordWriter("shop", ["events", "mails"], shop.Policy, "c0ffee");
        using var writer = _log.OpenWriter();
        var output = new OutputBuffer();
        for (var cause = 0; cause < Causes; cause++)
        {
            if (cause % 2 == 0) Decided(0, cause);
            if (cause is 3_100)
                for (var again = 3_000; again < 3_100; again += 2) Decided(0, again);
            if (cause == 400)
                for (var mail = 0; mail < 500; mail++) Decided(1, mail);
            if (cause >= 500) Decided(1, cause);
        }
        for (var mail = Causes; mail < Causes + 500; mail++) Decided(1, mail);
        writer.Flush();

        void Decided(int source, long offset)
        {
            output.Clear();
            if (source == 0) records.WriteOrder(output, source, source, 0, offset, 0, at: 1, watermark: 1);
            records.Write(output, source, shop.Request() with { Topic = source, Offset = offset, Ordinal = 1 }, shop.Result, [1]);
            for (var i = 0; i < output.Count; i++) writer.Write("decisions", output.Key(i), output.Value(i), 1);
        }
    }
}
