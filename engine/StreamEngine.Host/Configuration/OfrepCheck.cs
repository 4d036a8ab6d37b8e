using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>Checks the section <c>ofrep</c> against the rest of the config.</summary>
internal static class OfrepCheck
{
    /// <summary>Adds every mistake.</summary>
    public static void Check(OfrepOptions ofrep, HostOptions options, ConfigErrors errors)
    {
        if (options.Http.Port == 0)
            errors.Add(ofrep.Node.At, "http.port is 0: nothing is listened on", "Give http.port a port, or take the section out");
        if (!options.Requests.Enabled)
            errors.Add(ofrep.Node.At, "flags are evaluated by requests, and requests.enabled is false",
                "Set requests.enabled: true, or take the section out");
        if (ofrep.Placements.Count == 0 && options.Decisions.Experiments.Count == 0)
            errors.Add(ofrep.Node, "placements", "there is neither a placement nor an experiment that could be a flag",
                "Name placements that offers are shown in");
        if (ofrep.Placements.Count > options.Requests.Remember)
            errors.Add(ofrep.Node, "placements", $"they are {ofrep.Placements.Count}, and a profile keeps {options.Requests.Remember} "
                + "decisions of requests: whoever asks for all flags would be told that the first ones are forgotten",
                $"Set requests.remember to {ofrep.Placements.Count} or more");
        foreach (var placement in ofrep.Placements)
            if (placement.Length == 0) errors.Add(ofrep.Node, "placements", "there is one without a name", "Name it, or take it out");
            else if (options.Decisions.Experiments.Any(e => e.Name == placement))
                errors.Add(ofrep.Node, "placements", $"'{placement}' is an experiment too, and a flag has one meaning",
                    "Rename one of the two");
            else if (ofrep.Placements.Count(p => p == placement) > 1)
                errors.Add(ofrep.Node, "placements", $"'{placement}' is there more than once", "Name it once");
    }
}
