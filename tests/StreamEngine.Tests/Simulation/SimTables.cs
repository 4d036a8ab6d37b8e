using System.Globalization;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Somebody writes rows, deletions and records that can't be used to a table's topic while the processes live, die and stand still. Each
/// process hears of them when a seed says so, late and a few at once, and a fresh one reads the topic from its beginning.
/// </summary>
/// <param name="driver">Drives the processes.</param>
/// <param name="random">Makes the choices; null where a seed writes no rows.</param>
internal sealed class SimTables(SimDriver driver, Random? random)
{
    /// <summary>What an event weighs whose type has no row, or one without a weight.</summary>
    public const decimal Default = 1;

    private const int Most = 30;
    private static readonly string[] Types = ["page_view", "cart_add", "purchase", "search"];

    private readonly RecordBatch _batch = new();
    private readonly List<(string Type, string? Json, decimal? Weight, bool IsRow)> _topic = [];

    /// <summary>What went wrong in some process; null where nothing did.</summary>
    public string? Fault { get; private set; }

    /// <summary>A fresh process' view.</summary>
    public TableBoard Open(CompiledEngine engine) => new(engine, driver.Time, e =>
    {
        if (e.Text.Contains("can't be had", StringComparison.Ordinal)) Fault ??= e.Text;
    });

    /// <summary>A process begins; mostly it has read the topic before it comes to anything else.</summary>
    public void Begin(SimProcess process)
    {
        if (random is null || random.Next(4) > 0) Hear(process);
    }

    /// <summary>Whether a fresh process follows the topic far behind others: then it takes over shards that have looked further.</summary>
    public bool IsSlow() => random?.Next(3) == 0;

    /// <summary>A process' view that has read everything.</summary>
    public TableBoard All(CompiledEngine engine)
    {
        var board = Open(engine);
        Take(board, 0, _topic.Count);
        board.Publish(isComplete: true);
        return board;
    }

    /// <summary>At a boundary between two steps something may be written, or heard of.</summary>
    public void May()
    {
        if (random is null) return;
        if (_topic.Count < Most && random.Next(40) == 0) Write();
        if (driver.Cluster.Processes.Count == 0) return;
        var process = driver.Cluster.Processes[random.Next(driver.Cluster.Processes.Count)];
        // A fresh process reads the topic at once, and while it does no shard of it goes live.
        if (random.Next(process.Tables.IsReady ? process.IsSlowReader ? 150 : 6 : 2) > 0) return;
        if (!process.Tables.IsReady || random.Next(3) == 0)
        {
            Hear(process);
            return;
        }
        var to = Math.Min(_topic.Count, process.Rows + random.Next(1, 4));
        Take(process.Tables, process.Rows, to);
        process.Rows = to;
        process.Tables.Publish(isComplete: false);
    }

    /// <summary>A process has read the topic to its end.</summary>
    public void Hear(SimProcess process)
    {
        Take(process.Tables, process.Rows, _topic.Count);
        process.Rows = _topic.Count;
        process.Tables.Publish(isComplete: true);
    }

    /// <summary>What an event of a type weighs as of a version.</summary>
    public decimal Weight(string type, long version)
    {
        for (var offset = (int)version - 1; offset >= 0; offset--)
            if (_topic[offset].IsRow && _topic[offset].Type == type) return _topic[offset].Weight ?? Default;
        return Default;
    }

    /// <summary>What is wrong with a version that a mark tells, in words: it must be that of a record which changed something.</summary>
    public string? FaultOf(long version) => version < 0 || version > _topic.Count || (version > 0 && !_topic[(int)version - 1].IsRow)
        ? $"version {version} of the table, which nobody wrote" : null;

    private void Write()
    {
        var type = Types[random!.Next(Types.Length)];
        var weight = random.Next(100, 500) / 100m;
        var text = weight.ToString(CultureInfo.InvariantCulture);
        _topic.Add(random.Next(10) switch
        {
            0 => (type, $"{{\"type\":\"{type}\",\"weight\":\"much\"}}", null, false),
            1 => (type, $"{{\"type\":\"other\",\"weight\":{text}}}", null, false),
            2 => (type, $"{{\"type\":\"{type}\"}}", null, true),
            3 or 4 => (type, null, null, Has(type)),
            _ => (type, $"{{\"type\":\"{type}\",\"weight\":{text}}}", weight, true),
        });
        driver.Tell($"the row of {type} is now {_topic[^1].Json ?? "deleted"}");
    }

    /// <summary>Whether a type has a row: the deletion of one that is not there is none.</summary>
    private bool Has(string type) => _topic.FindLast(r => r.IsRow && r.Type == type).Json is not null;

    private void Take(TableBoard board, int from, int to)
    {
        if (from == to) return;
        _batch.Clear();
        for (var offset = from; offset < to; offset++)
            _batch.Add(0, 0, offset, driver.Time.GetUtcNow().ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(_topic[offset].Type), true,
                Encoding.UTF8.GetBytes(_topic[offset].Json ?? ""), _topic[offset].Json is not null);
        board.Take(0, _batch, to, to);
    }
}
