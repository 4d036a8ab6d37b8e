using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Decisions;

namespace StreamEngine.Cluster.Switches;

/// <summary>A record of a control topic, as one node tells it to the others.</summary>
/// <param name="TopicId">Of which topic it is: offsets of two topics can't be compared.</param>
/// <param name="Record">The record.</param>
internal sealed record SharedSwitch(string TopicId, SwitchRecord Record) : IWireMessage
{
    /// <summary>Its key in the shared map.</summary>
    public string Key => KeyOf(TopicId, Record.Target);

    /// <summary>The key of a target: each topic has its own, so that an old one never overwrites a newer.</summary>
    public static string KeyOf(string topicId, SwitchTarget target) => $"{topicId}/{target}";
}
