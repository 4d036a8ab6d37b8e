using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// Which cut a shard starts from: the newest that fits in its files, the newest that fits in the checkpoint topic, or none, and then the
/// log is folded from its start.
/// </summary>
internal sealed class CutChoice
{
    private string? _path;
    private FileCut? _inFiles;
    private CutMarker? _inTopic;
    private long _topicLow, _topicHigh;

    private CutChoice()
    {
    }

    /// <summary>The files that were found damaged, each with what is wrong.</summary>
    public List<string> Damaged { get; } = [];

    /// <summary>Looks for the cuts; may take a while.</summary>
    /// <param name="log">The log.</param>
    /// <param name="engine">The compiled config.</param>
    /// <param name="partition">The shard's partition.</param>
    /// <param name="inTopic">Whether the checkpoint topic counts.</param>
    /// <param name="folder">The folder of the checkpoint files; null where they do not count.</param>
    /// <param name="fits">Whether a cut can be gone on from, by its marker and by the highest offset of each source that it holds.</param>
    public static CutChoice Find(ILog log, CompiledEngine engine, int partition, bool inTopic, string? folder,
        Func<CutMarker, long[], bool> fits)
    {
        var choice = new CutChoice();
        if (folder is not null)
            (choice._path, choice._inFiles) = CheckpointFiles.Cuts(folder, choice.Damaged.Add)
                .FirstOrDefault(c => fits(c.Cut.Marker, c.Cut.Highest));
        if (!inTopic || engine.Outputs.Checkpoints < 0) return choice;
        var at = new TopicPartition(engine.Options.Checkpoints.Topic, partition);
        (choice._topicLow, choice._topicHigh) = log.Watermarks(at);
        choice._inTopic = TopicCutLoad.Newest(log, at, choice._topicLow, choice._topicHigh, engine.StateVersion,
            m => fits(m, m.Start.Next));
        return choice;
    }

    /// <summary>
    /// Chooses, lets the shard's files go on behind the choice, and says whether what is loaded belongs into the next cut.
    /// </summary>
    /// <param name="shard">The shard.</param>
    /// <param name="pass">Its restore, before anything is loaded.</param>
    /// <param name="log">The log.</param>
    /// <param name="engine">The compiled config.</param>
    /// <param name="forSavepoint">Whether the shard only makes or fills a savepoint, and keeps nothing.</param>
    /// <returns>The cut that is to be loaded; null where there is none.</returns>
    public ICutLoad? Open(Shard shard, RestorePass pass, ILog log, CompiledEngine engine, bool forSavepoint)
    {
        if (FilesWereLeftBehind) (_path, _inFiles) = (null, null);
        shard.Checkpoints?.Begin(_path, _inFiles);
        if (!pass.KeepsCheckpoints) return null;
        if (_inFiles is not null)
        {
            // The topic holds what changed before the file's cut only if it has a cut that began no earlier.
            // One that was made of a savepoint may differ from what the topic has, and replaces it.
            pass.CopyLoaded = engine.Outputs.Checkpoints >= 0 && !forSavepoint
                && (_inTopic is null || _inFiles.Marker.OfSavepoint || !_inFiles.Marker.Start.AtMost(_inTopic.Start));
            return new FileCutLoad(_path!, _inFiles);
        }
        if (_inTopic is null) return null;
        pass.CopyLoaded = shard.Checkpoints is not null; // its files begin anew
        var at = new TopicPartition(engine.Options.Checkpoints.Topic, shard.Partition);
        return new TopicCutLoad(log, at, _topicLow, _topicHigh, _inTopic);
    }

    /// <summary>
    /// Whether the shard was elsewhere since its files were written for so long that catching up on the events would cost more than loading
    /// the topic's profiles.
    /// </summary>
    private bool FilesWereLeftBehind => _inFiles is { Marker.OfSavepoint: false } && _inTopic is not null
        && _inTopic.Start.Next.Sum() - _inFiles.Marker.Start.Next.Sum() > _inTopic.Profiles;
}
