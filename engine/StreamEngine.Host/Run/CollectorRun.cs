using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Collector;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Run;

/// <summary>The collector of a running engine.</summary>
internal static class CollectorRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The collector that the config describes; null where it describes none, or the command only drains what is there.</summary>
    /// <exception cref="ConfigException">The secret can't be read.</exception>
    public static EventCollector? Of(Invocation call, LoadedConfig config, CompiledEngine engine, ILog log, bool drain)
    {
        if (config.Options.Collector is not { } options || drain) return null;
        var errors = new ConfigErrors();
        var secret = options.HashKeyFile is { } file
            ? SecretFile.Read(file, config.BaseDirectory, options.Node, "hash_key_file", errors) : "";
        errors.ThrowIfAny();
        var largest = call.Get(LogOptions.Embedded) is null ? KafkaSettings.LargestRecord(config.Options.Kafka.Settings) : int.MaxValue;
        return new EventCollector(options, engine, log.OpenWriter, Encoding.UTF8.GetBytes(secret!), largest,
            line => call.Say(LogLevel.Warning, line));
    }

    /// <summary>Writes what was taken, before the log is closed.</summary>
    public static void Close(EventCollector? collector, Invocation call)
    {
        if (collector?.Close(Patience) == false)
            call.Say(LogLevel.Warning, "the log did not take all collected events: their senders were not told that they are there");
    }
}
