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
/// <param name="Ms">From when it was due to the answer, ms.</param>
/// <param name="Status">done, or the API's word for what went wrong; none where no node answered at all.</param>
/// <param name="DecisionId">The decision, where there is one.</param>
/// <param name="Offer">The first offer; empty where there is none.</param>
/// <param name="Message">What the API says to it; empty where it was served.</param>
internal sealed record Answer(Ask Ask, double Ms, string Status, string DecisionId = "", string Offer = "", string Message = "")
{
    /// <summary>What the run did meanwhile.</summary>
    public string Phase { get; init; } = "";

    /// <summary>When it was heard, and the process that gave it.</summary>
    public (DateTimeOffset At, int Process) Heard { get; init; }
}

/// <summary>
/// Asks for decisions of random customers at random nodes over HTTP, open loop: each request has its time, late or not, and its latency
/// counts from there. Where a node does not answer, another one is asked with the same id, as a load balancer does; what the first one says
/// after all, when it goes on, is heard too. Some requests are asked twice at once, of two nodes.
/// </summary>
internal sealed partial class RequestLoad : IDisposable
{
    private static readonly string[] Placements = ["home", "product", "cart", "search"];

    /// <summary>A node that has not answered so long after the deadline stands still, or is lost in work: another one is asked.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>A node that has run all the time and has not answered by then has lost the request.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromMilliseconds(250) })
    { Timeout = Patience };

    private readonly ConcurrentDictionary<string, Ask> _asks = new();
    private readonly ConcurrentBag<Answer> _answers = [], _heard = [];
    private readonly ConcurrentBag<string> _silent = [];
    private readonly List<(long Since, string Name)> _phases = [(0, "warming up")];
    private readonly Func<IReadOnlyList<EngineProcess>> _nodes;
    private readonly Random _random;
    private readonly int _customers, _timeoutMs;

    /// <param name="nodes">The nodes that may be asked now.</param>
    /// <param name="customers">Customers are asked for among the first so many of the input's.</param>
    /// <param name="seed">Draws customers, nodes and placements.</param>
    /// <param name="timeoutMs">How long a node tries; it answers by then, with the stand-in at the latest.</param>
    public RequestLoad(Func<IReadOnlyList<EngineProcess>> nodes, int customers, int seed, int timeoutMs = 3_000) =>
        (_nodes, _customers, _random, _timeoutMs) = (nodes, customers, new Random(seed), timeoutMs);

    /// <summary>
    /// What the run is doing now. A phase named quiet is one in which nothing may go wrong: it has the requests that were due and answered
    /// within it; others count for what they met.
    /// </summary>
    public string Phase
    {
        set
        {
            lock (_phases) _phases.Add((Stopwatch.GetTimestamp(), value));
        }
    }

    /// <summary>What each request came to: the first answer to it.</summary>
    public IReadOnlyCollection<Answer> Answers => _answers;

    /// <summary>What the quiet phases' requests came to.</summary>
    public IReadOnlyCollection<Answer> Quiet => [.. _answers.Where(a => IsQuiet(a.Phase))];

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
            open.Add(One(ask, due, first));
            if (_random.Next(50) == 0) open.Add(One(ask, due, first + 1));
        }
        await Task.WhenAll(open);
    }

    /// <summary>Holds everything that was heard against the log; each fault in words.</summary>
    public IEnumerable<string> Faults(IEnumerable<DecisionRecord> decisions)
    {
        var logged = decisions.Where(d => d.Origin == "request").ToLookup(d => d.EventId);
        foreach (var twice in logged.Where(g => g.Count() > 1))
            yield return $"{twice.Key} was decided {twice.Count()} times: {string.Join(", ", twice.Select(d => d.DecisionId))}";
        foreach (var silent in _silent) yield return silent;
        foreach (var answer in _answers.Where(a => a.Status == "none")) yield return $"{answer.Ask} was not answered ({answer.Phase})";
        foreach (var answer in _heard.Where(a => a.Status == "done"))
        {
            if (logged[answer.Ask.Id].FirstOrDefault() is not { } decision)
                yield return $"{answer.Ask} was told {answer.DecisionId}, which is not in the log ({answer.Phase}, "
                    + $"{answer.Heard.At:HH:mm:ss.fff} by process {answer.Heard.Process})";
            else if (decision.DecisionId != answer.DecisionId || (decision.Offer ?? "") != answer.Offer)
                yield return $"{answer.Ask} was told {answer.DecisionId} {answer.Offer}, logged {decision.DecisionId} {decision.Offer}";
        }
    }

    /// <summary>A line for each phase: how many, their latencies, and how they ended.</summary>
    public IEnumerable<string> Table()
    {
        foreach (var phase in _answers.GroupBy(a => a.Phase).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var latencies = new LongHistogram(1, 600_000_000, 3);
            foreach (var answer in phase) latencies.RecordValue(Math.Clamp((long)(answer.Ms * 1_000), 1, 600_000_000));
            string Ms(double percentile) =>
                (latencies.GetValueAtPercentile(percentile) / 1_000.0).ToString("0.0", CultureInfo.InvariantCulture);
            yield return $"{phase.Key,-28} {phase.Count(),7} requests, p50 {Ms(50)}, p99 {Ms(99)}, p99.9 {Ms(99.9)} ms; "
                + string.Join(", ", phase.GroupBy(a => a.Status).OrderBy(g => g.Key, StringComparer.Ordinal)
                    .Select(g => $"{g.Count()} {g.Key}"));
            foreach (var said in phase.Where(a => a.Message.Length > 0).GroupBy(a => $"{a.Status}: {Numbers().Replace(a.Message, "N")}")
                .OrderByDescending(g => g.Count()).Take(4))
                yield return $"    {said.Count()} {said.Key}";
        }
        yield return $"{_heard.Count - _answers.Count(a => a.Status != "none")} further answers came behind another one";
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    private static bool IsQuiet(string phase) => phase.EndsWith("quiet", StringComparison.Ordinal);

    private async Task One(Ask ask, long due, int first)
    {
        var attempts = new List<Task<Answer?>>();
        Answer? answer = null;
        while (answer is null && Stopwatch.GetElapsedTime(due) < Patience)
        {
            var nodes = _nodes();
            var attempt = Attempt(ask, due, nodes[first++ % nodes.Count]);
            attempts.Add(attempt);
            var waited = Task.Delay(TimeSpan.FromMilliseconds(_timeoutMs) + Grace);
            do
            {
                await Task.WhenAny([waited, .. attempts.Where(a => !a.IsCompleted)]);
                answer = attempts.Find(a => a.IsCompletedSuccessfully && a.Result is not null)?.Result;
            } while (answer is null && !waited.IsCompleted && !attempt.IsCompleted);
            if (answer is null && !waited.IsCompleted) await Task.Delay(10);
        }
        _answers.Add(answer ?? new Answer(ask, Stopwatch.GetElapsedTime(due).TotalMilliseconds, "none") { Phase = PhaseSince(due) });
        await Task.WhenAll(attempts);
    }

    /// <summary>Asks one node. What it says is heard, whenever that is.</summary>
    private async Task<Answer?> Attempt(Ask ask, long due, EngineProcess node)
    {
        var asked = Stopwatch.GetTimestamp();
        try
        {
            using var reply = await _http.PostAsJsonAsync($"http://127.0.0.1:{node.Port}/v1/decisions",
                new { customer = ask.Customer, id = ask.Id, placement = ask.Placement, timeout_ms = _timeoutMs });
            var body = JsonNode.Parse(await reply.Content.ReadAsStringAsync())!;
            // A refusal is problem details, whose status is a number and whose reason is the word.
            var status = (string?)body["reason"] ?? (string?)body["status"] ?? "done";
            var answer = new Answer(ask, Stopwatch.GetElapsedTime(due).TotalMilliseconds,
                body["fallback"] is null ? status : $"fallback: {status}")
            {
                DecisionId = (string?)body["decision_id"] ?? "",
                Message = (string?)body["message"] ?? "",
                Offer = status == "done" && body["offers"] is JsonArray { Count: > 0 } offers ? (string)offers[0]!["offer"]! : "",
                Phase = PhaseSince(due),
                Heard = (TimeProvider.System.GetUtcNow(), node.Id),
            };
            _heard.Add(answer);
            return answer;
        }
        catch (TaskCanceledException) when (Stopwatch.GetElapsedTime(asked) >= Patience)
        {
            if (node.RanSince(asked)) _silent.Add($"{ask} had no answer of the node at {node.Port} in {Patience.TotalSeconds} s: it ran");
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>The phase that a request met which was due at a time and ends now: of several, the first that is not quiet.</summary>
    private string PhaseSince(long due)
    {
        lock (_phases)
        {
            var met = _phases.FindLastIndex(p => p.Since <= due);
            while (met < _phases.Count - 1 && IsQuiet(_phases[met].Name)) met++;
            return _phases[met].Name;
        }
    }
}
