using StackExchange.Redis;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Configuration;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Redis;

/// <summary>
/// Keeps the last record of each customer as a hash. A record that comes again, or late in a replay, does not take the place of a newer
/// one: the hash knows the offset it has.
/// </summary>
internal sealed class RedisSink : ISink
{
    private const string Script = """
        local at = redis.call('HMGET', KEYS[1], 'topic', 'partition', 'offset')
        if at[1] == ARGV[1] and at[2] == ARGV[2] and tonumber(at[3]) >= tonumber(ARGV[3]) then return 0 end
        redis.call('HSET', KEYS[1], 'topic', ARGV[1], 'partition', ARGV[2], 'offset', ARGV[3], 'record', ARGV[4])
        if tonumber(ARGV[5]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[5]) else redis.call('PERSIST', KEYS[1]) end
        return 1
        """;

    private readonly RedisOptions _options;
    private readonly ConfigurationOptions _connection;
    private readonly SinkSetup _setup;
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private ConnectionMultiplexer? _redis;

    /// <param name="options">The config.</param>
    /// <param name="connection">The connection, with the password.</param>
    /// <param name="setup">The connector's parts.</param>
    public RedisSink(RedisOptions options, ConfigurationOptions connection, SinkSetup setup)
    {
        (_options, _connection, _setup) = (options, connection, setup);
        Rule = new BatchRule(options.BatchRecords, long.MaxValue, options.Linger);
    }

    public BatchRule Rule { get; }

    public TimeSpan? GiveUpAfter => null;

    /// <summary>Checks the config; null where it has mistakes, all of which are told.</summary>
    public static ConfigurationOptions? Compile(RedisOptions options, string folder, ConfigErrors errors)
    {
        ConfigurationOptions? connection = null;
        try
        {
            connection = ConfigurationOptions.Parse(options.Connection);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // Its message may show a part of the text, and so a password.
        }
        if (connection is null or { EndPoints.Count: 0 })
            errors.Add(options.Node, "connection", "it is no configuration of StackExchange.Redis", "Write host:port, with further options "
                + "behind commas");
        var password = options.PasswordFile is { } file ? SecretFile.Read(file, folder, options.Node, "password_file", errors) : null;
        if (connection is null || connection.EndPoints.Count == 0 || (options.PasswordFile is not null && password is null)) return null;
        connection.AbortOnConnectFail = false;
        connection.BacklogPolicy = BacklogPolicy.FailFast;
        if (password is not null) connection.Password = password;
        return connection;
    }

    public int Lane(ActivationRecord record) => record.Position.Partition;

    public Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop) => Task.FromResult<long?>(null);

    public async Task DeliverAsync(Batch batch, CancellationToken stop)
    {
        try
        {
            var database = (await ConnectAsync(stop).ConfigureAwait(false)).GetDatabase();
            var writes = batch.Records.Select(r => WriteAsync(database, r)).ToList();
            await Task.WhenAll(writes).WaitAsync(stop).ConfigureAwait(false);
            foreach (var (record, write) in batch.Records.Zip(writes))
                if (await write.ConfigureAwait(false) is { } refusal)
                {
                    await _setup.DeadLetters.WriteAsync(record, refusal).ConfigureAwait(false);
                    batch.Refused++;
                }
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            throw new PartnerAwayException($"Redis does not take it: {e.Message}", "unreachable", inner: e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null) await _redis.DisposeAsync().ConfigureAwait(false);
        _connecting.Dispose();
    }

    private async Task<Refusal?> WriteAsync(IDatabase database, ActivationRecord record)
    {
        var customer = record.Text("customer_id");
        try
        {
            await database.ScriptEvaluateAsync(Script, [_options.Prefix + customer],
            [
                record.Origin.Partition.Topic, record.Origin.Partition.Partition, record.Origin.Offset, record.Json,
                (long)_options.Expire.TotalMilliseconds,
            ]).ConfigureAwait(false);
            return null;
        }
        catch (RedisServerException e) when (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            return new Refusal("wrong_type", e.Message);
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken stop)
    {
        if (_redis is { } there) return there;
        await _connecting.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return _redis ??= await ConnectionMultiplexer.ConnectAsync(_connection).ConfigureAwait(false);
        }
        finally
        {
            _connecting.Release();
        }
    }
}
