using StreamEngine.Connectors;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime;

/// <summary>
/// The tables that are topics, as this process knows them: takes the topics' records from their reader, and publishes immutable views that
/// loops look up in. Knows the earlier versions too, since a restore decodes each event as of the version that it was decoded with. From
/// any thread.
/// </summary>
public sealed class TableBoard
{
    /// <summary>
    /// So often a topic is looked at, and ends before what another process has told of it, before that is believed: a broker that has just
    /// started may know less of the end for a moment.
    /// </summary>
    internal const int ShorterLooks = FollowedTopic.ShorterLooks;

    /// <summary>More records of one table that are passed over are counted and not told: they are mostly the same mistake.</summary>
    private const int MostTold = 20;

    private readonly Lock _gate = new();
    private readonly TopicTable?[] _tables;   // by place in the config; null for a file
    private readonly Action<WorkerEvent> _report;
    private readonly HashSet<TableVersion> _told = [];
    private volatile TableViews _current = TableViews.None;
    private volatile bool _ready;

    /// <param name="engine">Whose tables they are.</param>
    /// <param name="time">Measures how old a version is.</param>
    /// <param name="report">Takes lines for the log.</param>
    public TableBoard(CompiledEngine engine, TimeProvider time, Action<WorkerEvent>? report = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _report = report ?? (_ => { });
        _tables = [.. engine.TableShapes.Select(s => s.IsTopic ? new TopicTable(s, time) : null)];
    }

    /// <summary>The newest version of every table: read it once, and use what was read.</summary>
    public TableViews Current => _current;

    /// <summary>Whether every topic was read to its end once. No shard goes live before that.</summary>
    public bool IsReady => _ready;

    /// <summary>The tables in numbers, for metrics and <c>/healthz</c>.</summary>
    public IReadOnlyList<TableNumbers> Numbers
    {
        get
        {
            lock (_gate)
                return [.. _tables.OfType<TopicTable>().Select(t => new TableNumbers(t.View.Shape.Name, t.Rows, t.Memory, t.View.Version,
                    t.Refused, t.Inexact))];
        }
    }

    /// <summary>Takes records of a table's topic, in order.</summary>
    /// <param name="table">The table's place in the config.</param>
    /// <param name="batch">What holds them.</param>
    /// <param name="end">The offset before which they count.</param>
    /// <param name="position">Up to which offset the topic is read behind them.</param>
    public void Take(int table, RecordBatch batch, long end, long position)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var faults = new List<string>();
        lock (_gate)
        {
            var topic = _tables[table]!;
            for (var i = 0; i < batch.Count; i++)
                if (batch[i].Offset < end && topic.Take(batch, i) is { } fault && topic.Refused <= MostTold)
                    faults.Add($"{topic.View.Shape.Options.Topic}[0] offset {batch[i].Offset} is passed over in the table "
                        + $"'{topic.View.Shape.Name}': {fault}{(topic.Refused < MostTold ? "" : " (more of them are only counted)")}");
            topic.Position = Math.Max(topic.Position, position);
        }
        foreach (var fault in faults) _report(new WorkerEvent(true, fault));
    }

    /// <summary>A table's topic was read up to here: there are no more records before that.</summary>
    public void ReadTo(int table, long position)
    {
        lock (_gate) _tables[table]!.Position = Math.Max(_tables[table]!.Position, position);
    }

    /// <summary>What was taken is looked up in from now on, as of topics that are all in the same state.</summary>
    /// <param name="isComplete">Whether every topic was read to its end.</param>
    public void Publish(bool isComplete) => Publish(_ => isComplete);

    /// <summary>
    /// What was taken is looked up in from now on; once every topic was read to its end, shards may go live. A topic that is read anew is
    /// not looked up in before it was read to its end.
    /// </summary>
    /// <param name="isComplete">Whether the topic of a table, by its place in the config, was read to its end.</param>
    public void Publish(Func<int, bool> isComplete)
    {
        ArgumentNullException.ThrowIfNull(isComplete);
        lock (_gate)
        {
            var isAll = true;
            for (var i = 0; i < _tables.Length; i++)
            {
                if (_tables[i] is not { } table) continue;
                if (isComplete(i)) table.Looks++;
                else isAll = false;
            }
            if (!_ready && !isAll) return;
            var (newest, changed) = (0L, !_ready);
            for (var i = 0; i < _tables.Length; i++)
            {
                if (_tables[i] is not { IsNews: true } table || (table.IsBeginning && !isComplete(i))) continue;
                newest = Math.Max(newest, table.IsBeginning ? 0 : table.Newest);
                table.Publish();
                changed = true;
            }
            if (changed) _current = new TableViews([.. _tables.Select(t => t?.View)],
                newest > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(newest) : null);
            _ready = true;
        }
    }

    /// <summary>A table's topic was made anew: what it said before holds until what it says now is published.</summary>
    public void Forget(int table)
    {
        lock (_gate) _tables[table]!.Clear();
    }

    /// <summary>Whether the topics were read as far as versions go.</summary>
    internal bool Has(TableVersions versions) => Short(versions).Count == 0;

    /// <summary>
    /// The tables whose topics were not read as far as versions go: up to which offset they were, and how often they were looked at and
    /// read to the end that they had.
    /// </summary>
    internal IReadOnlyList<(string Table, long Position, long Looks)> Short(TableVersions versions)
    {
        List<(string, long, long)>? few = null;
        lock (_gate)
            foreach (var table in _tables)
                if (table?.View.Shape.Name is { } name && table.Position < versions.Find(name).Version)
                    (few ??= []).Add((name, table.Position, table.Looks));
        return few is null ? [] : few;
    }

    /// <summary>
    /// The tables as of versions. Where a table has other rows than it had then, which its topic does not hold any more, that is counted
    /// and told. A table that is new since then is as it is now.
    /// </summary>
    internal TableViews At(TableVersions versions)
    {
        var views = new TableView?[_tables.Length];
        var inexact = new List<TableVersion>();
        lock (_gate)
            for (var i = 0; i < views.Length; i++)
            {
                if (_tables[i] is not { } table) continue;
                var wanted = versions.Find(table.View.Shape.Name);
                // The config that wrote them had no such table.
                var isNew = versions.Tables.Count > 0 && !versions.Names(wanted.Table);
                var view = views[i] = isNew ? table.View : table.At(wanted.Version);
                if (isNew || view.Sum == wanted.Sum) continue;
                table.Inexact++;
                if (_told.Add(wanted)) inexact.Add(wanted);
            }
        foreach (var wanted in inexact)
            _report(new WorkerEvent(true, $"The table '{wanted.Table}' can't be had as it was at version {wanted.Version}: its topic holds "
                + "other rows than then. Events that are folded again look up in what there is; raise the topic's min.compaction.lag.ms "
                + "over the time between two checkpoints and a restart."));
        return new TableViews(views);
    }
}

/// <summary>A table in numbers.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Rows">Rows of the newest version.</param>
/// <param name="Memory">Bytes, those of earlier versions among them.</param>
/// <param name="Version">One past the offset of the newest record that is in it.</param>
/// <param name="Refused">Records that were passed over.</param>
/// <param name="Inexact">Times that a restore asked for a version whose rows are not all there any more.</param>
public sealed record TableNumbers(string Table, long Rows, long Memory, long Version, long Refused, long Inexact);
