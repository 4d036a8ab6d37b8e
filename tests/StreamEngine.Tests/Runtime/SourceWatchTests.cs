using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What is said of a source's records when it happens: all of the first are rejected; they lie in the wrong partitions.</summary>
public sealed class SourceWatchTests
{
    private readonly ManualTime _time = new(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start));
    private readonly List<string> _said = [];

    private static EventSourceOptions Source => Scenario.Options().Events[0];

    private static OneOrNamed ByPurpose => new([new("personalization", "consent.p")]);

    public static TheoryData<string, string, string> Rejected => new()
    {
        { "list", "\"consent\":[\"ads\"]", "as no-consent: they lack consent to personalization: 'consent' says 'ads'. Name the field that "
            + "has it as 'consent'" },
        { "list", "\"x\":1", "as no-consent: they lack consent to personalization: there is no value in 'consent'. Name" },
        { "list", "\"consent\":true", "as no-consent: they lack consent to personalization: there is no value in 'consent'. Name" },
        { "private", "\"consent\":[\"ads\"]", "as no-consent: they lack consent to personalization: 'consent' says '***'. Name" },
        { "purpose", "\"consent\":{\"p\":\"opt-in\"}", "as no-consent: they lack consent to personalization: 'opt-in' in 'consent.p' is no "
            + "yes and no no. Name" },
        { "purpose", "\"consent\":{\"p\":false}", "as no-consent: they lack consent to personalization: 'consent.p' says no. Name" },
        { "purpose", "\"consent\":{\"p\":\"No\"}", "as no-consent: they lack consent to personalization: 'consent.p' says no. Name" },
        { "customer", "\"x\":1", "as missing-customer: no value in 'user' or 'anonymous', and no key. Name the field that has it as "
            + "'customer', or several as [first, second]; $key is the record's key." },
        { "list", "\"value\":\"12,50\"", "as wrong-type: field 'value': '12,50' is not a decimal number of 64 bits with 2 digits after the "
            + "point. Declare the field" },
        { "list", "oops", "as malformed: no JSON from byte 46 on. Is the source's format json?" },
        { "old", "\"consent\":[\"personalization\"]", "as too-old: event time 1970-01-01T00:00:00.005Z is before time.earliest" },
    };

    [Theory]
    [MemberData(nameof(Rejected))]
    public void All_of_the_first_thousand_are_rejected_is_said_at_once_and_once(string config, string member, string expected)
    {
        var source = config switch
        {
            "purpose" => Source with { Consent = ByPurpose },
            "private" => Source with { Pii = ["consent"] },
            "customer" => Source with { Customer = new OneOrMore(["user", "anonymous", "$key"]) },
            _ => Source,
        } with
        { Requires = ["personalization"] };
        using var driver = Driver(source, config == "old" ? 1_000 : 0);
        var customer = config == "customer" ? "" : "\"customer\":\"c\",";
        var record = $$"""{"id":"1",{{customer}}"type":"x","time":5,{{member}}}""";
        for (var i = 0; i < 999; i++) driver.Add("", record, 0);
        driver.Process();
        Assert.Empty(_said);
        for (var i = 0; i < 2_000; i++) driver.Add("", record, 0);
        driver.Process();
        var text = Assert.Single(_said);
        Assert.StartsWith("All of the first 1,000 records of source 'shop' are rejected, ", text, StringComparison.Ordinal);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_one_is_let_in_nothing_is_said()
    {
        using var driver = Driver(Source with { Requires = ["personalization"] });
        for (var i = 0; i < 3_000; i++) driver.Add("", Event(i, i == 998 ? "\"personalization\"" : ""), 0);
        driver.Process();
        Assert.Equal(1, driver.Shard.Counters.Admitted);
        Assert.Empty(_said);
    }

    [Fact]
    public void The_reasons_are_counted_and_the_most_frequent_explained()
    {
        using var driver = Driver(Source with { Requires = ["personalization"] });
        for (var i = 0; i < 1_000; i++) driver.Add("", i % 10 == 0 ? "{" : Event(i, "\"ads\""), 0);
        driver.Process();
        Assert.StartsWith("All of the first 1,000 records of source 'shop' are rejected, 900 as no-consent, 100 as malformed: they lack "
            + "consent to personalization: 'consent' says 'ads'. ", Assert.Single(_said), StringComparison.Ordinal);
    }

    [Fact]
    public void At_the_end_fewer_are_enough_and_each_source_is_told_by_itself()
    {
        var options = Scenario.Options(twoSources: true);
        options = options with { Events = [.. options.Events.Select(e => e with { Requires = ["personalization"] })] };
        using var engine = Scenario.Compile(options, new LinearModels(1));
        var watch = new SourceWatch(engine, _time, e => _said.Add(e.Text));
        using var driver = new ShardDriver(engine, time: _time, watch: watch);
        driver.Add("", Event(0, "\"personalization\""), 0, 0).Add("", Event(1, ""), 0, 1).Process();
        watch.Finish();
        watch.Finish();
        Assert.StartsWith("The only record of source 'mail' is rejected, as no-consent", Assert.Single(_said), StringComparison.Ordinal);
    }

    [Fact]
    public void Misplaced_records_are_told_at_the_first_and_at_widening_intervals_with_counts_and_remedy()
    {
        using var engine = Compile(Source);
        var watch = new SourceWatch(engine, _time, e => _said.Add($"{e.Warning} {e.Text}"));
        using var driver = new ShardDriver(engine, time: _time, partitions: 2, watch: watch);
        var stranger = Enumerable.Range(0, 9).Select(i => $"c{i}").First(c => Murmur2.Partition(Encoding.UTF8.GetBytes(c), 2) == 1);
        var here = Enumerable.Range(0, 9).Select(i => $"c{i}").First(c => Murmur2.Partition(Encoding.UTF8.GetBytes(c), 2) == 0);

        Next(here, here);
        Assert.Empty(_said);
        Next("", stranger);
        Assert.Equal(["True Records are in partitions that their customers do not hash to, 1 so far: 1 without a key; the last one is "
            + "topic 'shop', partition 0, offset 1. Such customers have several profiles, and caps, features and duplicates hold in each "
            + "by itself; with runtime.wrong_partition: refuse these records go to the dead letter. Let the producer key its records by "
            + "the customer id (customer), hashed as Kafka's Java client does (librdkafka's clients: partitioner=murmur2_random), and keep "
            + "the number of partitions."], _said);
        Next("session-7", stranger);
        Next(stranger, stranger);
        _time.Advance(TimeSpan.FromSeconds(9));
        Next(stranger, stranger);
        Assert.Single(_said);
        _time.Advance(TimeSpan.FromSeconds(1));
        Next(stranger, stranger);
        Assert.Contains("5 so far: 1 without a key, 1 with a key that is not the customer id, 3 keyed by the customer id, which is hashed "
            + "otherwise; the last one is topic 'shop', partition 0, offset 5.", _said[1], StringComparison.Ordinal);
        Assert.Equal([1, 1, 3], driver.Shard.Counters.WrongPartition);
        _time.Advance(TimeSpan.FromSeconds(29));
        Next("", stranger);
        Assert.Equal(2, _said.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        watch.TakeMisplaced(driver.Shard);
        Assert.Equal(2, _said.Count);
        Next("", stranger);
        Assert.Equal(3, _said.Count);

        void Next(string key, string customer)
        {
            driver.Add(key, Event(_number++, "\"personalization\"", customer), 0).Process();
            watch.TakeMisplaced(driver.Shard);
        }
    }

    private int _number;

    [Fact]
    public async Task A_worker_tells_both()
    {
        var folder = Directory.CreateTempSubdirectory("watch-").FullName;
        try
        {
            using var log = new EmbeddedLog(new EmbeddedLogOptions(folder)
            {
                WriteMemoryBytes = 4 << 20,
                PageBytes = 1 << 20,
                SegmentBytes = 16 << 20,
            });
            using var compiled = Compile(Source with { Requires = ["personalization"] });
            log.CreateTopics(Topics.Needed(compiled.Options, 2));
            using (var writer = log.OpenWriter())
            {
                for (var i = 0; i < 50; i++) writer.Write("shop", ""u8, Encoding.UTF8.GetBytes(Event(i, "", $"c{i}")), Scenario.Start);
                writer.Flush();
            }
            using var engine = new Engine(new WorkerSettings
            {
                Engine = compiled,
                Log = log,
                InstanceId = "w",
                OpenStore = _ => new MemoryStateStore(),
                Report = e =>
                {
                    lock (_said) _said.Add(e.Text);
                },
            });
            engine.Start(drain: true);
            await engine.Completion;
            Assert.Single(_said, s => s.StartsWith("All 50 records of source 'shop' are rejected, as no-cons", StringComparison.Ordinal));
            Assert.Single(_said, s => s.StartsWith("Records are in partitions", StringComparison.Ordinal)
                && s.Contains("without a key", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Event(int id, string consent, string customer = "c") =>
        $$"""{"id":"{{id}}","customer":"{{customer}}","type":"search","time":{{Scenario.Start}},"consent":[{{consent}}]}""";

    private static CompiledEngine Compile(EventSourceOptions source, long earliest = 0)
    {
        var options = Scenario.Options();
        return Scenario.Compile(options with
        {
            Events = [source],
            Time = options.Time with { Earliest = DateTimeOffset.FromUnixTimeMilliseconds(earliest) },
        }, new LinearModels(1));
    }

    private ShardDriver Driver(EventSourceOptions source, long earliest = 0)
    {
        var engine = Compile(source, earliest);
        return new ShardDriver(engine, time: _time, watch: new SourceWatch(engine, _time, e => _said.Add(e.Text)));
    }
}
