using System.Text.Json;
using Avro;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Logs;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>Reads the records of decisions and outcomes: from a log's topics, or a replay's files.</summary>
internal static class LoggedRecords
{
    /// <summary>Reads all decisions, then all outcomes.</summary>
    /// <param name="call">The command, which says what log there is.</param>
    /// <param name="options">The config.</param>
    /// <param name="folder">The results of a replay in place of a log.</param>
    /// <param name="decision">Takes each decision.</param>
    /// <param name="outcome">Takes each outcome.</param>
    /// <exception cref="LogException">What is read is missing, or can't be read.</exception>
    public static void Read(Invocation call, HostOptions options, string? folder, Action<LoggedRecord> decision,
        Action<LoggedRecord> outcome)
    {
        if (folder is not null) ReadFolder(folder, decision, outcome, call.Stop);
        else ReadLog(call, options, decision, outcome);
    }

    /// <summary>Reads the results of <c>replay</c>.</summary>
    /// <exception cref="LogException">A file is missing, or a line is no JSON.</exception>
    private static void ReadFolder(string folder, Action<LoggedRecord> decision, Action<LoggedRecord> outcome, CancellationToken stop)
    {
        foreach (var (name, take) in new (string, Action<LoggedRecord>)[] { ("decisions", decision), ("outcomes", outcome) })
        {
            var path = Path.Combine(folder, $"{name}.ndjson");
            if (!File.Exists(path))
                throw new LogException($"{path} is not there. Make it: `streamengine replay --config FILE --events FILES --out {folder}`.");
            var number = 0;
            foreach (var line in File.ReadLines(path))
            {
                stop.ThrowIfCancellationRequested();
                number++;
                try
                {
                    using var json = JsonDocument.Parse(line);
                    take(new LoggedRecord(json.RootElement));
                }
                catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    throw new LogException($"{path}:{number}: not a record that replay writes: {e.Message}");
                }
            }
        }
    }

    /// <summary>Reads a log's topics from their beginning to their ends of now.</summary>
    /// <exception cref="LogException">A topic is missing, or the log can't be read.</exception>
    private static void ReadLog(Invocation call, HostOptions options, Action<LoggedRecord> decision, Action<LoggedRecord> outcome)
    {
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        Read(call, log, options.Outputs.Decisions, "decision", decision);
        Read(call, log, options.Outputs.Outcomes, "outcome", outcome);
    }

    private static void Read(Invocation call, ILog log, string topic, string schema, Action<LoggedRecord> take)
    {
        using var avro = new AvroJson(schema, Stream.Null);
        WholeTopic.Read(call, log, topic, record =>
        {
            try
            {
                if (record.Value is [(byte)'{', ..])
                {
                    using var json = JsonDocument.Parse(record.Value);
                    take(new LoggedRecord(json.RootElement));
                }
                else take(new LoggedRecord(avro.Read(record.Value)));
                return true;
            }
            catch (Exception e) when (e is AvroException or JsonException or IOException or ArgumentException or IndexOutOfRangeException
                or KeyNotFoundException)
            {
                return false;
            }
        });
    }
}
