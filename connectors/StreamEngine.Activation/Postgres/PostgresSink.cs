using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Postgres;

/// <summary>
/// Writes rows, exactly once: the position of the partition is stored in the transaction that has the rows, and a start goes on from there,
/// whatever the consumer group says.
/// </summary>
internal sealed class PostgresSink : ISink
{
    private readonly PostgresTarget _target;
    private readonly SinkSetup _setup;
    private readonly NpgsqlDataSource _source;
    private readonly string _upsert;

    /// <param name="target">The table, checked.</param>
    /// <param name="setup">The connector's parts.</param>
    public PostgresSink(PostgresTarget target, SinkSetup setup)
    {
        (_target, _setup, _upsert) = (target, setup, target.Upsert);
        _source = NpgsqlDataSource.Create(target.Connection);
        Rule = new BatchRule(target.Options.BatchRecords, long.MaxValue, target.Options.Linger);
    }

    public BatchRule Rule { get; }

    public TimeSpan? GiveUpAfter => null;

    public int Lane(ActivationRecord record) => record.Position.Partition;

    public Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop) => AskAsync(async connection =>
    {
        await using (var create = new NpgsqlCommand(_target.CreateOffsets, connection))
            await create.ExecuteNonQueryAsync(stop).ConfigureAwait(false);
        await using var read = Command(_target.ReadOffset, connection, partition);
        return (long?)await read.ExecuteScalarAsync(stop).ConfigureAwait(false);
    }, stop);

    public async Task DeliverAsync(Batch batch, CancellationToken stop)
    {
        var isWritten = await AskAsync(connection => WriteAsync(connection, batch, oneByOne: false, stop), stop).ConfigureAwait(false);
        // Some row can't be written, and none was: once more, each with a savepoint of its own.
        if (!isWritten) await AskAsync(connection => WriteAsync(connection, batch, oneByOne: true, stop), stop).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <summary>Writes a batch in one transaction; false where a row of it can't be written.</summary>
    private async Task<bool> WriteAsync(NpgsqlConnection connection, Batch batch, bool oneByOne, CancellationToken stop)
    {
        await using var transaction = await connection.BeginTransactionAsync(stop).ConfigureAwait(false);
        await using (var move = Command(_target.MoveOffset, connection, batch.Partition))
        {
            move.Parameters.Add(new() { Value = batch.Next });
            move.Parameters.Add(new() { Value = batch.First });
            if (await move.ExecuteNonQueryAsync(stop).ConfigureAwait(false) == 0)
                throw new PartnerAwayException($"{_target.Options.Offsets}: {batch.Partition.Topic}[{batch.Partition.Partition}] is "
                    + $"further than offset {batch.First} already: another process writes it, or the group's offset was set back",
                    "overtaken");
        }
        if (!oneByOne)
        {
            try
            {
                await UpsertAsync(connection, Newest(batch.Records), stop).ConfigureAwait(false);
            }
            catch (PostgresException e) when (IsRefusal(e))
            {
                return false;
            }
        }
        else
            foreach (var record in batch.Records)
                if (!await WriteAsync(connection, transaction, record, stop).ConfigureAwait(false)) batch.Refused++;
        await transaction.CommitAsync(stop).ConfigureAwait(false);
        return true;
    }

    /// <summary>Writes a row; false where it is refused, and then in the dead letter before the position moves past it.</summary>
    private async Task<bool> WriteAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, ActivationRecord record,
        CancellationToken stop)
    {
        await transaction.SaveAsync("row", stop).ConfigureAwait(false);
        try
        {
            await UpsertAsync(connection, [record], stop).ConfigureAwait(false);
            return true;
        }
        catch (PostgresException e) when (IsRefusal(e))
        {
            await transaction.RollbackAsync("row", stop).ConfigureAwait(false);
            await _setup.DeadLetters.WriteAsync(record, new Refusal($"sql_{e.SqlState}", e.MessageText)).ConfigureAwait(false);
            return false;
        }
    }

    private async Task UpsertAsync(NpgsqlConnection connection, IEnumerable<ActivationRecord> records, CancellationToken stop)
    {
        await using var upsert = new NpgsqlCommand(_upsert, connection);
        upsert.Parameters.Add(new() { Value = Rows(records), NpgsqlDbType = NpgsqlDbType.Text });
        await upsert.ExecuteNonQueryAsync(stop).ConfigureAwait(false);
    }

    /// <summary>The last record of each key: one statement may touch a row once.</summary>
    private IEnumerable<ActivationRecord> Newest(IReadOnlyList<ActivationRecord> records)
    {
        var keys = _target.Columns.Where(c => _target.Options.Key.Contains(c.Name)).ToList();
        return records.Reverse().DistinctBy(r => JsonSerializer.Serialize(keys.Select(k => k.Text(r)))).Reverse();
    }

    private string Rows(IEnumerable<ActivationRecord> records)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            foreach (var record in records)
            {
                json.WriteStartObject();
                foreach (var column in _target.Columns)
                {
                    json.WritePropertyName(column.Name);
                    if (record.Field(column.Path) is { } value) value.WriteTo(json);
                    else json.WriteNullValue();
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> ask, CancellationToken stop)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(stop).ConfigureAwait(false);
            return await ask(connection).ConfigureAwait(false);
        }
        catch (PostgresException e)
        {
            // A table or a right that is missing is mended by people: it is told, and tried again until then.
            throw new PartnerAwayException($"PostgreSQL refuses: {e.MessageText} ({e.SqlState})", $"sql_{e.SqlState}", inner: e);
        }
        catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException or IOException)
        {
            throw new PartnerAwayException($"PostgreSQL can't be reached: {(e.InnerException ?? e).Message}", "unreachable", inner: e);
        }
    }

    /// <summary>Whether it is the row's own fault: data that does not fit (class 22), or a constraint (class 23).</summary>
    private static bool IsRefusal(PostgresException e) => e.SqlState[..2] is "22" or "23";

    private NpgsqlCommand Command(string text, NpgsqlConnection connection, TopicPartition partition) => new(text, connection)
    {
        Parameters =
        {
            new() { Value = _setup.Group }, new() { Value = partition.Topic }, new() { Value = partition.Partition },
        },
    };
}
