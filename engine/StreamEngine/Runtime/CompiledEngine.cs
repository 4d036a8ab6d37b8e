using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Audiences;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Events.Tables;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.Inference;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// A config, compiled: decoders, state layout, features, timers, models, offers. Immutable after <see cref="Compile"/>, shared by all
/// workers.
/// </summary>
public sealed class CompiledEngine : IDisposable
{
    /// <summary>The sections of the config that decide; the others say where records go and how fast.</summary>
    public static readonly IReadOnlyList<string> Deciding =
        ["events", "tables", "time", "duplicates", "purposes", "features", "timers", "models", "decisions", "offers", "outcomes",
        "audiences"];

    /// <summary>The most bytes of a record that a log takes where its config says nothing else, as Kafka's clients have it.</summary>
    public const int DefaultLargestRecord = 1_000_000;

    private IDisposable? _registry;

    private CompiledEngine(EngineOptions options) => Options = options;

    /// <summary>The options it was compiled from.</summary>
    public EngineOptions Options { get; }

    /// <summary>The event sources and their decoders.</summary>
    public required EventCatalog Events { get; init; }

    /// <summary>The tables that fields of events are looked up in, in config order.</summary>
    public required IReadOnlyList<TableShape> TableShapes { get; init; }

    /// <summary>Those of them that are files, with their rows.</summary>
    public required IReadOnlyList<LookupTable> Tables { get; init; }

    /// <summary>Whether some of them are topics, which are read while the engine runs.</summary>
    public bool HasTopicTables => TableShapes.Any(t => t.IsTopic);

    /// <summary>The profile's layout.</summary>
    public required StateLayout Layout { get; init; }

    /// <summary>The features.</summary>
    public required FeatureSet Features { get; init; }

    /// <summary>The remembered event ids; null where duplicates are not looked for.</summary>
    public required DuplicateFilter? Duplicates { get; init; }

    /// <summary>The most bytes that a profile can grow to.</summary>
    public int LargestProfile => (int)(Duplicates?.LargestProfile ?? Layout.Needed);

    /// <summary>The timers.</summary>
    public required TimerSet Timers { get; init; }

    /// <summary>The loaded models by config name.</summary>
    public required ModelRegistry Models { get; init; }

    /// <summary>Triggers, offers, caps and holdout.</summary>
    public required DecisionPolicy Policy { get; init; }

    /// <summary>Segments of customers, and by what partners know them.</summary>
    public required SegmentSet Segments { get; init; }

    /// <summary>What customers consent to.</summary>
    public required Consents Consents { get; init; }

    /// <summary>The topics that are written.</summary>
    public required OutputTopics Outputs { get; init; }

    /// <summary>Identifies config, models and tables: the first 16 hex digits of a SHA-256; stands in every decision record.</summary>
    public required string ConfigHash { get; init; }

    /// <summary>The schema ids of what is written, where a registry over a network gives them; null where they are fixed.</summary>
    public OutputIds? OutputIds { get; private init; }

    /// <summary>
    /// Identifies the profiles' layout, the purposes whose order gives consent its bits, the sources whose offsets go with them, and of
    /// which purposes each speaks: checkpoints of another version are not loaded.
    /// </summary>
    public string StateVersion =>
        Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        [Layout.Version, string.Join(',', Options.Purposes), .. Events.Sources.Select(s => s.Topic), .. Consents.Rules]))))[..16];

    /// <summary>Compiles the options. Every mistake is added to <paramref name="errors"/>; the result is null when there are any.</summary>
    /// <param name="options">The bound options.</param>
    /// <param name="baseDirectory">Relative paths of the config start here.</param>
    /// <param name="loader">Loads the models.</param>
    /// <param name="errors">Collects the mistakes.</param>
    /// <param name="access">How a registry behind a URL is reached, and what is told of it; without it there must be a folder.</param>
    /// <param name="largestRecord">The most bytes of a record, key and value, that the log takes.</param>
    /// <param name="tables">Reads the files of tables; needed where the config has any.</param>
    /// <exception cref="OperationCanceledException">A wait for the registry was ended.</exception>
    public static CompiledEngine? Compile(EngineOptions options, string baseDirectory, IModelLoader loader, ConfigErrors errors,
        RegistryAccess? access = null, int largestRecord = DefaultLargestRecord, TableReader? tables = null)
    {
        access ??= new RegistryAccess();
        var registry = SchemaRegistry.Open(options.Schemas, baseDirectory, access, TimeProvider.System, errors);
        var read = TableSet.Read(options.Tables, baseDirectory, tables, errors);
        var events = EventCatalog.Compile(options.Events, options.Purposes, registry, baseDirectory, errors, options.Node["purposes"],
            access.Say, read);
        CheckTopics(options, errors);
        StandbyConfig.Check(options, errors);
        var layout = new StateLayout();
        var features = FeatureSet.Compile(options.Features, events.Fields, options.Purposes, options.Time, layout, errors);
        var duplicates = DuplicateFilter.Compile(options.Duplicates, layout);
        var scope = new Scope { Event = events.Fields, Purposes = options.Purposes };
        var timers = TimerSet.Compile(options.Timers, scope, layout, errors,
            options.Audiences.Segments.Count > 0 ? options.Audiences.Recheck : TimeSpan.Zero);
        var models = ModelRegistry.Load(options.Models, baseDirectory, loader, errors);
        var policy = DecisionPolicy.Compile(options.Decisions, options.Offers, options.Requests, events.Fields, features.Names,
            options.Purposes, timers.Names, models.Models, layout, errors, options.Outcomes, options.Time.Lateness, features.Texts,
            [.. options.Audiences.Segments.Select(s => s.Name)]);
        var segments = SegmentSet.Compile(options.Audiences, events.Fields, features.Names, features.Texts, options.Purposes, layout,
            errors);
        var consents = Consents.Compile(events, options, layout, errors);
        Requests.FallbackGateway.Check(options.Requests, options.Offers, errors);
        duplicates = ProfileSize.Check(options, layout, duplicates, largestRecord, errors);
        RecordSize.Check(options, policy, segments, features.Count, largestRecord, errors);
        if (errors.Any)
        {
            models.Dispose();
            (registry as IDisposable)?.Dispose();
            return null;
        }
        var outputs = new OutputTopics(options.Outputs, options.Offers,
            options.Checkpoints.Interval > TimeSpan.Zero ? options.Checkpoints.Topic : "",
            options.Outcomes is null ? "" : options.Outputs.Outcomes,
            options.Audiences.Segments.Count == 0 ? "" : options.Outputs.Audiences, options.Audiences.Identifiers.Count > 0,
            SharingOptions.AreUsed(options) ? options.Shared.Topic : "");
        return new CompiledEngine(options)
        {
            OutputIds = registry is CachedSchemaRegistry { Source: var source } ? new OutputIds(source,
                outputs.Subjects(options.Outputs.Format, features.Names), options.Outputs.Register, options.Schemas, access,
                TimeProvider.System) : null,
            _registry = registry as IDisposable,
            Events = events,
            TableShapes = read.Shapes,
            Tables = read.Tables,
            Layout = layout,
            Features = features,
            Duplicates = duplicates,
            Timers = timers,
            Models = models,
            Policy = policy,
            Segments = segments,
            Consents = consents,
            Outputs = outputs,
            ConfigHash = Hash(options, models.Models, read.Tables),
        };
    }

    /// <summary>Makes a new, zero-filled profile one of which nothing is known.</summary>
    public void InitializeProfile(Span<byte> profile)
    {
        StateLayout.NewestTime(profile) = long.MinValue;
        Consents.Initialize(profile);
        Features.Initialize(profile);
        Timers.Initialize(profile);
        Segments.Initialize(profile);
        Policy.Contacts.Initialize(profile);
        Policy.Outcomes?.Open.Initialize(profile);
        Policy.Deferred?.Initialize(profile);
        foreach (var experiment in Policy.Experiments) experiment.Sticky?.Initialize(profile);
    }

    /// <summary>Unloads the models, and lets go of the schema registry.</summary>
    public void Dispose()
    {
        Models.Dispose();
        OutputIds?.Dispose();
        _registry?.Dispose();
    }

    private static void CheckTopics(EngineOptions options, ConfigErrors errors)
    {
        TopicNames.Check(options, errors);
        var checkpoints = options.Checkpoints.Topic;
        if (checkpoints.Length > 0 && options.Checkpoints.Interval > TimeSpan.Zero && options.Runtime.Delivery == Delivery.AtLeastOnce)
            errors.Add(options.Checkpoints.Node, "topic", "a topic for checkpoints needs runtime.delivery: exactly_once",
                "Leave it empty (files in state.directory are kept all the same), or deliver exactly once: only a transaction keeps a "
                + "stalled process from writing older profiles over newer ones.");
        if (options.Requests.Enabled && options.Runtime.Delivery == Delivery.AtLeastOnce)
            errors.Add(options.Requests.Node, "enabled", "requests need runtime.delivery: exactly_once",
                "Deliver exactly once, or turn requests off: without transactions nothing tells whether a decision behind the last record "
                + "was committed, so a repeated request could get another one");
    }

    /// <summary>
    /// Hash of what decides: those sections as written (comments and layout aside), and the digests of models and tables. Where records go
    /// and how fast is left out.
    /// </summary>
    private static string Hash(EngineOptions options, IReadOnlyDictionary<string, IModel> models, IReadOnlyList<LookupTable> tables)
    {
        var text = new StringBuilder();
        foreach (var section in Deciding)
            if (options.Node[section] is { } node)
            {
                text.Append(section).Append(':');
                Canonical(node, text);
            }
        foreach (var (name, model) in models.OrderBy(m => m.Key, StringComparer.Ordinal))
            text.Append(name).Append('=').Append(model.Manifest.Sha256).Append(model.Manifest.Choices).Append('\n');
        foreach (var table in tables) text.Append("table ").Append(table.Shape.Name).Append('=').Append(table.Sha256).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }

    private static void Canonical(ConfigNode node, StringBuilder text)
    {
        if (node.Entries is not null)
        {
            text.Append('{');
            foreach (var (key, value) in node.Entries)
            {
                text.Append(JsonEncodedText.Encode(key)).Append(':');
                Canonical(value, text);
                text.Append(',');
            }
            text.Append('}');
        }
        else if (node.Items is not null)
        {
            text.Append('[');
            foreach (var item in node.Items)
            {
                Canonical(item, text);
                text.Append(',');
            }
            text.Append(']');
        }
        else text.Append('"').Append(JsonEncodedText.Encode(node.Scalar ?? "")).Append('"');
    }
}
