using System.Text.RegularExpressions;

namespace StreamEngine.SystemTests.Runs;

/// <summary>Counts where shards were restored from, by what their engines say. Any thread may tell it.</summary>
internal sealed partial class RestoreCount
{
    private int _files, _topic, _log;

    /// <summary>From checkpoint files and the events since.</summary>
    public int Files => _files;

    /// <summary>From the checkpoint topic and the events since.</summary>
    public int Topic => _topic;

    /// <summary>From the first event on.</summary>
    public int Log => _log;

    /// <summary>An engine wrote a line.</summary>
    public void Heard(string line)
    {
        var said = Restored().Match(line);
        if (!said.Success) return;
        var place = said.Groups["place"].Value;
        if (place == "files") Interlocked.Increment(ref _files);
        else if (place == "topic") Interlocked.Increment(ref _topic);
        else Interlocked.Increment(ref _log);
    }

    /// <summary>Adds another's counts.</summary>
    public void Add(RestoreCount other)
    {
        Interlocked.Add(ref _files, other._files);
        Interlocked.Add(ref _topic, other._topic);
        Interlocked.Add(ref _log, other._log);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Files} from files, {Topic} from the topic, {Log} from the log";

    [GeneratedRegex(@"Shard \d+ restored: (checkpoint \d+ with \d+ profiles from (the )?(?<place>files|topic))?")]
    private static partial Regex Restored();
}
