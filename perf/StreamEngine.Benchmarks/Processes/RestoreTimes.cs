using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>What a process says while it restores its shards, with the time of each line. One process.</summary>
internal sealed partial class RestoreTimes
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _ready, _last;
    private int _shards;
    private long _profiles, _records;

    /// <summary>Shards restored so far.</summary>
    public int Shards => Volatile.Read(ref _shards);

    /// <summary>Profiles that were loaded from checkpoints.</summary>
    public long Profiles => _profiles;

    /// <summary>Records that were read again.</summary>
    public long Records => _records;

    /// <summary>Seconds from the first work on the log (config, model and runtime are loaded) to the last shard's end.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_ready, _last).TotalSeconds;

    /// <summary>Seconds from the process' start to its first work on the log.</summary>
    public double Ready => Stopwatch.GetElapsedTime(_started, _ready).TotalSeconds;

    /// <summary>Seconds from the process' start to the last shard's end.</summary>
    public double SinceStart => Stopwatch.GetElapsedTime(_started, _last).TotalSeconds;

    /// <summary>It wrote a line.</summary>
    public void Heard(string line)
    {
        var now = Stopwatch.GetTimestamp();
        if (Started().IsMatch(line)) _ready = now;
        if (Restored().Match(line) is not { Success: true } said) return;
        _profiles += said.Groups["profiles"] is { Success: true } profiles ? long.Parse(profiles.Value, CultureInfo.InvariantCulture) : 0;
        _records += long.Parse(said.Groups["records"].Value, CultureInfo.InvariantCulture);
        _last = now;
        Interlocked.Increment(ref _shards);
    }

    [GeneratedRegex(@"\d+ shards, \d+ workers")]
    private static partial Regex Started();

    [GeneratedRegex(@"Shard \d+ restored: (checkpoint \d+ with (?<profiles>\d+) profiles from [^,]*, then )?(?<records>\d+) records")]
    private static partial Regex Restored();
}
