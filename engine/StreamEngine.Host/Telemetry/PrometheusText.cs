using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace StreamEngine.Host.Telemetry;

/// <summary>
/// Writes metrics as Prometheus text, version 0.0.4, by OpenTelemetry's rules for names: what is no letter, digit or underscore becomes an underscore, the unit
/// is a suffix, and a counter ends in <c>_total</c>.
/// </summary>
internal sealed class PrometheusText
{
    private static readonly Dictionary<string, string> Units = new()
    {
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["min"] = "minutes",
        ["h"] = "hours",
        ["d"] = "days",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["%"] = "percent",
    };

    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _told = [];

    /// <summary>All metrics of one collection.</summary>
    public static string Write(in Batch<Metric> metrics)
    {
        var writer = new PrometheusText();
        foreach (var metric in metrics) writer.Add(metric);
        return writer._text.ToString();
    }

    /// <summary>A metric's name.</summary>
    internal static string Name(string name, string unit, bool counter, bool gauge)
    {
        var text = Clean(name);
        var suffix = unit == "1" ? (gauge ? "ratio" : "") : unit.StartsWith('{') ? "" : Units.GetValueOrDefault(unit, Clean(unit));
        if (counter && text.EndsWith("_total", StringComparison.Ordinal)) text = text[..^"_total".Length];
        if (suffix.Length > 0 && !text.EndsWith("_" + suffix, StringComparison.Ordinal)) text += "_" + suffix;
        return counter ? text + "_total" : text;
    }

    private void Add(Metric metric)
    {
        var counter = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
        var histogram = metric.MetricType == MetricType.Histogram;
        var name = Name(metric.Name, metric.Unit ?? "", counter, gauge: !counter && !histogram);
        if (_told.Add(name))
        {
            if (!string.IsNullOrEmpty(metric.Description)) _text.Append($"# HELP {name} {Escape(metric.Description, quotes: false)}\n");
            _text.Append($"# TYPE {name} {(counter ? "counter" : histogram ? "histogram" : "gauge")}\n");
        }
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var labels = Labels(point.Tags);
            if (histogram) Histogram(name, labels, point);
            else Sample(name, labels, Value(metric.MetricType, point));
        }
    }

    private static double Value(MetricType type, in MetricPoint point) => type switch
    {
        MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
        MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
        MetricType.LongGauge => point.GetGaugeLastValueLong(),
        MetricType.DoubleGauge => point.GetGaugeLastValueDouble(),
        _ => double.NaN,
    };

    private void Histogram(string name, string labels, in MetricPoint point)
    {
        long below = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            below += bucket.BucketCount;
            Sample(name + "_bucket", $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{Number(bucket.ExplicitBound)}\"", below);
        }
        Sample(name + "_sum", labels, point.GetHistogramSum());
        Sample(name + "_count", labels, point.GetHistogramCount());
    }

    private void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0) _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Labels(ReadOnlyTagCollection tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(Clean(key)).Append("=\"").Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quotes: true)).Append('"');
        }
        return text.ToString();
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Clean(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            var fits = char.IsAsciiLetterOrDigit(c) || c == '_';
            if (text.Length == 0 && char.IsAsciiDigit(c)) text.Append('_');
            if (fits || text.Length == 0 || text[^1] != '_') text.Append(fits ? c : '_');
        }
        return text.ToString();
    }

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
