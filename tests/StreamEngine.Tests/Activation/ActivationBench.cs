using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamEngine.Activation;
using StreamEngine.Activation.Webhook;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Connectors on an embedded log of their own, under a clock that the test moves.</summary>
internal sealed class ActivationBench : IAsyncDisposable
{
    public const string Topic = "actions", DeadLetter = "activation-dead-letter";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("activation-");
    private readonly List<ConnectorGroup> _running = [];

    public ActivationBench(int partitions = 2)
    {
        Log = new EmbeddedLog(new EmbeddedLogOptions(Path.Combine(_folder.FullName, "log")));
        Log.CreateTopics([new(Topic, partitions), new(DeadLetter, 1), new("decisions", partitions), new("outcomes", partitions),
            new("audiences", partitions)]);
    }

    public EmbeddedLog Log { get; }

    /// <summary>The engine's config, which says what topics hold.</summary>
    public EngineOptions Engine { get; init; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public List<string> Lines { get; } = [];

    /// <summary>A folder for a connector's files.</summary>
    public string Folder => Directory.CreateDirectory(Path.Combine(_folder.FullName, "out")).FullName;

    /// <summary>A connector to a partner on the loopback, with short pauses.</summary>
    public static ActivationOptions Webhook(Partner partner, Func<WebhookOptions, WebhookOptions>? change = null)
    {
        var webhook = new WebhookOptions { Url = partner.Url, AllowPrivate = true };
        return new ActivationOptions { Name = "crm", Webhook = change is null ? webhook : change(webhook) };
    }

    /// <summary>An action as the engine writes it with <c>outputs.format: json</c>.</summary>
    public static string Action(string customer, int number, string offer = "club", string channel = "email") =>
        $$"""
        {"action_id":"shop/events/0/{{number}}/0","event_id":"e{{number}}","customer_id":"{{customer}}",
        "event_time":"2026-03-01T11:00:00.000Z",
        "channel":"{{channel}}","placement":"home","offer":"{{offer}}","treatment":"t","priority":0.5,"probability":0.25,"trigger":"view",
        "config_hash":"c0ffee"}
        """.ReplaceLineEndings("");

    public void Write(string key, string value, string topic = Topic) => Write(key, Encoding.UTF8.GetBytes(value), topic);

    public void Write(string key, byte[] value, string topic = Topic)
    {
        using var writer = Log.OpenWriter();
        writer.Write(topic, Encoding.UTF8.GetBytes(key), value, 1_000);
        writer.Flush();
    }

    /// <summary>Writes actions of customers in turn.</summary>
    public void WriteActions(int count, int customers = 5, int from = 0)
    {
        using var writer = Log.OpenWriter();
        for (var i = from; i < from + count; i++)
        {
            var customer = $"c{i % customers}";
            writer.Write(Topic, Encoding.UTF8.GetBytes(customer), Encoding.UTF8.GetBytes(Action(customer, i)), 1_000);
        }
        writer.Flush();
    }

    /// <summary>What connectors of this bench get.</summary>
    public ConnectorSettings Settings => new()
    {
        Engine = "shop",
        Node = "a",
        Command = "activate",
        Log = Log,
        Time = Time,
        Report = e =>
        {
            lock (Lines) Lines.Add(e.Text);
        },
    };

    public IReadOnlyList<CompiledActivation> Compile(ActivationOptions options)
    {
        var errors = new ConfigErrors();
        var compiled = ActivationCheck.Compile([options], Engine, _folder.FullName, errors);
        errors.ThrowIfAny();
        return compiled;
    }

    public ConnectorGroup Start(ActivationOptions options, bool drain = false, bool replay = false, string command = "activate")
    {
        var group = new ConnectorGroup(Compile(options), Settings with
        {
            Drain = drain,
            Replay = replay,
            Command = command,
        });
        _running.Add(group);
        group.Start();
        return group;
    }

    public async Task StopAsync(ConnectorGroup group)
    {
        _running.Remove(group);
        await group.DisposeAsync();
    }

    /// <summary>Starts a connector that ends at the log's end, moves the clock until it has ended, and gives it back.</summary>
    public async Task<Connector> DrainAsync(ActivationOptions options, bool replay = false)
    {
        var group = Start(options, drain: true, replay);
        await UntilAsync(() => group.Completion.IsCompleted, "the end of the drain", group, TimeSpan.FromMilliseconds(200));
        await group.Completion;
        await StopAsync(group);
        return group.Connectors[0];
    }

    /// <summary>Waits for a condition; moves the clock by a step at each look where one is given.</summary>
    public async Task UntilAsync(Func<bool> condition, string what, ConnectorGroup? group = null, TimeSpan step = default,
        Func<bool>? mayMove = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"waited {Patience.TotalSeconds} s in vain for {what}");
            if (group?.Completion.IsFaulted == true) await group.Completion;
            if (step > TimeSpan.Zero && (mayMove is null || mayMove())) Time.Advance(step);
            await Task.Delay(5);
        }
    }

    public long Committed(string name = "crm") => Enumerable.Range(0, Log.Partitions(Topic))
        .Sum(p => Log.Committed($"shop-activation-{name}", new TopicPartition(Topic, p)) ?? 0);

    /// <summary>Sets the group back to the beginning, as a crash does that comes before the group's commit.</summary>
    public void ForgetOffsets(string name)
    {
        using var worker = Log.OpenWorker(new WorkerOptions
        {
            Group = $"shop-activation-{name}",
            InstanceId = "back",
            Sources = [Topic],
            Outputs = [],
            Transactional = false,
        });
        worker.Poll(new RecordBatch(), 1, TimeSpan.Zero, new Nobody());
        worker.Begin();
        Assert.Equal(CommitOutcome.Committed,
            worker.Commit([.. Enumerable.Range(0, Log.Partitions(Topic)).Select(p => new OffsetToCommit(0, p, 0))]));
    }

    public List<string> DeadLetters()
    {
        var partition = new TopicPartition(DeadLetter, 0);
        var end = Log.Watermarks(partition).High;
        using var reader = Log.OpenReader();
        reader.Assign(partition, 0);
        var (batch, values) = (new RecordBatch(), new List<string>());
        while (reader.Position < end)
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++) values.Add(Encoding.UTF8.GetString(batch.Value(i)));
        }
        return values;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var group in _running.ToList()) await group.DisposeAsync();
        Log.Dispose();
        _folder.Delete(recursive: true);
    }

    private sealed class Nobody : IOwnership
    {
        public void Assigned(IReadOnlyList<TopicPartition> partitions)
        {
        }

        public void Revoked(IReadOnlyList<TopicPartition> partitions)
        {
        }

        public void Lost(IReadOnlyList<TopicPartition> partitions)
        {
        }
    }
}
