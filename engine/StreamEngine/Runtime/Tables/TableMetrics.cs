using System.Diagnostics.Metrics;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>The instruments of tables: those of files as they were read, those of topics as they are followed.</summary>
internal sealed class TableMetrics
{
    private readonly Histogram<double>? _delay;

    /// <param name="meter">The engine's.</param>
    /// <param name="engine">Whose tables they are.</param>
    public TableMetrics(Meter meter, CompiledEngine engine)
    {
        meter.CreateObservableGauge("streamengine.tables.rows", () => engine.Tables.Select(t => Measured(t.Shape.Name, t.Rows))
            .Concat(OfTopics(t => t.Rows)), "{row}", "Rows by table.");
        meter.CreateObservableGauge("streamengine.tables.memory", () => engine.Tables.Select(t => Measured(t.Shape.Name, t.Memory))
            .Concat(OfTopics(t => t.Memory)), "By", "Memory of the rows by table.");
        if (!engine.HasTopicTables) return;
        meter.CreateObservableGauge("streamengine.tables.version", () => OfTopics(t => t.Version), "{offset}",
            "One past the offset of the newest record of a table's topic that is looked up in. All processes should have the same.");
        meter.CreateObservableCounter("streamengine.tables.refused", () => OfTopics(t => t.Refused), "{record}",
            "Records of a table's topic that were passed over, as they can't be rows.");
        meter.CreateObservableCounter("streamengine.tables.inexact", () => OfTopics(t => t.Inexact), "{version}",
            "Times that a restore asked for a version of a table that its topic does not hold in full any more.");
        _delay = meter.CreateHistogram("streamengine.table.delay", "s", "From a record of a table's topic, by its own time, to the first "
            + "turn of a worker that looks up in it.", advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = EngineMeter.DurationBounds,
            });
    }

    /// <summary>The tables that are topics; null before they are followed.</summary>
    public TableBoard? Board { get; set; }

    /// <summary>A worker looks up in newer tables from now on.</summary>
    public void Followed(TimeSpan delay) => _delay?.Record(Math.Max(0, delay.TotalSeconds));

    private IEnumerable<Measurement<long>> OfTopics(Func<TableNumbers, long> of) =>
        (Board?.Numbers ?? []).Select(t => Measured(t.Table, of(t)));

    private static Measurement<long> Measured(string table, long value) => new(value, new KeyValuePair<string, object?>("table", table));
}
