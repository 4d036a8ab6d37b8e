using StreamEngine.Configuration;

namespace StreamEngine.Activation.Redis;

/// <summary>The last record of each customer, as a key of Redis.</summary>
public sealed record RedisOptions : ILocated
{
    [Doc("StackExchange.Redis's configuration, as redis:6379,ssl=true; the password in a file of its own.")]
    public string Connection { get; init; } = "";

    [Doc("A file with the password.")]
    public string? PasswordFile { get; init; }

    [Doc("What stands before the customer id in the key.")]
    public string Prefix { get; init; } = "streamengine:last:";

    [Doc("After how long without a new record the key goes; 0s keeps it.")]
    [Bounds(0, 315_360_000)]
    public TimeSpan Expire { get; init; } = TimeSpan.Zero;

    [Doc("The most records of one round trip.")]
    [Bounds(1, 100_000)]
    public int BatchRecords { get; init; } = 500;

    [Doc("How long a round trip waits for more records.")]
    [Bounds(0.001, 60)]
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Which keys, and nothing of the connection.</summary>
    public override string ToString() => $"keys {Prefix}*";
}
