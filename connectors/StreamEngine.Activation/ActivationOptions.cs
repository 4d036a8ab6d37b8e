using StreamEngine.Activation.Files;
using StreamEngine.Activation.Postgres;
using StreamEngine.Activation.Redis;
using StreamEngine.Activation.Webhook;
using StreamEngine.Configuration;

namespace StreamEngine.Activation;

/// <summary>One activation connector: what it reads, and the partner it delivers to.</summary>
[Doc("A connector that delivers actions, decisions, outcomes or changes of audiences to a partner, by a consumer group of its own; "
    + "exactly one of webhook, files, postgres and redis says where to.")]
public sealed record ActivationOptions : ILocated
{
    /// <summary>The connector's name.</summary>
    public string Name { get; init; } = "";

    [Doc("The topic that is read: one of actions, or that of decisions, outcomes or audiences; outputs.actions where absent.")]
    public string? Topic { get; init; }

    [Doc("Which records are delivered: an expression over action.*, decision.*, outcome.* or audience.*, as action.channel == 'email'; all "
        + "where absent.")]
    public ExprText? Where { get; init; }

    [Doc("Delivers to an HTTP endpoint.")]
    public WebhookOptions? Webhook { get; init; }

    [Doc("Writes files into a folder.")]
    public FilesOptions? Files { get; init; }

    [Doc("Writes rows into a table of PostgreSQL.")]
    public PostgresOptions? Postgres { get; init; }

    [Doc("Keeps the last record of each customer in Redis.")]
    public RedisOptions? Redis { get; init; }

    [Doc("The topic of what can't be delivered; connectors may share one. `activation replay` sends it again.")]
    public string DeadLetter { get; init; } = "activation-dead-letter";

    [Doc("The most records that are read and not delivered yet; the topic waits behind them.")]
    [Bounds(1, 1_000_000)]
    public int MaxInFlight { get; init; } = 1_000;

    [Doc("The most bytes of them.")]
    [Bounds(1 << 10, 1L << 32)]
    public ByteSize MaxInFlightBytes { get; init; } = ByteSize.Mb(64);

    [Doc("How often the positions up to which everything is delivered are committed.")]
    [Bounds(0.01, 60)]
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromSeconds(1);

    [Doc("When a delivery that failed is tried again.")]
    public ActivationRetryOptions Retry { get; init; } = new();

    [Doc("When a partner that fails is left alone for a while.")]
    public ActivationBreakerOptions Breaker { get; init; } = new();

    [Doc("Whether `run` runs this connector too, in its own process, beside `activate`.")]
    public bool InRun { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>When a delivery that failed is tried again: exponential backoff with jitter.</summary>
public sealed record ActivationRetryOptions : ILocated
{
    [Doc("The first pause, about: each is moved at random, so that many do not come at once.")]
    [Bounds(0.001, 3_600)]
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(200);

    [Doc("The longest pause; a partner's Retry-After may ask for a longer one, up to an hour.")]
    [Bounds(0.001, 3_600)]
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>The circuit breaker in front of a partner.</summary>
public sealed record ActivationBreakerOptions : ILocated
{
    [Doc("The share of attempts that fail, within the window, from which the partner is left alone.")]
    [Bounds(0.01, 1)]
    public double FailureRatio { get; init; } = 0.5;

    [Doc("The fewest attempts within the window that say anything.")]
    [Bounds(2, 100_000)]
    public int MinimumAttempts { get; init; } = 10;

    [Doc("The window.")]
    [Bounds(0.5, 3_600)]
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(30);

    [Doc("For how long it is left alone before a single attempt asks whether it is back.")]
    [Bounds(0.5, 3_600)]
    public TimeSpan Break { get; init; } = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
