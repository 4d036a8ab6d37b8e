using System.Runtime.ExceptionServices;
using StreamEngine.Connectors;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime;

/// <summary>
/// Follows the topics of tables on a thread of its own, one per process, and gives what it reads to the board:
/// <code>
///  (1) begin    each topic from its beginning to its end; then the board is ready, and shards may go live
///  (2) follow   asks a few times a second where the topics end, and reads what is new
///  (3) away     where the log does not answer, what was known holds; it is told, and asked again
/// </code>
/// A topic that does not exist is an empty table, looked for again until it is there; one that was deleted later, or has several partitions
/// by then, leaves its table as it is. One that was made anew is read anew: its id tells, and where the log has no ids, that it ends before
/// what was read of it. What is wrong with one topic does not keep the others from being followed.
/// </summary>
public sealed class TableFollower : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250), BeginPause = TimeSpan.FromMilliseconds(5);

    private readonly ILog _log;
    private readonly TableBoard _board;
    private readonly List<Followed> _tables;
    private readonly bool[] _isRead;   // by the table's place in the config
    private readonly Action<WorkerEvent> _report;
    private readonly FollowerThread _thread;

    /// <param name="log">The log.</param>
    /// <param name="engine">Whose tables they are.</param>
    /// <param name="board">Takes what is read.</param>
    /// <param name="time">Measures how long a topic is away.</param>
    /// <param name="report">Takes lines for the log.</param>
    public TableFollower(ILog log, CompiledEngine engine, TableBoard board, TimeProvider time, Action<WorkerEvent> report)
    {
        ArgumentNullException.ThrowIfNull(engine);
        (_log, _board, _report) = (log, board, report);
        _tables = [.. engine.TableShapes.Where(s => s.IsTopic)
            .Select(s => new Followed(log, s, new Outage($"topic '{s.Options.Topic}' of the table '{s.Name}'", time, report)))];
        _isRead = new bool[engine.TableShapes.Count];
        _thread = new FollowerThread("tables", new Outage("table topic", time, report), () => board.IsReady
            ? "The tables stay as they are, and nothing new is heard." : "No shard goes live before they were read.",
            () => _tables!.ForEach(t => t.Topic.Dispose()));
    }

    /// <summary>
    /// What is wrong with the topics of tables as they are in the log: empty where they fit, or are not there. A topic needs one partition,
    /// so that a version is one offset, and rows have one order.
    /// </summary>
    public static IEnumerable<string> Faults(ILog log, CompiledEngine engine)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(engine);
        foreach (var table in engine.TableShapes.Where(s => s.IsTopic))
            if (log.Partitions(table.Options.Topic) is > 1 and var n)
                yield return $"the topic '{table.Options.Topic}' of the table '{table.Name}' has {n} partitions and needs one, so that its "
                    + $"records have one order: copy it into a topic with one, and name that (tables.{table.Name}.topic)";
    }

    /// <summary>
    /// Follows tables for a work that runs beside any engine, such as a savepoint; null where the config has none, or they are followed.
    /// Returns once they are there.
    /// </summary>
    /// <param name="settings">What the work gets; the tables are added.</param>
    /// <param name="stop">Ends the wait.</param>
    internal static TableFollower? Begin(ref WorkerSettings settings, CancellationToken stop)
    {
        if (!settings.Engine.HasTopicTables || settings.Tables is not null) return null;
        if (Faults(settings.Log, settings.Engine).FirstOrDefault() is { } fault) throw new LogException(fault);
        var board = new TableBoard(settings.Engine, settings.Time, settings.Report);
        var follower = new TableFollower(settings.Log, settings.Engine, board, settings.Time, settings.Report);
        follower.Start();
        settings = settings with { Tables = board };
        while (!board.IsReady) Task.Delay(BeginPause, settings.Time).Wait(stop);
        return follower;
    }

    /// <summary>Begins, on a thread of its own.</summary>
    public void Start() => _thread.Start(Turn);

    /// <summary>One look at every topic, as the class says.</summary>
    /// <returns>How long to rest before the next one.</returns>
    /// <exception cref="LogException">The log does not answer for any of them.</exception>
    internal TimeSpan Turn()
    {
        List<(Followed Table, Exception Why)> silent = [];
        foreach (var table in _tables)
        {
            ref var isRead = ref _isRead[table.Shape.Index];
            isRead = false;
            try
            {
                isRead = Look(table);
                if (!table.IsUnfit) table.Outage.Back();
            }
            catch (OffsetOutOfRangeException e)
            {
                // A topic was cut or made anew: it is read from where it begins now.
                BeginAnew(table, e.High);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whatever it is: what was known holds, and the loops need no topic for it.
                if (table.Topic.Next >= 0 && IsKnownUnfit(table)) isRead = true;
                else silent.Add((table, e));
            }
        }
        if (silent.Count == _tables.Count) ExceptionDispatchInfo.Throw(silent[0].Why);
        foreach (var (table, why) in silent) table.Outage.Away(why.Message, Waits);
        _board.Publish(i => _isRead[i]);
        return Every;
    }

    /// <inheritdoc/>
    public void Dispose() => _thread.Dispose();

    /// <summary>Reads what is new of a topic; false where it was not read to its end.</summary>
    private bool Look(Followed table)
    {
        if (table.Topic.Next < 0 && !Begin(table)) return !table.IsUnfit || _board.IsReady;
        if (table.IsUnfit)
        {
            if (IsUnfit(table)) return true;
            table.Topic.Doubt(); // what came in its place may end where the old one did
        }
        switch (table.Topic.Look(out var end))
        {
            case TopicLook.Anew:
                return BeginAnew(table, end);
            case TopicLook.Shorter:
                return true;
        }
        table.Topic.Read(end, (batch, position) => _board.Take(table.Shape.Index, batch, end, position), _thread.Stop);
        _board.ReadTo(table.Shape.Index, table.Topic.Next);
        return table.Topic.Next >= end;
    }

    /// <summary>Begins anew, unless the topic is none for a table: then its look is over, and the rows stay.</summary>
    private bool BeginAnew(Followed table, long end)
    {
        if (IsUnfit(table)) return true;
        _report(new WorkerEvent(true, $"The topic '{table.Shape.Options.Topic}' of the table '{table.Shape.Name}' was made anew: it ends "
            + $"at offset {end} and was read to {table.Topic.Next}. What it says now holds."));
        _board.Forget(table.Shape.Index);
        table.Topic.BeginAnew();
        return false;
    }

    /// <summary>Whether a topic that was followed is gone, or has several partitions: that is told, and its rows stay.</summary>
    private bool IsUnfit(Followed table)
    {
        var partitions = _log.Partitions(table.Shape.Options.Topic);
        table.IsUnfit = partitions != 1;
        if (table.IsUnfit) table.Outage.Away(partitions == 0 ? "it does not exist" : Several(partitions), Waits);
        return table.IsUnfit;
    }

    /// <summary>The same behind a question that failed: where the log does not answer this one either, it is not known.</summary>
    private bool IsKnownUnfit(Followed table)
    {
        try
        {
            return IsUnfit(table);
        }
        catch (LogException)
        {
            return false;
        }
    }

    private static string Several(int partitions) => $"it has {partitions} partitions, and a table needs one";

    private string Waits => _board.IsReady ? "The table stays as it is, and nothing new is heard."
        : "No shard goes live before it was read.";

    /// <summary>Finds where a topic begins; false while it does not exist, or has several partitions.</summary>
    private bool Begin(Followed table)
    {
        var partitions = _log.Partitions(table.Shape.Options.Topic);
        table.IsUnfit = partitions > 1;
        if (partitions == 0)
        {
            if (!table.ToldMissing)
                _report(new WorkerEvent(true, $"The topic '{table.Shape.Options.Topic}' of the table '{table.Shape.Name}' does not exist, "
                    + "so the table has no rows. 'topics create' makes it; it is followed then."));
            table.ToldMissing = true;
            return false;
        }
        if (table.IsUnfit)
        {
            table.Outage.Away(Several(partitions), Waits);
            return false;
        }
        table.Topic.Begin();
        return true;
    }

    /// <summary>A table's topic, and how far it is read.</summary>
    private sealed class Followed(ILog log, TableShape shape, Outage outage)
    {
        public TableShape Shape { get; } = shape;

        /// <summary>What is wrong with the topic while others are followed.</summary>
        public Outage Outage { get; } = outage;

        /// <summary>Whether the topic has several partitions, or was deleted after it was followed.</summary>
        public bool IsUnfit { get; set; }

        /// <summary>The topic, and how far it is read.</summary>
        public FollowedTopic Topic { get; } = new(log, new TopicPartition(shape.Options.Topic, 0));

        public bool ToldMissing { get; set; }
    }
}
