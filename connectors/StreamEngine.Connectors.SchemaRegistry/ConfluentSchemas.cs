using System.Globalization;
using System.Net;
using Confluent.SchemaRegistry;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;
using Registered = StreamEngine.Events.Registry.RegisteredSchema;
using Unanswered = StreamEngine.Events.Registry.SchemaRegistryException;

namespace StreamEngine.Connectors.SchemaRegistry;

/// <summary>
/// A schema registry by Confluent's client. One request asks each URL in turn, once; whoever needs the answer asks again. Schemas that
/// refer to others come with those written out. No secret is in any message or exception.
/// </summary>
public sealed class ConfluentSchemas : ISchemaSource
{
    private readonly CachedSchemaRegistryClient _client;
    private readonly IAuthenticationHeaderValueProvider? _bearer;
    private readonly Secrets _secrets;
    private readonly string _address;

    private ConfluentSchemas(SchemaOptions options, Secrets secrets, IAuthenticationHeaderValueProvider? bearer,
        RegistryTransport transport)
    {
        _secrets = secrets;
        _bearer = bearer;
        _address = options.Registry.TrimEnd('/');
        var config = new Dictionary<string, string>
        {
            [SchemaRegistryConfig.PropertyNames.SchemaRegistryUrl] = string.Join(',', Urls(options)),
            [SchemaRegistryConfig.PropertyNames.SchemaRegistryRequestTimeoutMs] =
                ((int)options.RequestTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
            [SchemaRegistryConfig.PropertyNames.SchemaRegistryMaxRetries] = "1",
            [SchemaRegistryConfig.PropertyNames.SchemaRegistryRetriesWaitMs] = "0",
        };
        if (secrets.UserInfo is { } userInfo) config[SchemaRegistryConfig.PropertyNames.SchemaRegistryBasicAuthUserInfo] = userInfo;
        _client = new CachedSchemaRegistryClient(config, bearer);
        transport.Carry(_client);
    }

    /// <summary>
    /// The registry that the options name; null, with the mistakes in <paramref name="errors"/>, where they can't be used. Connects to
    /// nothing yet.
    /// </summary>
    /// <param name="options">Where it is, and how to speak to it.</param>
    /// <param name="baseDirectory">What files are relative to.</param>
    /// <param name="errors">Takes the mistakes; their texts hold no secret.</param>
    public static ISchemaSource? Connect(SchemaOptions options, string baseDirectory, ConfigErrors errors)
    {
        var before = errors.All.Count;
        foreach (var url in Urls(options))
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                // One with a user in it is not shown: there may be a password too.
                errors.Add(options.Node, "registry", url.Contains('@') ? "this is no address" : $"'{url}' is no address",
                    "Write a folder, or a URL such as https://registry.example:8081; several of them are separated by commas.");
            else if (uri.UserInfo.Length > 0)
                errors.Add(options.Node, "registry", $"the address of {uri.Host} holds a user's name or password",
                    "Take it out there, and set basic_auth_user_info, or better basic_auth_user_info_file.");
        var secrets = new Secrets(options, baseDirectory, errors);
        var transport = RegistryTransport.Of(options, secrets, baseDirectory, errors);
        if (errors.All.Count > before) return null;
        return new ConfluentSchemas(options, secrets, secrets.Bearer(options, transport!), transport!);
    }

    /// <inheritdoc/>
    public async Task<AvroSchema?> ByIdAsync(int id, CancellationToken stop)
    {
        var what = $"schema id {id}";
        var schema = await AskAsync(() => _client.GetSchemaAsync(id), what, stop).ConfigureAwait(false);
        return schema is null ? null : await ParseAsync(schema, what, stop).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<Registered?> LatestAsync(string subject, CancellationToken stop)
    {
        var what = $"the newest schema of '{subject}'";
        var latest = await AskAsync(() => _client.GetLatestSchemaAsync(subject), what, stop).ConfigureAwait(false);
        return latest is null ? null
            : new Registered(latest.Id, subject, latest.Version, await ParseAsync(latest, what, stop).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<int> RegisterAsync(string subject, string schema, CancellationToken stop)
    {
        var what = $"registering a schema of '{subject}'";
        var answer = await AskAsync(async () => new Id(await _client.RegisterSchemaAsync(subject, Avro(schema)).ConfigureAwait(false)),
            what, stop, registers: true).ConfigureAwait(false);
        return answer?.Number ?? throw Unusable(what, "is answered with 404");
    }

    /// <inheritdoc/>
    public async Task<int?> FindAsync(string subject, string schema, CancellationToken stop)
    {
        var found = await AskAsync(() => _client.LookupSchemaAsync(subject, Avro(schema), ignoreDeletedSchemas: true),
            $"looking for a schema of '{subject}'", stop).ConfigureAwait(false);
        return found?.Id;
    }

    /// <inheritdoc/>
    public async Task<bool> AcceptsAsync(string subject, string schema, CancellationToken stop)
    {
        var answer = await AskAsync(
            async () => new Acceptance(await _client.IsCompatibleAsync(subject, Avro(schema)).ConfigureAwait(false)),
            $"the compatibility of a schema of '{subject}'", stop).ConfigureAwait(false);
        return answer?.Given ?? true; // a subject that is not there takes any
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        (_bearer as IDisposable)?.Dispose();
    }

    private static Schema Avro(string schema) => new(schema, SchemaType.Avro);

    private static IEnumerable<string> Urls(SchemaOptions options) =>
        options.Registry.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private async Task<AvroSchema> ParseAsync(Schema schema, string what, CancellationToken stop)
    {
        try
        {
            if (schema.SchemaType != SchemaType.Avro) throw Unusable(what, $"is {schema.SchemaType}, not Avro");
            var text = schema.SchemaString ?? "";
            if (schema.References is { Count: > 0 } references)
            {
                var whole = new SchemaReferences();
                await AddAsync(whole, references, [], what, stop).ConfigureAwait(false);
                text = whole.WriteOut(text);
            }
            return AvroSchema.ParseWriter(text);
        }
        catch (Exception e) when (e is AvroSchemaException or System.Text.Json.JsonException or InvalidOperationException)
        {
            throw Unusable(what, $"can't be read: {e.Message}");
        }
    }

    /// <summary>Gathers the schemas that are referred to, those first that others need.</summary>
    private async Task AddAsync(SchemaReferences whole, List<SchemaReference> references, HashSet<(string, int)> seen, string what,
        CancellationToken stop)
    {
        foreach (var reference in references)
        {
            if (!seen.Add((reference.Subject, reference.Version))) continue;
            var name = $"version {reference.Version} of '{reference.Subject}'";
            var schema = await AskAsync(() => _client.GetRegisteredSchemaAsync(reference.Subject, reference.Version), name, stop)
                .ConfigureAwait(false) ?? throw Unusable(what, $"refers to {name}, which is not registered");
            if (schema.References is { Count: > 0 } more) await AddAsync(whole, more, seen, what, stop).ConfigureAwait(false);
            whole.Add(schema.SchemaString);
        }
    }

    /// <summary>Asks; null where the registry itself says that there is no such thing.</summary>
    private async Task<T?> AskAsync<T>(Func<Task<T>> ask, string what, CancellationToken stop, bool registers = false) where T : class
    {
        try
        {
            return await ask().WaitAsync(stop).ConfigureAwait(false);
        }
        catch (Confluent.SchemaRegistry.SchemaRegistryException e) when (e.Status == HttpStatusCode.NotFound && e.ErrorCode > 0)
        {
            return null;
        }
        catch (Confluent.SchemaRegistry.SchemaRegistryException e) when (registers
            && e.Status is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity or HttpStatusCode.Forbidden)
        {
            throw Unusable(what, $"is refused: {Reason(e)}");
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // Without the cause: what it says may hold what the registry or the token endpoint was sent.
            throw new Unanswered(Clean($"{_address}: {what}: {Reason(e)}"));
        }
    }

    private Unanswered Unusable(string what, string why) => new(Clean($"{_address}: {what} {why}")) { Unusable = true };

    private string Clean(string message) => _secrets.Mask(message, _bearer);

    private sealed record Id(int Number);

    private sealed record Acceptance(bool Given);

    private static string Reason(Exception e)
    {
        var status = e is Confluent.SchemaRegistry.SchemaRegistryException answer ? $"{(int)answer.Status} " : "";
        var causes = new List<string>();
        for (var at = e; at is not null; at = at.InnerException)
            if (!causes.Any(c => c.Contains(at.Message.TrimEnd('.'), StringComparison.Ordinal))) causes.Add(at.Message.TrimEnd('.'));
        return $"{status}{string.Join(": ", causes)}";
    }
}
