using System.Collections.Concurrent;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing.Simulation;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>What the reader of the control topic makes of every log: the newest word about each thing, from the beginning and on.</summary>
public abstract class ControlContract : LogContract
{
    private static readonly DecisionPolicy Policy = Compile();

    /// <summary>What the reader told.</summary>
    private protected ConcurrentQueue<WorkerEvent> Told { get; } = [];

    private protected SwitchBoard Board { get; } = new(Policy);

    /// <summary>The control topic's name.</summary>
    private protected string Control => $"{Unique}-control";

    [SkippableFact]
    public void What_was_written_before_is_there_once_the_board_is_ready_and_what_comes_follows()
    {
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("offer:a", "offer:b", "offer:a on", "channel:post");
        using var reader = Reader();
        Assert.False(Board.IsReady);
        reader.Turn();
        Assert.True(Board.IsReady);
        Assert.Equal("offer:b channel:post", Off);
        Assert.Equal(["offer:a: on by ann for a reason", "offer:b: off by ann for a reason", "channel:post: off by ann for a reason"],
            Board.Records.Select(r => $"{r.Target}: {(r.Off ? "off" : "on")} by {r.By} for {r.Reason}"));
        var version = Board.Current.Version;
        Write("all", "channel:post on");
        reader.Turn();
        Assert.Equal("all offer:b", Off);
        Assert.True(Board.Current.Version > version);
        Assert.Empty(Told);
    }

    [SkippableFact]
    public void A_tombstone_is_on_and_what_is_no_switch_is_told_and_passed_over()
    {
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("offer:a", "offer:b");
        using (var writer = Log.OpenWriter())
        {
            writer.Write(Control, Bytes("offer:a"), default, 1);
            writer.Write(Control, Bytes("club"), Bytes("{}"), 2);
            writer.Write(Control, Bytes("offer:b"), Bytes("what?"), 3);
            writer.Flush();
        }
        using var reader = Reader();
        reader.Turn();
        Assert.Equal("offer:b", Off);
        Assert.Equal(2, Told.Count(t => t.Warning && t.Text.Contains("is passed over", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void A_topic_that_is_missing_leaves_everything_on_and_is_followed_once_it_is_there()
    {
        using var reader = Reader();
        reader.Turn();
        Assert.True(Board.IsReady);
        reader.Turn();
        Assert.False(Assert.Single(Told).Warning);
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        Write("offer:a");
        reader.Turn();
        Assert.Equal("offer:a", Off);
    }

    [SkippableFact]
    public void A_running_reader_follows_within_a_second()
    {
        Log.CreateTopics([ControlTopic.Spec(Control)]);
        using var reader = Reader();
        reader.Start();
        Until(() => Board.IsReady, "the board to be ready");
        var inTime = 0; // most times: a busy machine may stand still for a while
        for (var i = 0; i < 5; i++)
        {
            var off = i % 2 == 0;
            Write(off ? "offer:a" : "offer:a on");
            var written = TimeProvider.System.GetTimestamp();
            Until(() => Off == (off ? "offer:a" : ""), "the switch");
            inTime += TimeProvider.System.GetElapsedTime(written) < TimeSpan.FromSeconds(1) ? 1 : 0;
        }
        Assert.InRange(inTime, 3, 5);
    }

    private protected string Off => string.Join(' ', Board.Current.Off);

    private protected ControlReader Reader() => new(Log, Control, Board, TimeProvider.System, Told.Enqueue);

    /// <summary>Switches, in this order: a target off, or with <c> on</c> behind it on.</summary>
    private protected void Write(params string[] switches) =>
        new ControlTopic(Log, Control).Write(switches.Select(text =>
        {
            Assert.True(SwitchTarget.TryParse(text.Split(' ')[0], out var target));
            return new SwitchRecord(target, -1, !text.EndsWith(" on", StringComparison.Ordinal), "ann", "a reason", DateTimeOffset.UtcNow);
        }));

    private static DecisionPolicy Compile()
    {
        var errors = new ConfigErrors();
        OfferOptions[] offers = [new() { Name = "a" }, new() { Name = "b" }, new() { Name = "c", Channel = "post" }];
        var policy = DecisionPolicy.Compile(new DecisionOptions(), offers, new RequestOptions(), new FieldCatalog([]), [], [], [],
            new Dictionary<string, StreamEngine.Inference.IModel>(), new StateLayout(), errors);
        errors.ThrowIfAny();
        return policy;
    }
}

public sealed class EmbeddedControl : ControlContract
{
    private readonly TempDirectory _directory = new();

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close() => _directory.Dispose();
}

/// <summary>The command writes by way of the engine's process, which has the embedded log open.</summary>
public sealed class SharedControl : ControlContract
{
    private readonly TempDirectory _directory = new();
    private ILog? _owner;

    private protected override ILog OpenLog()
    {
        _owner = EmbeddedLog.OpenShared(new EmbeddedLogOptions(_directory.Path));
        return EmbeddedLog.OpenShared(new EmbeddedLogOptions(_directory.Path));
    }

    protected override void Close()
    {
        _owner?.Dispose();
        _directory.Dispose();
    }
}

public sealed class SimKafkaControl : ControlContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Kafka, new SimSchedule());
}
