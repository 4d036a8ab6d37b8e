using StreamEngine.Configuration;

namespace StreamEngine.Runtime;

/// <summary>What <c>checkpoints.standbys</c> needs beside it.</summary>
internal static class StandbyConfig
{
    /// <summary>Adds a mistake for each thing that a config with standbys lacks.</summary>
    public static void Check(EngineOptions options, ConfigErrors errors)
    {
        var checkpoints = options.Checkpoints;
        if (checkpoints.Standbys == 0) return;
        if (checkpoints.Topic.Length == 0)
            errors.Add(checkpoints.Node, "standbys", $"standbys are asked for without a topic that they could follow",
                "Name one in checkpoints.topic, or set standbys to 0.");
        if (checkpoints.Interval <= TimeSpan.Zero)
            errors.Add(checkpoints.Node, "standbys", $"standbys are asked for, and interval: 0s writes no checkpoints",
                "Set checkpoints.interval, or set standbys to 0.");
        if (options.State.Directory is null)
            errors.Add(checkpoints.Node, "standbys", $"standbys are asked for without a folder for their files",
                "Name one in state.directory, or set standbys to 0.");
    }
}
