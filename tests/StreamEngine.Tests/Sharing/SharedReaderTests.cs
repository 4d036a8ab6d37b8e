using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.Testing.Simulation;
using StreamEngine.Tests.Runtime;
using Xunit;

namespace StreamEngine.Tests.Sharing;

/// <summary>The reader of the topic of shared numbers, on a log in memory, turn by turn.</summary>
public sealed class SharedReaderTests
{
    private static readonly TopicPartition Topic = new("shared", 0);

    private readonly SimLog _log = new(SimLogKind.Kafka, new Calm());
    private readonly SharedBoard _board = new("sim", "shared");
    private readonly List<WorkerEvent> _told = [];
    private readonly SharedReader _reader;

    public SharedReaderTests() => _reader = new SharedReader(_log, new SharingOptions(), _board, TimeProvider.System, _told.Add);

    [Fact]
    public void It_reads_what_is_committed_and_no_further_and_is_ready_at_the_end()
    {
        Assert.Throws<LogException>(() => _reader.Turn());
        _log.CreateTopics([SharedTopic.Spec("shared")]);
        Write("tally/sim/0/arm/p/x", 1);
        var open = new SimTransaction("w", 0, _log.Group("sim", 1), new SimMember("w"), 0);
        Append("tally/sim/1/arm/p/x", 2, open);
        Write("tally/sim/2/arm/p/x", 4);
        _reader.Turn();
        Assert.False(_board.IsReady); // behind the open transaction there is more
        Assert.Equal(1, _board.Position);
        open.Decide(commit: true);
        _log.Known(Topic).Mark(open);
        Assert.Equal(new SharingOptions().Refresh, _reader.Turn());
        Assert.True(_board.IsReady);
        Assert.Equal([7], _board.Current.Common["arm/p/x"]);
        Assert.Equal(_log.Known(Topic).High, _board.Position);
        Write("tally/sim/2/arm/p/x", 5);
        _reader.Turn();
        Assert.Equal([8], _board.Current.Common["arm/p/x"]);
        Assert.Empty(_told);
    }

    [Fact]
    public void It_keeps_its_client_of_the_log_while_there_is_something_new_and_closes_it_in_the_end()
    {
        _log.CreateTopics([SharedTopic.Spec("shared")]);
        var log = new ControlLog(_log, "t1");
        var reader = new SharedReader(log, new SharingOptions(), _board, TimeProvider.System, _told.Add);
        for (var i = 1; i <= 100; i++)
        {
            Write("tally/sim/0/arm/p/x", i);
            reader.Turn();
            reader.Turn();
            Assert.Equal([i], _board.Current.Common["arm/p/x"]);
            Assert.Equal((1, 1), (log.Opened, log.Open));
        }
        for (var i = 0; i < 100; i++) reader.Turn();
        Assert.Equal(0, log.Open); // nothing new came for long
        Write("tally/sim/0/arm/p/x", 200);
        reader.Turn();
        Assert.Equal((2, 1), (log.Opened, log.Open));
        Write("tally/sim/0/arm/p/x", 201);
        log.IsUnreadable = true;
        Assert.Throws<LogException>(() => reader.Turn());
        Assert.Equal(0, log.Open); // it may be broken
        log.IsUnreadable = false;
        reader.Turn();
        Assert.Equal([201], _board.Current.Common["arm/p/x"]);
        Assert.Equal((3, 1), (log.Opened, log.Open));
        var another = new SimLog(SimLogKind.Kafka, new Calm());
        another.CreateTopics([SharedTopic.Spec("shared")]);
        log.MakeAnew(another, "t2");
        reader.Turn();
        Assert.Equal(0, log.Open);
        Assert.Contains("was made anew", Assert.Single(_told).Text, StringComparison.Ordinal);
        reader.Turn();
        Assert.Empty(_board.Current.Common);
        another.Known(Topic).Append("tally/sim/0/arm/p/x"u8.ToArray(), "{\"values\":[7]}"u8.ToArray(), 0, null);
        reader.Turn();
        Assert.Equal([7], _board.Current.Common["arm/p/x"]);
        Assert.Equal((4, 1), (log.Opened, log.Open));
        reader.Dispose();
        Assert.Equal(0, log.Open);
    }

    private void Write(string key, double value) => Append(key, value, null);

    private void Append(string key, double value, SimTransaction? transaction) =>
        _log.Known(Topic).Append(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{{\"values\":[{value}]}}"), 0, transaction);

    private sealed class Calm : SimSchedule;
}
