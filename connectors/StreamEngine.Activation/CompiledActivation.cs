using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;

namespace StreamEngine.Activation;

/// <summary>A connector whose config is checked, ready to be started.</summary>
public sealed class CompiledActivation
{
    internal CompiledActivation(ActivationOptions options, string topic, RecordKind kind, RecordFilter? filter,
        Func<SinkSetup, ISink> open) => (Options, Topic, Kind, Filter, Open) = (options, topic, kind, filter, open);

    /// <summary>The config.</summary>
    public ActivationOptions Options { get; }

    /// <summary>The name.</summary>
    public string Name => Options.Name;

    /// <summary>The topic that it reads.</summary>
    public string Topic { get; }

    internal RecordKind Kind { get; }

    internal RecordFilter? Filter { get; }

    /// <summary>Opens the target.</summary>
    internal Func<SinkSetup, ISink> Open { get; }
}

/// <summary>What a target is opened with.</summary>
/// <param name="Group">The consumer group: the name under which a target stores positions.</param>
/// <param name="DeadLetters">Where refused records go.</param>
/// <param name="Time">The clock.</param>
internal sealed record SinkSetup(string Group, DeadLetters DeadLetters, TimeProvider Time);
