using System.Text.Json;
using StackExchange.Redis;
using StreamEngine.Activation;
using StreamEngine.Activation.Redis;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>The last record of each customer, in a real Redis.</summary>
public sealed class RedisTests : IAsyncLifetime
{
    private readonly ActivationBench _bench = new();
    private LocalServer? _server;

    private ActivationOptions Options => new()
    {
        Name = "last",
        Redis = new RedisOptions { Connection = Address, Prefix = "last:", Expire = TimeSpan.FromHours(1) },
    };

    private string Address => $"127.0.0.1:{_server!.Port}";

    public Task InitializeAsync()
    {
        if (LocalServer.RedisMissing is null) _server = LocalServer.Redis();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _bench.DisposeAsync();
        _server?.Dispose();
    }

    [SkippableFact]
    public async Task Each_customer_has_the_last_record_whatever_comes_again()
    {
        Skip.If(_server is null, LocalServer.RedisMissing);
        _bench.WriteActions(50);
        await _bench.DrainAsync(Options);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Address);
        var database = redis.GetDatabase();
        for (var c = 0; c < 5; c++) Assert.Equal($"e{45 + c}", Event(database, $"c{c}"));
        Assert.InRange((await database.KeyTimeToLiveAsync("last:c0"))!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));

        // All of it once more, and in the midst of that the newest is never replaced by an older one.
        await database.HashSetAsync("last:c1", "record", """{"event_id":"kept"}""");
        _bench.ForgetOffsets("last");
        var again = await _bench.DrainAsync(Options);
        Assert.Equal(50, again.Counts.Delivered);
        Assert.Equal("kept", Event(database, "c1"));
    }

    [SkippableFact]
    public async Task What_is_written_while_the_server_is_away_is_there_afterwards()
    {
        Skip.If(_server is null, LocalServer.RedisMissing);
        var group = _bench.Start(Options);
        _bench.WriteActions(10);
        await _bench.UntilAsync(() => group.Connectors[0].Counts.Delivered == 10, "the first records", group,
            TimeSpan.FromMilliseconds(50));
        _server!.Kill();
        _bench.WriteActions(10, from: 10);
        await _bench.UntilAsync(() => group.Connectors[0].Partner.Lasts is not null, "the outage", group, TimeSpan.FromMilliseconds(50));
        _server.Restart();
        await _bench.UntilAsync(() => group.Connectors[0].Counts.Delivered >= 20, "all records", group, TimeSpan.FromMilliseconds(500));
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Address);
        for (var c = 0; c < 5; c++) Assert.Equal($"e{15 + c}", Event(redis.GetDatabase(), $"c{c}"));
    }

    private static string? Event(IDatabase database, string customer) =>
        JsonDocument.Parse((string)database.HashGet($"last:{customer}", "record")!).RootElement.GetProperty("event_id").GetString();
}
