using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using StreamEngine.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Activation.Flow;

/// <summary>
/// Delivers a batch until the partner has taken it: retries with backoff and jitter around a circuit breaker that all lanes of the
/// connector share. Any thread.
/// </summary>
internal sealed class Deliverer : IDisposable
{
    /// <summary>The longest that a partner's Retry-After is listened to.</summary>
    private static readonly TimeSpan MostRetryAfter = TimeSpan.FromHours(1);

    private static readonly ResiliencePropertyKey<long> Began = new("began");

    private readonly ISink _sink;
    private readonly DeadLetters _deadLetters;
    private readonly TimeProvider _time;
    private readonly Outage _outage;
    private readonly Lock _telling = new();
    private readonly ResiliencePipeline _pipeline;
    private readonly CircuitBreakerStateProvider _breaker = new();

    /// <param name="options">Retry and breaker.</param>
    /// <param name="open">Opens the target, with the dead letter that it writes to.</param>
    /// <param name="deadLetters">Makes the dead letter.</param>
    /// <param name="time">The clock of pauses and limits.</param>
    /// <param name="report">Takes the lines for the log.</param>
    public Deliverer(ActivationOptions options, Func<DeadLetters, ISink> open, Func<ConnectorMetrics, DeadLetters> deadLetters,
        TimeProvider time, Action<WorkerEvent> report)
    {
        _time = time;
        Metrics = new ConnectorMetrics(options.Name, () => _breaker.CircuitState);
        _deadLetters = deadLetters(Metrics);
        _sink = open(_deadLetters);
        _outage = new Outage($"partner of activation {options.Name}", time, report);
        _pipeline = Pipeline(options);
    }

    /// <summary>The connector's instruments.</summary>
    public ConnectorMetrics Metrics { get; }

    /// <summary>Where it delivers to.</summary>
    public ISink Sink => _sink;

    /// <summary>Where refused records go.</summary>
    public DeadLetters DeadLetters => _deadLetters;

    /// <summary>Whether the partner answers, since when not, and why.</summary>
    public Outage Outage => _outage;

    /// <summary>Delivers a batch; it is not done where its partition went to somebody else meanwhile.</summary>
    public async Task DeliverAsync(Batch batch)
    {
        if (batch.Stop.IsCancellationRequested) return;
        var first = _time.GetTimestamp();
        try
        {
            await RunAsync(async stop =>
            {
                var began = _time.GetTimestamp();
                batch.Refused = 0;
                await _sink.DeliverAsync(batch, stop).ConfigureAwait(false);
                Metrics.Delivered(batch.Records.Count - batch.Refused, _time.GetElapsedTime(began));
            }, batch.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (batch.Stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (e is PartnerAwayException or BrokenCircuitException)
        {
            var refusal = new Refusal("gave_up", $"not taken within {Spelling.Duration(_sink.GiveUpAfter!.Value)}; last: {Reason(e)}");
            // What the partner has taken in calls that are over is no dead letter.
            var open = batch.Open.ToList();
            var taken = batch.Records.Count - open.Count - batch.Settled.Refused;
            if (taken > 0) Metrics.Delivered(taken, _time.GetElapsedTime(first));
            foreach (var record in open) await _deadLetters.WriteAsync(record, refusal).ConfigureAwait(false);
        }
        batch.IsDone = true;
    }

    /// <summary>Asks the target something, as patiently.</summary>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken stop)
    {
        var answer = default(T)!;
        await RunAsync(async token => answer = await ask(token).ConfigureAwait(false), stop).ConfigureAwait(false);
        return answer;
    }

    public void Dispose()
    {
        _deadLetters.Dispose();
        Metrics.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task> attempt, CancellationToken stop)
    {
        var context = ResilienceContextPool.Shared.Get(stop);
        context.Properties.Set(Began, _time.GetTimestamp());
        try
        {
            await _pipeline.ExecuteAsync(async c => await attempt(c.CancellationToken).ConfigureAwait(false), context)
                .ConfigureAwait(false);
            lock (_telling) _outage.Back();
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ResiliencePipeline Pipeline(ActivationOptions options) => new ResiliencePipelineBuilder { TimeProvider = _time }
        .AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.Retry.Delay,
            MaxDelay = options.Retry.MaxDelay,
            ShouldHandle = a => ValueTask.FromResult(a.Outcome.Exception is PartnerAwayException or BrokenCircuitException
                && MayRetry(a.Context)),
            DelayGenerator = a => ValueTask.FromResult(Asked(a.Outcome.Exception)),
            OnRetry = a =>
            {
                Failed(a.Outcome.Exception!);
                return default;
            },
        })
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = options.Breaker.FailureRatio,
            MinimumThroughput = options.Breaker.MinimumAttempts,
            SamplingDuration = options.Breaker.Window,
            BreakDuration = options.Breaker.Break,
            StateProvider = _breaker,
            ShouldHandle = a => ValueTask.FromResult(a.Outcome.Exception is PartnerAwayException),
        })
        .Build();

    private bool MayRetry(ResilienceContext context) => _sink.GiveUpAfter is not { } limit
        || _time.GetElapsedTime(context.Properties.GetValue(Began, 0L)) < limit;

    /// <summary>How long the partner or the breaker asks to wait; null for the ordinary backoff.</summary>
    private static TimeSpan? Asked(Exception? e) => e switch
    {
        PartnerAwayException { RetryAfter: { } after } => after < MostRetryAfter ? after : MostRetryAfter,
        BrokenCircuitException { RetryAfter: { } after } => after + TimeSpan.FromMilliseconds(10),
        _ => null,
    };

    private void Failed(Exception e)
    {
        if (e is PartnerAwayException away) Metrics.Retried(away.Label);
        else Metrics.Retried("breaker_open");
        if (e is PartnerAwayException) lock (_telling) _outage.Away(e.Message, "Its records wait in the topic; nothing is lost.");
    }

    private static string Reason(Exception e) => e switch
    {
        PartnerAwayException away => away.Detail,
        BrokenCircuitException { InnerException: { } inner } => Reason(inner),
        _ => e.Message,
    };
}
