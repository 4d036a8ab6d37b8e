using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HdrHistogram;
using StreamEngine.SystemTests.Oracle;
using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>What was answered to a request.</summary>
/// <param name="Ask">The request.</param>
/// <param name="Phase">The phase of the run in which it was due.</param>
/// <param name="Ms">From when it was due to the answer, ms.</param>
/// <param name="Status">done, or the API's word for what went wrong; none where no node answered at all.</param>
/// <param name="DecisionId">The decision, where there is one.</param>
/// <param name="Offer">The first offer; empty where there is none.</param>
/// <param name="Message">What the API says to it; empty where it was served.</param>
internal sealed record Answer(Ask Ask, string Phase, double Ms, string Status, string DecisionId, string Offer, string Message = "");

/// <summary>
/// Asks for decisions of random customers at random nodes over HTTP, open loop: each request has its time, late or not, and its latency
/// counts from there. Where a node does not answer, another one is asked with the same id, as a load balancer does. Some requests are asked
/// twice at once, of two nodes.
/// </summary>
internal sealed partial class RequestLoad : IDisposable
{
    /// <summary>How long a node tries; it answers by then, with the stand-in at the latest.</summary>
    public const int TimeoutMs = 3_000;
    private static readonly string[] Placements = ["home", "product", "cart", "search"];

    /// <summary>A node that has not answered by then stands still: another one is asked.</summary>
    private static readonly TimeSpan TryTimeout = TimeSpan.FromMilliseconds(TimeoutMs + 2_000);

    /// <summary>What has no answer by then counts as not answered.</summary>
    private static readonly TimeSpan LastTry = 2 * TryTimeout;

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromMilliseconds(250) })
    { Timeout = TryTimeout };

    private readonly ConcurrentDictionary<string, Ask> _asks = new();
    private readonly ConcurrentBag<Answer> _answers = [];
    private readonly Func<IReadOnlyList<EngineProcess>> _nodes;
    private readonly Random _random;
    private readonly int _customers;

    /// <param name="nodes">The nodes that there are now.</param>
    /// <param name="customers">Customers are asked for among the first so many of the input's.</param>
    /// <param name="seed">Draws customers, nodes and placements.</param>
    public RequestLoad(Func<IReadOnlyList<EngineProcess>> nodes, int customers, int seed) =>
        (_nodes, _customers, _random) = (nodes, customers, new Random(seed));

    /// <summary>What the run is doing now; answers are counted by it.</summary>
    public string Phase { get; set; } = "quiet";

    /// <summary>Everything that was answered.</summary>
    public IReadOnlyCollection<Answer> Answers => _answers;

    /// <summary>A request by its id; null where nobody asked.</summary>
    public Ask? Find(string id) => _asks.GetValueOrDefault(id);

    /// <summary>Asks until told to stop, then waits for what is open.</summary>
    public async Task Run(int perSecond, CancellationToken stop)
    {
        var open = new List<Task>();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0L; !stop.IsCancellationRequested; i++)
        {
            var due = started + (long)((double)i / perSecond * Stopwatch.Frequency);
            while (Stopwatch.GetTimestamp() < due) await Task.Delay(1, CancellationToken.None);
            var ask = new Ask($"ask-{_asks.Count}", $"c{_random.Next(_customers) * 4:D6}", Placements[_random.Next(Placements.Length)]);
            _asks[ask.Id] = ask;
            var first = _random.Next();
            open.Add(One(ask, Phase, due, first));
            if (_random.Next(50) == 0) open.Add(One(ask, Phase, due, first + 1));
        }
        await Task.WhenAll(open);
    }

    /// <summary>Holds the answers against the log; each fault in words.</summary>
    public IEnumerable<string> Faults(IEnumerable<DecisionRecord> decisions)
    {
        var logged = decisions.Where(d => d.Origin == "request").ToLookup(d => d.EventId);
        foreach (var twice in logged.Where(g => g.Count() > 1))
            yield return $"{twice.Key} was decided {twice.Count()} times: {string.Join(", ", twice.Select(d => d.DecisionId))}";
        foreach (var answer in _answers)
        {
            if (answer.Status == "none") yield return $"{answer.Ask} was not answered ({answer.Phase})";
            if (answer.Status != "done") continue;
            if (logged[answer.Ask.Id].FirstOrDefault() is not { } decision)
                yield return $"{answer.Ask} was told {answer.DecisionId}, which is not in the log ({answer.Phase})";
            else if (decision.DecisionId != answer.DecisionId || (decision.Offer ?? "") != answer.Offer)
                yield return $"{answer.Ask} was told {answer.DecisionId} {answer.Offer}, logged {decision.DecisionId} {decision.Offer}";
        }
    }

    /// <summary>A line for each phase: how many, their latencies, and how they ended.</summary>
    public IEnumerable<string> Table()
    {
        foreach (var phase in _answers.GroupBy(a => a.Phase).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var latencies = new LongHistogram(1, 60_000_000, 3);
            foreach (var answer in phase) latencies.RecordValue(Math.Clamp((long)(answer.Ms * 1_000), 1, 60_000_000));
            string Ms(double percentile) =>
                (latencies.GetValueAtPercentile(percentile) / 1_000.0).ToString("0.0", CultureInfo.InvariantCulture);
            yield return $"{phase.Key,-28} {phase.Count(),7} requests, p50 {Ms(50)}, p99 {Ms(99)}, p99.9 {Ms(99.9)} ms; "
                + string.Join(", ", phase.GroupBy(a => a.Status).OrderBy(g => g.Key, StringComparer.Ordinal)
                    .Select(g => $"{g.Count()} {g.Key}"));
            foreach (var said in phase.Where(a => a.Message.Length > 0).GroupBy(a => $"{a.Status}: {Numbers().Replace(a.Message, "N")}")
                .OrderByDescending(g => g.Count()).Take(4))
                yield return $"    {said.Count()} {said.Key}";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    private async Task One(Ask ask, string phase, long due, int first)
    {
        var answer = new Answer(ask, phase, 0, "none", "", "");
        while (Stopwatch.GetElapsedTime(due) < LastTry)
        {
            var nodes = _nodes();
            var node = nodes[first++ % nodes.Count];
            try
            {
                using var reply = await _http.PostAsJsonAsync($"http://127.0.0.1:{node.Port}/v1/decisions",
                    new { customer = ask.Customer, id = ask.Id, placement = ask.Placement, timeout_ms = TimeoutMs });
                var body = JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;
                var status = (string?)body["status"] ?? "done";
                answer = answer with
                {
                    Status = body["fallback"] is null ? status : $"fallback: {status}",
                    DecisionId = (string?)body["decision_id"] ?? "",
                    Message = (string?)body["message"] ?? "",
                    Offer = status == "done" && body["offers"] is JsonArray { Count: > 0 } offers ? (string)offers[0]!["offer"]! : "",
                };
                break;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                await Task.Delay(10);
            }
        }
        _answers.Add(answer with { Ms = Stopwatch.GetElapsedTime(due).TotalMilliseconds });
    }
}
