using System.Diagnostics;
using System.Text.Json;
using StreamEngine.Activation;
using StreamEngine.Activation.Files;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.ContractTests.Logs;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.ContractTests.Activation;

/// <summary>What connectors promise on every log: partitions move between processes, and each record is delivered once.</summary>
public abstract class ConnectorContract : LogContract
{
    private readonly TempDirectory _folder = new();

    protected override TimeSpan Patience => TimeSpan.FromSeconds(90);

    protected override void Close() => _folder.Dispose();

    [SkippableFact]
    public async Task Each_record_is_in_one_file_while_processes_come_and_go()
    {
        var (topic, letters) = (Topic("actions", 4), Topic("letters"));
        Produce(topic, 0, 200);
        var first = Start(topic, letters, "a");
        await UntilAsync(() => Delivered(first) >= 50, "the first files");
        var second = Start(topic, letters, "b");
        await UntilAsync(() => Delivered(first, second) >= 200, "all of the first part");
        var count = 200;
        await UntilAsync(() =>
        {
            // More and more: the first one delivers everything until the group has given the second one its part.
            if (Delivered(first, second) < count) return false;
            Produce(topic, count, 40);
            count += 40;
            return Delivered(second) > 0;
        }, "files of the second process");
        await first.DisposeAsync();
        Produce(topic, count, 100);
        count += 100;
        await UntilAsync(() => Delivered(first, second) >= count, "all records");
        await second.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, count), Numbers().Order());

        // Who starts again finds nothing left to do.
        await using var third = Start(topic, letters, "a", drain: true);
        await third.Completion.WaitAsync(Patience);
        Assert.Equal(0, Delivered(third));
    }

    private static long Delivered(params ConnectorGroup[] groups) => groups.Sum(g => g.Connectors[0].Counts.Delivered);

    /// <summary>Waits without a load of its own: connectors poll by themselves.</summary>
    private async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(20))
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"waited {Patience.TotalSeconds:0} s in vain for {what}");
    }

    private ConnectorGroup Start(string topic, string letters, string node, bool drain = false)
    {
        var errors = new ConfigErrors();
        var compiled = ActivationCheck.Compile([new ActivationOptions
        {
            Name = "warehouse",
            DeadLetter = letters,
            Files = new FilesOptions { Folder = _folder.Path, MaxRecords = 7, Interval = TimeSpan.FromMilliseconds(50) },
            CommitInterval = TimeSpan.FromMilliseconds(100),
        }], new EngineOptions { Outputs = new OutputOptions { Actions = topic } }, ".", errors);
        errors.ThrowIfAny();
        var group = new ConnectorGroup(compiled, new ConnectorSettings
        {
            Engine = Unique,
            Node = node,
            Command = "activate",
            Log = Log,
            Drain = drain,
        });
        group.Start();
        return group;
    }

    private void Produce(string topic, int from, int count)
    {
        using var writer = Log.OpenWriter();
        for (var i = from; i < from + count; i++)
            writer.Write(topic, Bytes($"c{i % 50}"), Bytes($$"""{"action_id":"a{{i}}","n":{{i}}}"""), 1_000);
        writer.Flush();
    }

    private List<int> Numbers() => [.. Directory.EnumerateFiles(_folder.Path, "*.ndjson").SelectMany(File.ReadAllLines)
        .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("n").GetInt32())];
}

public sealed class KafkaConnectors : ConnectorContract
{
    private protected override ILog OpenLog() => TestKafka.Open();
}

public sealed class EmbeddedConnectors : ConnectorContract
{
    private readonly TempDirectory _directory = new();

    private protected override ILog OpenLog() => new EmbeddedLog(new EmbeddedLogOptions(_directory.Path));

    protected override void Close()
    {
        base.Close();
        _directory.Dispose();
    }
}
