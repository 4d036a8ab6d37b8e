using StreamEngine.Connectors;

namespace StreamEngine.Runtime;

/// <summary>
/// (1) What a restore asks the log, in the background, because the answer may have to wait for a dead worker's transaction. It is asked at
/// the start, and again where an entry is in the log whose cause was not committed then. If it is committed now, the shard went to another
/// owner between the two questions, as happens to a process that stood still: we shall be told, and until then go on by the new answer. If
/// it is not, somebody has changed the offsets.
/// </summary>
internal sealed class RestoreQuestion
{
    private readonly WorkerSettings _settings;
    private readonly int _partition;
    private Task<RestoreAnswer>? _asked;
    private RestoreAnswer? _answer;

    /// <summary>Asks for the first time.</summary>
    /// <param name="settings">The log, the config, and where it is asked.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="bounds">Where the restore ends; null where that is what is committed.</param>
    public RestoreQuestion(WorkerSettings settings, Shard shard, RestoreBounds? bounds)
    {
        (_settings, _partition) = (settings, shard.Partition);
        var folder = bounds is null ? shard.Checkpoints?.Folder : bounds.Checkpoints;
        _asked = settings.InBackground(() =>
            RestoreAnswer.Ask(settings.Log, settings.Engine, _partition, bounds?.Cuts ?? true, folder, bounds));
    }

    /// <summary>Whether there is nothing to do but wait for the answer.</summary>
    public bool Waits => _asked is { IsCompleted: false };

    /// <summary>Whether an answer was taken.</summary>
    public bool IsAnswered => _answer is not null;

    /// <summary>The newest answer.</summary>
    public RestoreAnswer Answer => _answer!;

    /// <summary>Whether it was asked again about the entry at hand.</summary>
    public bool AskedAgain { get; private set; }

    /// <summary>Whether the committed offsets have changed since the first answer.</summary>
    public bool Moved { get; private set; }

    /// <summary>Takes an answer that has come; false where none is new.</summary>
    /// <exception cref="OffsetOutOfRangeException">The log does not hold what follows the committed offsets.</exception>
    public bool TryTake()
    {
        if (_asked is not { IsCompleted: true }) return false;
        var answer = _asked.GetAwaiter().GetResult();
        Moved |= _answer is not null && !answer.Committed.AsSpan().SequenceEqual(_answer.Committed);
        (_asked, _answer) = (null, answer);
        return true;
    }

    /// <summary>Asks again, about the entry at hand.</summary>
    public void AskAgain()
    {
        AskedAgain = true;
        _asked = _settings.InBackground(() =>
            RestoreAnswer.Ask(_settings.Log, _settings.Engine, _partition, inTopic: false, folder: null));
    }

    /// <summary>The entry at hand is dealt with.</summary>
    public void Settled() => AskedAgain = false;
}
