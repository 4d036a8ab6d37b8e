using StreamEngine.Connectors;
using StreamEngine.Dashboard;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Logs;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Run;

/// <summary>The dashboard of a running engine.</summary>
internal static class DashboardRun
{
    /// <summary>How long an end that is in a transaction is waited for: the next look comes soon.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>The dashboard; null where the config wants none.</summary>
    /// <param name="options">The config.</param>
    /// <param name="http">Its section of HTTP.</param>
    /// <param name="compiled">The same config, compiled.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="log">The log that it works on.</param>
    /// <param name="health">How the process is.</param>
    /// <param name="cluster">The cluster around it; null where there is none.</param>
    /// <param name="trials">What a demo lets its user try.</param>
    /// <param name="replay">How to send what partners refused once more; null where the config has no connector.</param>
    /// <param name="decisions">Looks decisions up; null where nobody is told why.</param>
    public static DashboardServer? Of(EngineOptions options, HttpOptions http, CompiledEngine compiled, Engine engine, ILog log,
        Func<HealthReport> health, ClusterRun? cluster = null, IReadOnlyList<Trial>? trials = null, ReplayControl? replay = null,
        DecisionLookups? decisions = null) =>
        http is { Port: 0 } or { Dashboard: false } ? null
            : new DashboardServer(Settings(options, http, compiled, engine, log, health, cluster, trials) with
            {
                Replay = replay,
                Why = decisions is null ? null : async (id, cancel) => Show(await decisions.FindAsync(id, cancel).ConfigureAwait(false)),
            });

    /// <summary>What it shows.</summary>
    internal static DashboardSettings Settings(EngineOptions options, HttpOptions http, CompiledEngine compiled, Engine engine, ILog log,
        Func<HealthReport> health, ClusterRun? cluster = null, IReadOnlyList<Trial>? trials = null) => new()
        {
            Name = options.Name,
            Engine = engine,
            Compiled = compiled,
            Customers = cluster?.Customers ?? engine.Customers,
            Feed = cluster?.Feed ?? engine.Feed,
            Health = () => Show(health()),
            Cluster = cluster is null ? null : async () => Show(await cluster.ReportAsync().ConfigureAwait(false)),
            OpenNewest = kind => Newest(kind, options, log),
            Trials = trials ?? [],
            HasKeys = http.Keys.Count > 0 || http.Jwt is not null,
        };

    private static ProcessHealth Show(HealthReport report) => new(report.Status, report.Ready, report.Workers.Count,
        report.Restoring.ToDictionary(s => s.Partition, s => s.Progress),
        [.. report.Away.Select(a => $"{a.Dependency} has not answered for {a.Seconds:N0} s: {a.Reason}")]);

    private static ClusterOverview Show(ClusterReport report) => new(report.Node, report.Status, report.OwnersKnown,
        [.. report.Members.Select(m => new ClusterMember(m.Node, m.Address, m.Status, m.Reachable, m.Leader,
            TimeSpan.FromSeconds(m.SeenSeconds)))],
        [.. report.Shards.Select(s => new ClusterShard(s.Partition, s.Owner, s.Location, s.Lag, s.Restoring))]);

    /// <summary>What a lookup found, as the dashboard tells it.</summary>
    internal static DecisionWhy Show(Lookup found) => found.Decision is { } d
        ? new DecisionWhy(d.Why, [.. d.Reasons.Select(Show)]) : new DecisionWhy([], [], found.Message);

    /// <summary>What features added to a score, as the dashboard tells it.</summary>
    internal static ScoreReasons Show(ExplainedScore score)
    {
        var features = score.Reasons.Select(r => new FeatureReason(r.Feature, r.Value, r.Contribution)).ToList();
        if (score.OtherFeatures > 0)
            features.Add(new FeatureReason($"{score.OtherFeatures} other feature{(score.OtherFeatures == 1 ? "" : "s")}", null,
                score.Others));
        return new ScoreReasons($"{score.Model} {score.Version}", score.Offers, ExplanationText.Of(score), features);
    }

    private static NewestReader? Newest(RecordKind kind, EngineOptions options, ILog log)
    {
        var (topic, output) = kind == RecordKind.Decision ? (options.Outputs.Decisions, OutputKind.Decision)
            : (options.Outputs.DeadLetter, OutputKind.DeadLetter);
        if (topic.Length == 0 || log.Partitions(topic) == 0) return null;
        var stop = new CancellationTokenSource();
        var text = new RecordText(output);
        var tail = new TopicTail([topic], record =>
        {
            text.Read(record);
            return record.Json is not null && text.Shows(record, null);
        }, stop.Token)
        { Patience = Patience };
        tail.Use(log);
        return new NewestReader(count => [.. tail.Last(count).Select(r => r.Json!)], () =>
        {
            tail.Dispose();
            text.Dispose();
            stop.Dispose();
        });
    }
}
