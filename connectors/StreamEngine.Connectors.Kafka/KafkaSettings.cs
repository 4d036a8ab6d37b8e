using System.Globalization;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>librdkafka settings: which are refused and why, and those of each kind of client.</summary>
public static class KafkaSettings
{
    private const string ConsumerPrefix = "consumer.", ProducerPrefix = "producer.", MaxBytes = "message.max.bytes",
        SessionMs = "session.timeout.ms";
    private const string Unknown = "librdkafka has no setting of that name";

    /// <summary>How the names of settings end that hold times, sizes, numbers or one of a few words.</summary>
    private static readonly string[] Harmless =
        [".ms", ".bytes", ".kbytes", ".messages", ".max", ".size", ".level", ".type", ".codec", ".protocol", ".mechanism", ".mechanisms"];

    private const string FromOptions = "it is set from the worker's own ids, so that a restart meets its own transactions and nobody "
        + "else's";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["bootstrap.servers"] = "the address has its own option",
        ["metadata.broker.list"] = "the address has its own option",
        ["isolation.level"] = "records of aborted transactions would be read: only read_committed gives exactly once",
        ["enable.auto.commit"] = "offsets are committed with the outputs, in one transaction",
        ["enable.auto.offset.store"] = "offsets are committed with the outputs, in one transaction",
        ["auto.commit.interval.ms"] = "offsets are committed with the outputs, in one transaction",
        ["auto.offset.reset"] = "a new group starts at the earliest record; an offset that is out of range must stop the shard, not skip "
            + "silently",
        ["partitioner"] = "keys are placed by murmur2, as Kafka's Java clients do; another partitioner would send a customer to two shards",
        ["acks"] = "an acknowledged record must survive the loss of a broker: always all",
        ["request.required.acks"] = "an acknowledged record must survive the loss of a broker: always all",
        ["enable.idempotence"] = "without it a retry writes a record twice",
        ["enable.gapless.guarantee"] = "transactions give it, and without them the connector sets it",
        ["transactional.id"] = FromOptions,
        ["transaction.timeout.ms"] = "it has its own option, the transaction timeout (kafka.transaction_timeout)",
        ["group.id"] = FromOptions,
        ["group.instance.id"] = FromOptions,
        ["group.protocol"] = "the engine's rebalances are written for the classic protocol with cooperative-sticky",
        ["group.remote.assignor"] = "the engine's rebalances are written for the classic protocol with cooperative-sticky",
        ["partition.assignment.strategy"] = "cooperative-sticky keeps the shards that stay running through a rebalance",
        ["enable.partition.eof"] = "the connector sets it where it reads to the end",
        ["delivery.report.only.error"] = "the connector sets it",
        ["allow.auto.create.topics"] = "a topic made by accident has the broker's partitions and retention; use `topics create`",
        ["plugin.library.paths"] = "code loaded into the client could change what is read and written",
    };

    /// <summary>
    /// The settings that can't be used, each with the reason: refused ones, unknown names, values that librdkafka does not take (the last
    /// two only where librdkafka is installed).
    /// </summary>
    /// <param name="settings">The settings as the config has them, prefixes included.</param>
    /// <param name="transactionTimeout">The transaction timeout that will be used; 10 s by default.</param>
    public static IEnumerable<(string Key, string Reason)> Validate(IReadOnlyDictionary<string, string> settings,
        TimeSpan? transactionTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Check(settings, transactionTimeout ?? TimeSpan.FromSeconds(10));
    }

    private static IEnumerable<(string Key, string Reason)> Check(IReadOnlyDictionary<string, string> settings, TimeSpan transactionTimeout)
    {
        var native = CanAskLibrary();
        foreach (var (key, value) in settings)
        {
            var name = Bare(key);
            if (Refused.TryGetValue(name, out var reason)) yield return (key, reason);
            else if (name.StartsWith("dotnet.", StringComparison.Ordinal))
                yield return (key, "it is a setting of the .NET client, which the connector sets itself");
            else if (name == SessionMs && int.TryParse(value, CultureInfo.InvariantCulture, out var session)
                && session <= transactionTimeout.TotalMilliseconds)
                yield return (key, "it must be longer than the transaction timeout: else partitions move while the dead worker's "
                + "transaction still hides its outputs");
            else if (native && Ask(name, value) is { } answer)
                yield return (key, IsHarmless(name) || !Quotes(answer, value) ? answer
                    : "librdkafka does not take its value, which is not shown: it may be a secret");
        }
    }

    /// <summary>
    /// Whether a setting's value can be shown: it is refused whatever its value, or of a kind that holds no secret. A name that is not
    /// known may be a mistyped password's.
    /// </summary>
    public static bool IsHarmless(string key)
    {
        var name = Bare(key);
        return Refused.ContainsKey(name) || (Harmless.Any(end => name.EndsWith(end, StringComparison.Ordinal)) && IsKnown(name));
    }

    /// <summary>Whether an answer holds a value, or the beginning of a long one.</summary>
    private static bool Quotes(string answer, string value) =>
        value.Length > 0 && answer.Contains(value[..Math.Min(value.Length, 4)], StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether librdkafka has a setting of that name; true where it is not installed.</summary>
    public static bool IsKnown(string key) => !CanAskLibrary() || Ask(Bare(key), "") != Unknown;

    /// <summary>
    /// The most bytes of a record, key and value, that a producer with these settings takes; the client's default is 1,000,000.
    /// </summary>
    public static int LargestRecord(IReadOnlyDictionary<string, string> settings) =>
        int.TryParse(settings.GetValueOrDefault(ProducerPrefix + MaxBytes) ?? settings.GetValueOrDefault(MaxBytes), NumberStyles.None,
            CultureInfo.InvariantCulture, out var bytes) ? bytes : 1_000_000;

    /// <summary>After what silence of a worker its partitions go to others.</summary>
    /// <param name="settings">The settings as the config has them, prefixes included.</param>
    /// <param name="transactionTimeout">The transaction timeout; without a setting the session's is longer, as it has to be.</param>
    public static TimeSpan SessionTimeout(IReadOnlyDictionary<string, string> settings, TimeSpan transactionTimeout) =>
        int.TryParse(settings.GetValueOrDefault(ConsumerPrefix + SessionMs) ?? settings.GetValueOrDefault(SessionMs), NumberStyles.None,
            CultureInfo.InvariantCulture, out var ms) ? TimeSpan.FromMilliseconds(ms)
        : TimeSpan.FromMilliseconds(Math.Max(15_000, transactionTimeout.TotalMilliseconds * 1.5));

    /// <exception cref="LogException">A setting is refused: names all of them.</exception>
    internal static void ThrowIfInvalid(KafkaLogOptions options)
    {
        var bad = Check(options.Settings, options.TransactionTimeout).ToList();
        if (bad.Count > 0)
            throw new LogException("Kafka settings can't be used: " + string.Join("; ", bad.Select(b => $"{b.Key}: {b.Reason}")));
    }

    /// <summary>Settings of any client: a base for small batches in flight and no chatter, then the user's.</summary>
    internal static Dictionary<string, string> Client(KafkaLogOptions options)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["bootstrap.servers"] = options.Bootstrap,
            ["client.id"] = "streamengine",
            ["socket.nagle.disable"] = "true",
            ["log.connection.close"] = "false",
            ["reconnect.backoff.max.ms"] = "2000",
            // librdkafka's default, rebootstrap, takes "no brokers" from a broker that is just starting at its word and forgets all of
            // them: client and producer then stay away for ever (its issue 5301; seen with 2.16 after every restart of a single broker).
            ["metadata.recovery.strategy"] = "none",
        };
        foreach (var (key, value) in options.Settings)
            if (Bare(key) == key) all[key] = value;
        return all;
    }

    /// <summary>Settings of a consumer; the caller adds group and isolation.</summary>
    internal static Dictionary<string, string> Consumer(KafkaLogOptions options)
    {
        var all = Client(options);
        Default(all, "fetch.queue.backoff.ms", "20"); // the default of a second idles a fast reader each time its prefetch is full
        Default(all, "fetch.error.backoff.ms", "100");
        Default(all, "queued.max.messages.kbytes", "65536");
        Default(all, "topic.metadata.refresh.interval.ms", "60000");
        Prefixed(all, options, ConsumerPrefix);
        all["isolation.level"] = "read_committed";
        all["enable.auto.commit"] = "false";
        all["enable.auto.offset.store"] = "false";
        all["auto.offset.reset"] = "error";
        all["allow.auto.create.topics"] = "false";
        return all;
    }

    /// <summary>Settings of a producer; the caller adds the transactional id.</summary>
    internal static Dictionary<string, string> Producer(KafkaLogOptions options)
    {
        var all = Client(options);
        Default(all, "linger.ms", "10"); // a commit flushes at once: this only keeps batches large in between
        Default(all, "batch.size", "1000000");
        // A broker answers the first request of a transaction with "try again" while it still writes the markers of the one before, and
        // the next transaction begins as soon as that one is committed: with the defaults of 100 ms, doubled up to a second, this was
        // nearly all of the time from a decision to its commit.
        Default(all, "retry.backoff.ms", "2");
        Default(all, "retry.backoff.max.ms", "20");
        Default(all, "queue.buffering.max.kbytes", "131072");
        Default(all, "queue.buffering.max.messages", "200000");
        Prefixed(all, options, ProducerPrefix);
        all["enable.idempotence"] = "true";
        all["acks"] = "all";
        return all;
    }

    private static void Default(Dictionary<string, string> all, string name, string value) => all.TryAdd(name, value);

    private static void Prefixed(Dictionary<string, string> all, KafkaLogOptions options, string prefix)
    {
        foreach (var (key, value) in options.Settings)
            if (key.StartsWith(prefix, StringComparison.Ordinal)) all[key[prefix.Length..]] = value;
    }

    private static string Bare(string key) =>
        key.StartsWith(ConsumerPrefix, StringComparison.Ordinal) ? key[ConsumerPrefix.Length..]
        : key.StartsWith(ProducerPrefix, StringComparison.Ordinal) ? key[ProducerPrefix.Length..]
        : key;

    private static bool CanAskLibrary()
    {
        try
        {
            NativeLibrarySetup.Ensure();
            return true;
        }
        catch (LogException)
        {
            return false; // a config is checked also where no broker will be used; opening the log tells about the library
        }
    }

    private static unsafe string? Ask(string name, string value)
    {
        var config = Rdkafka.NewConfig();
        var text = stackalloc byte[512];
        var outcome = Rdkafka.Set(config, name, value, text, 512);
        Rdkafka.DestroyConfig(config);
        return outcome switch
        {
            0 => null,
            -2 => Unknown,
            _ => Rdkafka.Text((nint)text),
        };
    }
}
