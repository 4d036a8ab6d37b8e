using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Events.Registry;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Collector;

/// <summary>What became of a request's events.</summary>
/// <param name="Outcomes">Of each event, in order.</param>
/// <param name="Errors">Why events were rejected.</param>
internal sealed record Collected(IReadOnlyList<EventOutcome> Outcomes, IReadOnlyList<EventError> Errors)
{
    /// <summary>How many events had this outcome.</summary>
    public int Count(EventOutcome outcome) => Outcomes.Count(o => o == outcome);

    /// <summary>Whether none could be taken.</summary>
    public bool AllRejected => Outcomes.Count > 0 && Errors.Count == Outcomes.Count;
}

/// <summary>How writing a request's events ended.</summary>
internal enum WriteOutcome
{
    /// <summary>They are in the log.</summary>
    Written,

    /// <summary>There is no room for them now; nothing was done.</summary>
    Full,

    /// <summary>They are not in the log yet, or nobody knows.</summary>
    Unknown,

    /// <summary>The schema of one can't be had now; nothing was done.</summary>
    NoSchema,
}

/// <summary>
/// Takes events into the sources' topics. A request goes: (1) its bytes take their share of the memory; (2) each event is judged as the
/// engine will, and copied into a batch (<see cref="SourceIntake"/>); (3) those whose id is known are left out (<see
/// cref="RepeatFilter"/>); (4) the batch is written (<see cref="EventQueue"/>); (5) the answer says what became of each, once all of it is
/// in the log, also what another request is writing.
/// </summary>
internal sealed class EventCollector : IDisposable
{
    private readonly RepeatFilter _repeats;
    private readonly EventQueue _queue;

    /// <param name="options">The section of the config.</param>
    /// <param name="engine">The engine whose sources are written.</param>
    /// <param name="open">Opens a writer of the log.</param>
    /// <param name="secret">What identifiers are hashed with.</param>
    /// <param name="largestRecord">The most bytes of a record, key and value, that the log takes.</param>
    /// <param name="say">Told what is worth a line in the log.</param>
    public EventCollector(CollectorOptions options, CompiledEngine engine, Func<ILogWriter> open, byte[] secret, int largestRecord,
        Action<string> say)
    {
        Options = options;
        Sources = options.Sources.ToDictionary(s => s.Name, s =>
        {
            var source = engine.Options.Events.First(e => e.Name == s.Name);
            var edits = source.Format == Events.RecordFormat.Json ? new JsonEdits(source, s.Hash, secret, options.MaxDepth) : null;
            return new SourceIntake(s, engine, edits, largestRecord);
        });
        Memory = new MemoryBudget(options.Queue.Bytes);
        _repeats = new RepeatFilter(options.RepeatWindow, options.MaxRepeats, TimeProvider.System);
        Metrics = new CollectorMetrics(() => Memory.Taken, () => _repeats.Count);
        _queue = new EventQueue(open, _repeats.End, Metrics, say);
    }

    /// <summary>The section of the config.</summary>
    public CollectorOptions Options { get; }

    /// <summary>The sources by name.</summary>
    public IReadOnlyDictionary<string, SourceIntake> Sources { get; }

    /// <summary>The memory of all requests.</summary>
    public MemoryBudget Memory { get; }

    /// <summary>The metrics.</summary>
    public CollectorMetrics Metrics { get; }

    /// <summary>Judges events and writes those that can be.</summary>
    /// <param name="source">Their source.</param>
    /// <param name="body">What holds them.</param>
    /// <param name="events">Where they stand in it.</param>
    /// <param name="lines">Whether each may be no JSON, which then is its own mistake.</param>
    /// <param name="faults">What is known to be wrong with some of them, by their places in the request; null where nothing is.</param>
    /// <param name="share">The request's memory; given back once they are written.</param>
    /// <param name="stop">The caller is gone.</param>
    public async Task<(WriteOutcome Outcome, Collected Events)> TakeAsync(SourceIntake source, ArraySegment<byte> body,
        IReadOnlyList<Range> events, bool lines, IReadOnlyDictionary<int, string>? faults, MemoryBudget.Share share,
        CancellationToken stop)
    {
        var batch = new EventBatch(source.Topic, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        var others = new HashSet<EventBatch>();
        var collected = new Collected([], []);
        var handed = false;
        try
        {
            collected = Judge(source, body, events, lines, faults, batch, others);
            if (batch.Records.Count > 0)
            {
                batch.Share = share;
                handed = _queue.TryAdd(batch);
                if (!handed) return (WriteOutcome.Full, collected);
                others.Add(batch);
            }
        }
        catch (SchemaRegistryException)
        {
            return (WriteOutcome.NoSchema, collected);
        }
        finally
        {
            if (!handed) GiveUp(batch, share);
        }
        try
        {
            var written = await Task.WhenAll(others.Select(b => b.Written)).WaitAsync(Options.Patience, TimeProvider.System, stop)
                .ConfigureAwait(false);
            if (!written.All(w => w)) return (WriteOutcome.Unknown, collected);
        }
        catch (TimeoutException)
        {
            return (WriteOutcome.Unknown, collected);
        }
        foreach (var outcome in Enum.GetValues<EventOutcome>())
            Metrics.Count(source.Name, Spelling.Snake(outcome.ToString()), collected.Count(outcome));
        return (WriteOutcome.Written, collected);
    }

    /// <summary>
    /// Takes nothing more and writes what was taken; false where the log does not take it in time. That was answered to nobody.
    /// </summary>
    public bool Close(TimeSpan patience) => _queue.Close(patience);

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        Metrics.Dispose();
    }

    private void GiveUp(EventBatch batch, MemoryBudget.Share share)
    {
        _repeats.End(batch, false);
        share.Dispose();
        batch.End(false);
    }

    private Collected Judge(SourceIntake source, ArraySegment<byte> body, IReadOnlyList<Range> events, bool lines,
        IReadOnlyDictionary<int, string>? faults, EventBatch batch, HashSet<EventBatch> others)
    {
        var outcomes = new List<EventOutcome>(events.Count);
        var errors = new List<EventError>();
        foreach (var place in events)
        {
            var value = body.AsSpan(place);
            var (outcome, id, error) = (EventOutcome.Rejected, default(EventId), (EventError?)null);
            var begin = batch.Length;
            var before = batch.Records.Count;
            var fault = faults?.GetValueOrDefault(outcomes.Count);
            if (fault is null && lines && !BodyEvents.IsWithin(value, Options.MaxDepth))
                fault = $"it is no JSON, or is nested deeper than {Options.MaxDepth} levels";
            if (fault is not null)
                error = new EventError(outcomes.Count, "malformed", null, fault, EventError.RemedyOf(Events.RejectReason.Malformed));
            else outcome = source.Judge(value, outcomes.Count, batch, out id, out error);
            if (batch.Records.Count > before && !_repeats.TryClaim(id, batch, out var writer))
            {
                batch.Records.RemoveAt(before);
                batch.CutTo(begin);
                outcome = EventOutcome.Duplicate;
                if (writer is not null && writer != batch) others.Add(writer);
            }
            outcomes.Add(outcome);
            if (error is null) continue;
            errors.Add(error);
            Metrics.Reject(source.Name, error.Reason);
        }
        return new Collected(outcomes, errors);
    }
}
