using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>Live streams of single customers: what is committed about a customer, told to its page at once.</summary>
internal sealed record LiveOptions : ILocated
{
    [Doc("The origins of the web pages that may listen, such as https://shop.example; '*' for all. Callers that are no pages have none.")]
    public IReadOnlyList<string> Origins { get; init; } = [];

    [Doc("The file with the secret that listeners' tokens are signed with, at least 16 bytes, the same on all nodes. Where absent each "
        + "process makes one of its own when it starts, and knows no other's tokens.")]
    public string? TokenKeyFile { get; init; }

    [Doc("How long a token is good; a stream that was opened with it ends with it.")]
    [Bounds(1, 86_400)]
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    [Doc("After how long without an event a listener gets a sign of life, so that proxies keep the connection.")]
    [Bounds(1, 600)]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    [Doc("After how long a browser connects again when its stream has ended; each is told a time between this and twice as long, so that "
        + "they do not come all at once.")]
    [Bounds(0.1, 600)]
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(2);

    [Doc("Decisions that may wait for a listener that reads slowly; with one more all of them are dropped, and it gets those that the "
        + "customer's profile still knows.")]
    [Bounds(1, 10_000)]
    public int Buffer { get; init; } = 64;

    [Doc("How long a listener may leave what was sent unread before its connection is closed.")]
    [Bounds(1, 600)]
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    [Doc("The most listeners of this process; a further one is answered with 503 and Retry-After.")]
    [Bounds(1, 1_000_000)]
    public int MaxListeners { get; init; } = 10_000;

    [Doc("The most listeners of one customer at this process; a further one is answered with 429 and Retry-After.")]
    [Bounds(1, 10_000)]
    public int MaxPerCustomer { get; init; } = 16;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
