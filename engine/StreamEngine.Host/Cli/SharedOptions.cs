using System.CommandLine;

namespace StreamEngine.Host.Cli;

/// <summary>How much is told on standard error.</summary>
internal enum LogLevel
{
    /// <summary>Every step.</summary>
    Debug,

    /// <summary>What an operator wants to know.</summary>
    Info,

    /// <summary>What needs a look.</summary>
    Warning,

    /// <summary>What failed.</summary>
    Error,
}

/// <summary>Options that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string> Config() => new("--config", "-c") { Description = "The config file (YAML or JSON).", Required = true, HelpName = "FILE" };

    public static readonly Option<string[]> Set = new("--set")
    {
        Description = "Overrides one value of the config, by its path; may be given several times. The environment does the same: STREAMENGINE__TIME__LATENESS=2h.",
        HelpName = "PATH=VALUE",
        Recursive = true,
        DefaultValueFactory = _ => [],
    };

    public static readonly Option<LogLevel> Level = new("--log-level")
    {
        Description = "How much is told on standard error: debug, info, warning, error.",
        HelpName = "LEVEL",
        Recursive = true,
        DefaultValueFactory = _ => LogLevel.Info,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Prints the result as one JSON object.", Recursive = true };
}
