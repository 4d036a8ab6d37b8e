using StreamEngine.Activation;
using StreamEngine.Cluster;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Connectors.SchemaRegistry;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Events.Tables;
using StreamEngine.Inference.Onnx;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Configuration;

/// <summary>Why commands of one kind can't read a source.</summary>
internal sealed record Unfit(ConfigNode Node, string Key, string Message, string Remedy);

/// <summary>What is checked of a config, the same for every command: what one refuses, <c>validate</c> finds.</summary>
internal static class ConfigCheck
{
    /// <summary>Compiles a config; null where there are mistakes.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="errors">Takes every mistake.</param>
    /// <param name="say">Told what is allowed and worth a line in the log, also while the engine runs; any thread may call it.</param>
    /// <param name="wait">Until when a registry that is away may be waited for, where the config says so; null where it is not.</param>
    public static CompiledEngine? Compile(LoadedConfig config, ConfigErrors errors, Action<string>? say = null,
        CancellationToken? wait = null)
    {
        HttpCheck.Check(config.Options.Http, config.BaseDirectory, errors);
        if (config.Options.Collector is { } collector) CollectorCheck.Check(collector, config.Options, errors);
        if (config.Options.Live is { } live) LiveCheck.Check(live, config.Options, errors);
        if (config.Options.Ofrep is { } ofrep) OfrepCheck.Check(ofrep, config.Options, errors);
        CheckKafka(config.Options.Kafka, errors);
        if (config.Options.Cluster is { } cluster) ClusterCheck.Check(cluster, config.Options, config.BaseDirectory, errors);
        ActivationCheck.Compile(config.Options.Activations, config.Options, config.BaseDirectory, errors);
        if (config.Options.Runtime.CommitInterval >= config.Options.Kafka.TransactionTimeout)
            errors.Add(config.Options.Kafka.Node, "transaction_timeout", "it is not longer than runtime.commit_interval: the broker would "
                + "end every transaction before it is committed", "Commit more often, or raise it.");
        var access = new RegistryAccess
        {
            Connect = ConfluentSchemas.Connect,
            MayWait = wait is not null,
            Stop = wait ?? default,
            Say = say ?? (_ => { }),
        };
        return CompiledEngine.Compile(config.Options, config.BaseDirectory, new OnnxModelLoader(say), errors, access,
            KafkaSettings.LargestRecord(config.Options.Kafka.Settings), TableFile.Read);
    }

    /// <summary>Compiles a config for topics: their records have no header that could name the columns.</summary>
    /// <param name="config">The config as read.</param>
    /// <param name="errors">Takes every mistake.</param>
    /// <param name="say">Told what is allowed and worth a line in the log, also while the engine runs; any thread may call it.</param>
    /// <param name="wait">Until when a registry that is away may be waited for, where the config says so; null where it is not.</param>
    public static CompiledEngine? CompileForTopics(LoadedConfig config, ConfigErrors errors, Action<string>? say = null,
        CancellationToken? wait = null)
    {
        foreach (var source in config.Options.Events)
            foreach (var unfit in UnfitForTopics(source)) errors.Add(unfit.Node, unfit.Key, unfit.Message, unfit.Remedy);
        return Compile(config, errors, say, wait);
    }

    /// <summary>Why a source that is right in itself can't be read from a topic.</summary>
    public static IEnumerable<Unfit> UnfitForTopics(EventSourceOptions source)
    {
        if (source.Format == RecordFormat.Csv && source.Columns.Count == 0)
            yield return new(source.Node, "columns", "a topic's CSV records have no header", "Name the columns, in order");
        if (source.Encoding != TextEncoding.Utf8)
            yield return new(source.Node, "encoding", "a topic's records are read as UTF-8; 'encoding' is of files",
                "Let the producer write UTF-8, and take it out");
    }

    /// <summary>Why a source that is right in itself can't be read from files.</summary>
    public static IEnumerable<Unfit> UnfitForFiles(EventSourceOptions source)
    {
        if (source.Customer.All.Contains(RecordPart.Key))
            yield return new(source.Node, "customer", "a file's records have no key", "Name the field that holds the customer id");
        if (source.Time.Field.All.Contains(RecordPart.Timestamp))
            yield return new(source.Node, "time", "a file's records have no time of their own", "Name the field that holds the event time");
    }

    /// <summary>
    /// Compiles the sources alone, for commands that need no more of the engine. Tables are not read: fields that are looked up are absent.
    /// </summary>
    /// <param name="sources">The sources, with what their files say.</param>
    /// <param name="config">The config as read.</param>
    /// <param name="registry">Where the config's schemas are (<see cref="OpenRegistry"/>).</param>
    /// <param name="errors">Takes every mistake.</param>
    /// <param name="say">Told what is worth a line in the log.</param>
    public static EventCatalog CompileEvents(IReadOnlyList<EventSourceOptions> sources, LoadedConfig config, ISchemaRegistry registry,
        ConfigErrors errors, Action<string> say) => EventCatalog.Compile(sources, config.Options.Purposes, registry, config.BaseDirectory,
            errors, config.Options.Node["purposes"], say, TableSet.Declare(config.Options.Tables, errors));

    /// <summary>The registry that the config names; to be disposed where it is a connection.</summary>
    public static ISchemaRegistry OpenRegistry(LoadedConfig config, ConfigErrors errors, Action<string> say) =>
        SchemaRegistry.Open(config.Options.Schemas, config.BaseDirectory,
            new RegistryAccess { Connect = ConfluentSchemas.Connect, Say = say }, TimeProvider.System, errors);

    /// <summary>Checks the settings of Kafka's client.</summary>
    public static void CheckKafka(KafkaOptions options, ConfigErrors errors)
    {
        if (options.NodeName is { } name && (string.IsNullOrWhiteSpace(name) || name.Any(char.IsControl)))
            errors.Add(options.Node, "node_name", $"'{Printable.Text(name)}' is no name", "Write a name, or leave it out for the host's");
        if (options.Settings.Count == 0) return;
        var node = options.Node["settings"] ?? options.Node;
        foreach (var (key, reason) in KafkaSettings.Validate(options.Settings, options.TransactionTimeout))
        {
            // Without a value of its own it is likely the rest of one: "{ sasl.password: a,b }" has an entry b.
            if (node[key] is { Scalar: null })
                errors.Add(node[key]!.At with { Path = "kafka.settings" }, "there is a setting without a value",
                    "In braces a comma begins the next setting: put a value that holds one in quotes");
            else
                errors.Add(node, key, KafkaSettings.IsHarmless(key) ? $"'{key}: {options.Settings[key]}' can't be used: {reason}"
                    : $"'{key}' can't be used: {reason}", "Take it out, or give it another value");
        }
    }
}
