using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Explanation;

/// <summary>How a lookup ended. The names, in snake case, are the metric's labels and the words in refusals.</summary>
internal enum LookupStatus
{
    /// <summary>The decision was found.</summary>
    Found,

    /// <summary>The text is no decision id.</summary>
    Malformed,

    /// <summary>There is no such decision here.</summary>
    UnknownDecision,

    /// <summary>Too many lookups wait.</summary>
    Busy,

    /// <summary>The log did not answer in time.</summary>
    TimedOut,

    /// <summary>The log can't be read.</summary>
    Log,
}

/// <summary>How a lookup ended.</summary>
/// <param name="Status">How.</param>
/// <param name="Decision">The decision, where it was found.</param>
/// <param name="Message">What is at fault, and what to do, where it was not.</param>
internal sealed record Lookup(LookupStatus Status, ExplainedDecision? Decision = null, string Message = "");

/// <summary>
/// Looks decisions up for callers of a running engine, away from its loop: a few at a time, each within a time, on readers that are kept
/// from one lookup to the next. Any process that reads the log answers for any decision.
/// </summary>
internal sealed class DecisionLookups : IDisposable
{
    /// <summary>Lookups that run side by side.</summary>
    public const int AtOnce = 4;

    /// <summary>Lookups that may wait or run; a further one is refused.</summary>
    public const int Most = 64;

    private readonly ILog _log;
    private readonly CompiledEngine _engine;
    private readonly DecisionReasons _reasons;
    private readonly TimeSpan _patience;
    private readonly SemaphoreSlim _turns = new(AtOnce);
    private readonly ConcurrentBag<DecisionDesk> _desks = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _explained;
    private readonly Histogram<double> _duration;
    private int _here;

    /// <param name="log">The log.</param>
    /// <param name="engine">The config that runs.</param>
    /// <param name="patience">How long a lookup may take, waiting included; 5 s where absent.</param>
    public DecisionLookups(ILog log, CompiledEngine engine, TimeSpan? patience = null)
    {
        (_log, _engine, _patience) = (log, engine, patience ?? TimeSpan.FromSeconds(5));
        _reasons = new DecisionReasons(engine);
        _lookups = _meter.CreateCounter<long>("streamengine.decision.lookups", "{lookup}", "Decisions that were looked up, by status.");
        _explained = _meter.CreateCounter<long>("streamengine.decision.reasons", "{score}",
            "Scores of models in decisions that were looked up, by whether what features added was told or refused.");
        _duration = _meter.CreateHistogram("streamengine.decision.lookup.duration", "s", "How long a lookup of a decision took.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = EngineMeter.DurationBounds });
    }

    /// <summary>Looks a decision up.</summary>
    /// <param name="text">Its id.</param>
    /// <param name="cancel">The caller does not wait any longer.</param>
    public async Task<Lookup> FindAsync(string text, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        var found = await TryAsync(text, cancel).ConfigureAwait(false);
        _lookups.Add(1, new KeyValuePair<string, object?>("status", Spelling.Snake(found.Status.ToString())));
        foreach (var score in found.Decision?.Reasons ?? [])
            _explained.Add(1, new KeyValuePair<string, object?>("status", score.Refusal.Length == 0 ? "told" : "refused"));
        _duration.Record(TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _closed.Cancel();
        // What runs ends at its next look; then nobody has a desk.
        for (var i = 0; i < AtOnce; i++) _turns.Wait(_patience);
        foreach (var desk in _desks) desk.Dispose();
        _meter.Dispose();
    }

    private async Task<Lookup> TryAsync(string text, CancellationToken cancel)
    {
        if (!DecisionId.TryParse(text, out var id))
            return new Lookup(LookupStatus.Malformed, Message: Malformed(text));
        if (id.Engine != _engine.Options.Name)
            return new Lookup(LookupStatus.UnknownDecision,
                Message: $"This engine is '{_engine.Options.Name}', and the decision is of engine '{id.Engine}': ask that one.");
        if (Interlocked.Increment(ref _here) > Most)
        {
            Interlocked.Decrement(ref _here);
            return new Lookup(LookupStatus.Busy, Message: $"{Most} lookups are waited for already: ask again later.");
        }
        using var late = new CancellationTokenSource(_patience, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token, _closed.Token);
        try
        {
            await _turns.WaitAsync(stop.Token).ConfigureAwait(false);
            // A log that is away may keep a call for long: its caller is answered in time all the same, and its turn is taken until then.
            return await Task.Run(() => LookAndLeave(id, stop.Token), CancellationToken.None).WaitAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new Lookup(LookupStatus.TimedOut,
                Message: $"The log did not tell within {_patience.TotalSeconds:0.#} s whether there is such a decision: ask again.");
        }
        catch (LogException e)
        {
            return new Lookup(LookupStatus.Log, Message: e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _here);
        }
    }

    /// <summary>What to say of a text that is no id.</summary>
    internal static string Malformed(string text) =>
        $"'{Printable.Text(text.Length <= 200 ? text : text[..200] + " ...")}' is no decision id, which is "
        + "ENGINE/TOPIC/PARTITION/OFFSET/ORDINAL, such as shop/events/3/1841/1. Answers to requests have it as decision_id, actions as "
        + "action_id.";

    private Lookup LookAndLeave(DecisionId id, CancellationToken stop)
    {
        try
        {
            return Look(id, stop);
        }
        finally
        {
            _turns.Release();
        }
    }

    private Lookup Look(DecisionId id, CancellationToken stop)
    {
        if (!_desks.TryTake(out var desk))
            desk = new DecisionDesk(_log, _engine.Options.Outputs.Decisions, new Explainer(_engine, _reasons));
        try
        {
            var decision = desk.Look(id, stop, out var missing);
            return decision is null ? new Lookup(LookupStatus.UnknownDecision, Message: missing) : new Lookup(LookupStatus.Found, decision);
        }
        catch (LogException)
        {
            // Its reader may be beyond use.
            desk.Dispose();
            desk = null;
            throw;
        }
        finally
        {
            if (desk is not null) _desks.Add(desk);
        }
    }
}
