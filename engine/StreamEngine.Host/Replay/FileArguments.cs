using System.CommandLine;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay;

/// <summary>Options of the commands that read files.</summary>
internal static class FileArguments
{
    public static readonly Option<string[]> Events = new("--events", "-e")
    {
        Description = "Input files: a file, a folder or a pattern (** for any folders), plain or gzip (CSV with header, NDJSON, "
            + "Avro container), or - for standard input; SOURCE=PATH where the source can't be told.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
        HelpName = "PATH",
    };

    public static readonly Option<ByteSize> Memory = new("--memory")
    {
        Description = "Memory for putting records into order; more goes through temporary files.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => ByteSize.Mb(512),
        CustomParser = r =>
        {
            var size = Read<ByteSize>(r.Tokens[0].Value, r.AddError);
            if (size.Bytes < 1 << 20) r.AddError($"--memory takes 1mb or more, not '{r.Tokens[0].Value}'.");
            return size;
        },
    };

    /// <summary>An option that takes a time.</summary>
    public static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description + " ISO 8601, UTC where no offset is given, or milliseconds since 1970.",
        HelpName = "TIME",
        CustomParser = r => Read<DateTimeOffset>(r.Tokens[0].Value, r.AddError),
    };

    /// <summary>An option that takes a duration.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = r => Read<TimeSpan>(r.Tokens[0].Value, r.AddError),
    };

    public static long MemoryOf(Invocation call) => call.Get(Memory).Bytes;

    private static T Read<T>(string text, Action<string> fault) where T : struct
    {
        var value = ScalarText.Read(typeof(T), text, out var wrong);
        if (value is null) fault($"'{text}' is not {wrong.Expected}. {wrong.Remedy}");
        return value is T t ? t : default;
    }
}
