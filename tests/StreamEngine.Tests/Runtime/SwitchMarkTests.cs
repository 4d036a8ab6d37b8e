using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;
using StreamEngine.Testing;
using StreamEngine.Tests.Simulation;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>
/// Running engines follow the control topic, and log what that changes before the first decision that it changes; an engine that goes on
/// behind another knows what was logged, from the log or from a checkpoint.
/// </summary>
public sealed class SwitchMarkTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("switch-").FullName;
    private readonly ConcurrentQueue<WorkerEvent> _told = [];
    private long _time = Scenario.Start;
    private int _sent;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Decisions_behind_a_mark_follow_it_and_those_before_it_do_not()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: true);
        using (var engine = Start(log, compiled))
        {
            await DecideAsync(log, "c1"); // the first decision, made with everything on
            foreach (var (target, off, made) in new[] { ("offer:b", true, 2), ("all", true, 3), ("all", false, 4), ("offer:b", false, 5) })
            {
                await SwitchAsync(log, engine, target, off);
                await DecideAsync(log, $"c{made}");
            }
            await StopAsync(engine);
        }
        Assert.Equal(["decision served b", "offer:b", "decision served a", "all offer:b", "decision switched_off ", "offer:b",
            "decision served a", "", "decision served b"], Logged(log).Select(Text));
        Assert.DoesNotContain(_told, t => t.Warning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_engine_that_goes_on_behind_another_logs_only_what_is_news(bool checkpoints)
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: true);
        using (var engine = Start(log, compiled, checkpoints))
        {
            await SwitchAsync(log, engine, "offer:b", off: true);
            await DecideAsync(log, "c1");
            if (checkpoints) await Until(() => engine.Metrics.Totals().Checkpoints > 0, "a checkpoint");
            await StopAsync(engine);
        }
        using (var engine = Start(log, compiled, checkpoints))
        {
            await DecideAsync(log, "c2");
            Assert.Equal(checkpoints, engine.Metrics.Totals().Loaded > 0);
            await StopAsync(engine);
        }
        // Switched while no engine runs: the next one reads it before its shards go live.
        Write(log, "offer:b", off: false);
        using (var engine = Start(log, compiled, checkpoints))
        {
            await DecideAsync(log, "c3");
            await StopAsync(engine);
        }
        Assert.Equal(["offer:b", "decision served a", "decision served a", "", "decision served b"], Logged(log).Select(Text));
    }

    [Fact]
    public async Task A_model_that_is_off_is_counted_as_a_fallback_of_its_own_and_dropped_offers_by_reason()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: true);
        using var engine = Start(log, compiled);
        await SwitchAsync(log, engine, "model:shop", off: true);
        await SwitchAsync(log, engine, "channel:default", off: true);
        await DecideAsync(log, "c1");
        await SwitchAsync(log, engine, "channel:default", off: false);
        await DecideAsync(log, "c2");
        await StopAsync(engine);
        var totals = engine.Metrics.Totals();
        Assert.Equal(4, totals.Drops[(int)DropReason.SwitchedOff]);
        var fallbacks = EngineMetrics.Fallbacks(compiled, totals).Where(f => f.Count > 0);
        Assert.Equal(("shop", "switched_off", 2), Assert.Single(fallbacks)); // a and b; c and d stay at a gate
    }

    [Fact]
    public async Task Metrics_tell_what_is_off_of_which_version_and_how_long_it_took()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: true);
        using var engine = Start(log, compiled);
        var seen = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (engine.Metrics.Owns(instrument) && instrument.Name.StartsWith("streamengine.switch", StringComparison.Ordinal))
                    all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => seen[$"{i.Name} {tags[0].Value}"] = value);
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) =>
            seen[tags.Length == 0 ? i.Name : $"{i.Name} {tags[0].Value}"] = value);
        listener.SetMeasurementEventCallback<double>((i, value, _, _) => seen[i.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(-1, seen["streamengine.switches.version"]);
        Assert.Equal((0, 0), (seen["streamengine.switches.heard topic"], seen["streamengine.switches.heard cluster"]));
        await DecideAsync(log, "c1");
        await SwitchAsync(log, engine, "offer:a", off: true);
        await SwitchAsync(log, engine, "channel:default", off: true);
        Write(log, "offer:gone", off: true); // not in the config
        await Until(() => engine.Switches!.Current.Version == 2, "the third record");
        listener.RecordObservableInstruments();
        Assert.Equal(2, seen["streamengine.switches.version"]);
        Assert.Equal([0, 1, 1, 0], new[] { "all", "offer", "channel", "model" }.Select(kind => seen[$"streamengine.switches.off {kind}"]));
        Assert.Equal((3, 0), (seen["streamengine.switches.heard topic"], seen["streamengine.switches.heard cluster"]));
        Assert.InRange(seen["streamengine.switch.delay"], 0.0001, 60); // a bound on the clock of a busy machine
        await StopAsync(engine);
    }

    [Fact]
    public async Task Without_the_topic_everything_is_on_and_it_is_followed_once_it_is_there()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: false);
        using var engine = Start(log, compiled);
        await DecideAsync(log, "c1");
        Assert.Contains(_told, t => !t.Warning
            && t.Text.StartsWith("The control topic 'control' does not exist", StringComparison.Ordinal));
        log.CreateTopics([ControlTopic.Spec("control")]);
        await SwitchAsync(log, engine, "all", off: true);
        await DecideAsync(log, "c2");
        await StopAsync(engine);
        Assert.Equal(["decision served b", "all", "decision switched_off "], Logged(log).Select(Text));
    }

    [Fact]
    public async Task Without_a_topic_in_the_config_everything_is_on_again()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: true);
        using (var engine = Start(log, compiled))
        {
            await SwitchAsync(log, engine, "offer:b", off: true);
            await DecideAsync(log, "c1");
            await StopAsync(engine);
        }
        using var other = Compile(control: "");
        using (var engine = Start(log, other))
        {
            Assert.Null(engine.Switches);
            await DecideAsync(log, "c2");
            await StopAsync(engine);
        }
        Assert.Equal(["offer:b", "decision served a", "", "decision served b"], Logged(log).Select(Text));
    }

    [Fact]
    public void A_control_topic_with_several_partitions_is_refused_at_the_start()
    {
        using var compiled = Compile();
        using var log = Open(compiled, control: false);
        log.CreateTopics([new TopicSpec("control", 3)]);
        var refused = Assert.Throws<LogException>(() => Start(log, compiled));
        Assert.Contains("control topic 'control' has 3 partitions and needs one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_marker_keeps_what_is_off_and_without_it_has_the_bytes_that_it_always_had()
    {
        var writer = new CutBlock.Writer("v");
        var on = new CutMarker(7, new CutPosition([5], 0, 2), 1, [1], 3, 4, 5, "0123456789abcdef");
        writer.Mark(on);
        var plain = writer.Bytes.ToArray();
        writer.Mark(on with { SwitchedOff = new byte[] { 0 } }); // an empty array
        Assert.Equal(plain, writer.Bytes.ToArray());
        Assert.True(Parse(plain).SwitchedOff.IsEmpty);
        byte[] off = [2, 6, (byte)'a', (byte)'l', (byte)'l', 0];
        writer.Mark(on with { SwitchedOff = off });
        var read = Parse(writer.Bytes.ToArray());
        Assert.Equal(("0123456789abcdef", 7L), (read.Version, read.Number));
        Assert.Equal(off, read.SwitchedOff.ToArray());

        static CutMarker Parse(byte[] bytes)
        {
            Assert.True(CutBlock.TryParse(bytes, out var block));
            return block.Marker();
        }
    }

    private CompiledEngine Compile(string control = "control")
    {
        var options = Scenario.Options();
        return Scenario.Compile(options with
        {
            Decisions = options.Decisions with { Holdout = null },
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromMilliseconds(1) },
            State = new StateOptions { Directory = _folder },
            Control = new ControlOptions { Topic = control },
        }, new LinearModels(1));
    }

    private EmbeddedLog Open(CompiledEngine compiled, bool control)
    {
        var log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder, "log")));
        log.CreateTopics([.. Topics.Needed(compiled.Options, 1).Where(t => control || t.Name != "control")]);
        return log;
    }

    private Engine Start(ILog log, CompiledEngine compiled, bool checkpoints = false)
    {
        var engine = new Engine(new WorkerSettings
        {
            Engine = compiled,
            Log = log,
            InstanceId = "w",
            OpenStore = _ => new MemoryStateStore(),
            OpenCheckpoints = !checkpoints ? null
                : (partition, report) => new CheckpointFiles(Path.Combine(_folder, $"{partition}"), report),
            Report = _told.Enqueue,
        });
        engine.Start();
        return engine;
    }

    private static async Task StopAsync(Engine engine)
    {
        engine.Stop();
        await engine.Completion.WaitAsync(Long);
    }

    /// <summary>A customer of whom nothing is known looks at a page; ends once that is decided.</summary>
    private async Task DecideAsync(ILog log, string customer)
    {
        var before = Logged(log).Count(d => d.Kind == "decision");
        using (var writer = log.OpenWriter())
        {
            var view = $$"""{"id":"e{{_sent++}}","customer":"{{customer}}","type":"page_view","time":{{_time += 1_000}},"value":0,"placement":"home","consent":["personalization"]}""";
            writer.Write("shop", Encoding.UTF8.GetBytes(customer), Encoding.UTF8.GetBytes(view), _time);
            writer.Flush();
        }
        await Until(() => Logged(log).Count(d => d.Kind == "decision") > before, $"a decision about {customer}");
    }

    /// <summary>Switches, as the command does; ends once the engine decides by it.</summary>
    private static async Task SwitchAsync(ILog log, Engine engine, string what, bool off)
    {
        Write(log, what, off);
        await Until(() => engine.Switches!.Current.Off.Any(t => t.ToString() == what) == off, $"{what} {off}");
        await Task.Delay(250); // two turns of an idle loop
    }

    private static void Write(ILog log, string what, bool off)
    {
        Assert.True(SwitchTarget.TryParse(what, out var target));
        new ControlTopic(log, "control").Write([new SwitchRecord(target, -1, off, "test", "a test", DateTimeOffset.UtcNow)]);
    }

    private static string Text(SimDecision entry) =>
        entry.Switches is { } mark ? string.Join(' ', mark.Off) : $"{entry.Kind} {entry.Outcome} {entry.Offer}";

    private static List<SimDecision> Logged(ILog log)
    {
        var (low, high) = log.Watermarks(new TopicPartition("decisions", 0));
        using var reader = log.OpenReader();
        reader.Assign(new TopicPartition("decisions", 0), low);
        var (all, batch) = (new List<SimDecision>(), new RecordBatch());
        while (reader.Position < high)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++) all.Add(new SimDecision(batch.Value(i).ToArray()));
        }
        return all;
    }

    private static async Task Until(Func<bool> holds, string what)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !holds(); await Task.Delay(20))
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Long, $"Waited in vain for {what}");
    }
}
