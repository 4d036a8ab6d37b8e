using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>Checks the section <c>live</c> against the rest of the config.</summary>
internal static class LiveCheck
{
    /// <summary>Adds every mistake.</summary>
    public static void Check(LiveOptions live, HostOptions options, ConfigErrors errors)
    {
        if (options.Http.Port == 0)
            errors.Add(live.Node.At, "http.port is 0: nothing is listened on", "Give http.port a port, or take the section out");
        if (!options.Requests.Enabled)
            errors.Add(live.Node.At, "live streams are told by the shards' inboxes, and requests.enabled is false",
                "Set requests.enabled: true, or take the section out");
        else if (options.Requests.Recent == 0)
            errors.Add(live.Node.At, "who listens again could not be told what it missed, as requests.recent is 0",
                "Set requests.recent to 1 or more, or take the section out");
        if (options.Cluster is not null && live.TokenKeyFile is null)
            errors.Add(live.Node, "token_key_file", "a token of one node would be unknown to the others",
                "Name a file with a random text, the same on all nodes");
        Origins.Check(live.Origins, live.Node, errors);
    }
}
