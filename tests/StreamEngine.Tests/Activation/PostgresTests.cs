using Npgsql;
using StreamEngine.Activation;
using StreamEngine.Activation.Postgres;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Rows in a real PostgreSQL, exactly once.</summary>
public sealed class PostgresTests : IClassFixture<PostgresTests.Server>, IAsyncLifetime
{
    private readonly Server _server;
    private readonly ActivationBench _bench = new();
    private readonly string _table = "t" + Guid.NewGuid().ToString("n")[..8];

    public PostgresTests(Server server) => _server = server;

    private ActivationOptions Options => new()
    {
        Name = "dwh",
        Postgres = new PostgresOptions
        {
            Connection = _server.Connection,
            Table = _table,
            Key = ["id"],
            Columns = new Dictionary<string, string>
            {
                ["id"] = "action_id",
                ["customer"] = "customer_id",
                ["offer"] = "offer",
                ["p"] = "probability",
                ["at"] = "event_time",
            },
            BatchRecords = 7,
            Offsets = _table + "_offsets",
        },
    };

    public async Task InitializeAsync()
    {
        if (LocalServer.PostgresMissing is not null) return;
        await ExecuteAsync($"CREATE TABLE {_table} (id text PRIMARY KEY, customer text NOT NULL, offer text NOT NULL "
            + $"CHECK (offer <> 'bad'), p double precision, at timestamptz); CREATE TABLE {_table}_log (id text); "
            + $"CREATE FUNCTION {_table}_note() RETURNS trigger AS $$ BEGIN INSERT INTO {_table}_log VALUES (new.id); RETURN new; END $$ "
            + $"LANGUAGE plpgsql; CREATE TRIGGER note BEFORE INSERT OR UPDATE ON {_table} FOR EACH ROW EXECUTE FUNCTION {_table}_note()");
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [SkippableFact]
    public async Task Each_row_is_written_once_also_where_the_groups_offset_is_behind()
    {
        Skip.If(LocalServer.PostgresMissing is not null, LocalServer.PostgresMissing);
        _bench.WriteActions(50);
        await _bench.DrainAsync(Options);
        Assert.Equal(50L, await AskAsync($"SELECT count(*) FROM {_table} WHERE at = '2026-03-01T11:00:00Z' AND p = 0.25"));
        // A crash between the transaction and the group's commit leaves the group behind: here by a group that knows nothing.
        _bench.WriteActions(10, from: 50);
        _bench.ForgetOffsets("dwh");
        await _bench.DrainAsync(Options);
        Assert.Equal(60L, await AskAsync($"SELECT count(*) FROM {_table}"));
        Assert.Equal(60L, await AskAsync($"SELECT count(*) FROM {_table}_log"));
        Assert.Equal(60L, await AskAsync($"SELECT sum(next)::bigint FROM {_table}_offsets"));
    }

    [SkippableFact]
    public async Task The_newest_record_of_a_key_stays()
    {
        Skip.If(LocalServer.PostgresMissing is not null, LocalServer.PostgresMissing);
        foreach (var offer in new[] { "club", "sale", "gift" }) _bench.Write("c1", ActivationBench.Action("c1", 1, offer));
        await _bench.DrainAsync(Options);
        Assert.Equal("gift", await AskAsync($"SELECT string_agg(offer, ',') FROM {_table}"));
    }

    [SkippableFact]
    public async Task A_row_that_the_table_refuses_is_a_dead_letter_and_the_others_are_written()
    {
        Skip.If(LocalServer.PostgresMissing is not null, LocalServer.PostgresMissing);
        for (var i = 0; i < 9; i++) _bench.Write("c1", ActivationBench.Action("c1", i, i == 4 ? "bad" : "club"));
        await _bench.DrainAsync(Options);
        Assert.Equal(8L, await AskAsync($"SELECT count(*) FROM {_table}"));
        Assert.Contains("\"reason\":\"sql_23514\"", Assert.Single(_bench.DeadLetters()));
        Assert.Equal(9L, await AskAsync($"SELECT sum(next)::bigint FROM {_table}_offsets"));
    }

    [SkippableFact]
    public async Task A_server_that_crashes_between_batches_gets_every_row_once()
    {
        Skip.If(LocalServer.PostgresMissing is not null, LocalServer.PostgresMissing);
        _bench.WriteActions(20);
        var group = _bench.Start(Options);
        await _bench.UntilAsync(() => group.Connectors[0].Counts.Delivered > 0, "the first rows", group, TimeSpan.FromMilliseconds(100));
        _server.Local.Kill();
        _bench.WriteActions(20, from: 20);
        await _bench.UntilAsync(() => group.Connectors[0].Partner.Lasts is not null, "the outage", group, TimeSpan.FromMilliseconds(100));
        _server.Local.Restart();
        await _bench.UntilAsync(() => group.Connectors[0].Counts.Delivered == 40, "all rows", group, TimeSpan.FromSeconds(1));
        Assert.Equal(40L, await AskAsync($"SELECT count(*) FROM {_table}_log"));
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_server.Connection);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<object?> AskAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_server.Connection);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>One server for the class; started by the first test that has one.</summary>
    public sealed class Server : IDisposable
    {
        private readonly Lazy<LocalServer> _server = new(LocalServer.Postgres);

        public LocalServer Local => _server.Value;

        public string Connection => $"Host=127.0.0.1;Port={Local.Port};Username=postgres;Database=postgres;Pooling=true";

        public void Dispose()
        {
            if (_server.IsValueCreated) _server.Value.Dispose();
        }
    }
}
