using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

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
    public static Option<string> Config() =>
        new("--config", "-c") { Description = "The config file (YAML or JSON).", Required = true, HelpName = "FILE" };

    public static readonly Option<string[]> Set = new("--set")
    {
        Description = "Overrides one value of the config, by its path; may be given several times. A relative file or folder starts at the "
            + "config's folder. The environment does the same: STREAMENGINE__TIME__LATENESS=2h.",
        HelpName = "PATH=VALUE",
        Recursive = true,
        DefaultValueFactory = _ => [],
        Validators = { r => CheckSets(r) },
    };

    /// <summary>An option that takes a whole number.</summary>
    public static Option<int> Number(string name, string description, int value, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => value,
        CustomParser = r =>
        {
            if (int.TryParse(r.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= min
                && n <= max) return n;
            r.AddError($"{name} takes a number from {min} to {max}, not '{r.Tokens[0].Value}'.");
            return value;
        },
    };

    /// <summary>An option that takes a time.</summary>
    public static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                return time;
            result.AddError($"{name} is '{result.Tokens[0].Value}': give a time like 2026-11-01 or 2026-11-01T12:00:00+01:00.");
            return null;
        },
    };

    public static readonly Option<LogLevel> Level = new("--log-level")
    {
        CustomParser = r =>
        {
            var text = r.Tokens[0].Value;
            if (Enum.GetNames<LogLevel>().Contains(text, StringComparer.OrdinalIgnoreCase))
                return Enum.Parse<LogLevel>(text, ignoreCase: true);
            r.AddError($"--log-level takes debug, info, warning or error, not '{text}'.");
            return LogLevel.Info;
        },
        Description = "How much is told on standard error: debug, info, warning, error.",
        HelpName = "LEVEL",
        Recursive = true,
        DefaultValueFactory = _ => LogLevel.Info,
    };

    public static readonly Option<bool> Json = new("--json") { Description = "Prints the result as one JSON object.", Recursive = true };

    private static void CheckSets(OptionResult result)
    {
        foreach (var token in result.Tokens)
            if (!HasValue(token.Value)) result.AddError($"--set {PathOf(token.Value)} has no value: write --set path.in.config=value.");
    }

    /// <summary>Whether <c>--set</c>'s text is <c>path=value</c>.</summary>
    public static bool HasValue(string set) => set.IndexOf('=', StringComparison.Ordinal) > 0;

    /// <summary>The path in it. What can be none is left out of messages: it may be a value, and that a secret.</summary>
    public static string PathOf(string set) => HasValue(set) ? set[..set.IndexOf('=', StringComparison.Ordinal)]
        : set[..set.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-').Count()];
}
