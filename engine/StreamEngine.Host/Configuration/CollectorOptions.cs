using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>What becomes of an event whose customer has not consented to what its source requires.</summary>
internal enum WithoutConsent
{
    /// <summary>
    /// Only customer, id, time, type and the consent itself are written, so that the engine hears of a consent that is taken back.
    /// </summary>
    Reduce,

    /// <summary>Nothing is written.</summary>
    Drop,

    /// <summary>It is written as it came; the engine keeps its position and hash only.</summary>
    Pass,
}

/// <summary>The collector: events over HTTP into the sources' topics.</summary>
internal sealed record CollectorOptions : ILocated
{
    [Doc("The sources that may be written, by their names in `events`.")]
    [Keyed]
    public IReadOnlyList<CollectorSourceOptions> Sources { get; init; } = [];

    [Doc("The source that takes the calls of Segment's tracking API (/v1/track, /v1/identify, /v1/batch, ...); not served where absent.")]
    public string? Segment { get; init; }

    [Doc("The file with the secret that identifiers are hashed with (HMAC-SHA-256). Another secret makes other customers of the same "
        + "identifiers.")]
    public string? HashKeyFile { get; init; }

    [Doc("The most bytes of a request's body, unpacked.")]
    [Bounds(1024, 1 << 28)]
    public ByteSize MaxBody { get; init; } = ByteSize.Mb(1);

    [Doc("The most events of a request.")]
    [Bounds(1, 1_000_000)]
    public int MaxEvents { get; init; } = 10_000;

    [Doc("How deep the JSON of an event may be nested.")]
    [Bounds(1, 1_000)]
    public int MaxDepth { get; init; } = 32;

    [Doc("The memory for requests that are read, checked and wait for the log. Where it is full, a request is answered with 429 and "
        + "Retry-After.")]
    [Bounds(1 << 20, 1L << 34)]
    public ByteSize Queue { get; init; } = ByteSize.Mb(64);

    [Doc("How long a request waits until its events are in the log. Then it is answered with 503 and Retry-After; the events are still "
        + "written, and a repeat of the request is answered when they are.")]
    [Bounds(0.01, 600)]
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    [Doc("For how long the id of an event that was written is remembered, so that a repeat is not written again; 0 turns it off.")]
    [Bounds(0, 86_400)]
    public TimeSpan RepeatWindow { get; init; } = TimeSpan.FromMinutes(10);

    [Doc("The most ids that are remembered (about 80 bytes each); past it the oldest are forgotten early.")]
    [Bounds(1_000, 100_000_000)]
    public int MaxRepeats { get; init; } = 500_000;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A source that the collector may write.</summary>
internal sealed record CollectorSourceOptions : ILocated
{
    /// <summary>The source's name.</summary>
    public string Name { get; init; } = "";

    [Doc("The names of the keys (http.keys) that may write it; every key with the scope collect where there are none.")]
    public IReadOnlyList<string> Keys { get; init; } = [];

    [Doc("The origins of the web pages that may write it, such as https://shop.example; '*' for all. Callers that are no pages have none.")]
    public IReadOnlyList<string> Origins { get; init; } = [];

    [Doc("The field that takes the time of arrival (ISO 8601, UTC), at the top of the event; what the event itself has there does not "
        + "count. The record's own time in the log is that time anyway. Of JSON.")]
    public string? Arrival { get; init; }

    [Doc("The field, at the top of the event, that gets a random id where an event comes without one. Of JSON.")]
    public string? MakeId { get; init; }

    [Doc("Paths of identifiers that are hashed before anything else is done with them, in lower case and without blanks around. Of JSON.")]
    public IReadOnlyList<string> Hash { get; init; } = [];

    [Doc("What becomes of an event without the consent that the source requires: reduce (only customer, id, time, type and consent are "
        + "written, so that a consent that is taken back arrives; of JSON), drop, or pass.")]
    public WithoutConsent WithoutConsent { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
