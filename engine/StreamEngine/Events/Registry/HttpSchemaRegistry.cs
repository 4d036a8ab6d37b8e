using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>
/// A Confluent-compatible registry over HTTP. A schema is fetched once, on the thread that first needs it, within <see cref="Timeout"/> per
/// try; an id that the registry does not know is asked for again after <see cref="NegativeExpiry"/>. Where the registry is away, three
/// tries are made and then an exception says so.
/// </summary>
public sealed class HttpSchemaRegistry : ISchemaRegistry, IDisposable
{
    private const int Tries = 3;
    private readonly ConcurrentDictionary<int, AvroSchema> _byId = new();
    private readonly FingerprintIndex _byFingerprint = new();
    private readonly ConcurrentDictionary<int, long> _unknown = new();
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="url">The registry's address; a path before the API's is kept.</param>
    /// <param name="credentials">User and password for basic authentication, as <c>user:password</c>; null for none.</param>
    /// <param name="clock">Ages what is not known.</param>
    public HttpSchemaRegistry(Uri url, string? credentials, TimeProvider clock)
    {
        _clock = clock;
        // A password in the address must not stand in every message.
        if (url.UserInfo.Length > 0) credentials ??= Uri.UnescapeDataString(url.UserInfo);
        url = new UriBuilder(url) { UserName = "", Password = "" }.Uri;
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = new Uri(url.ToString().TrimEnd('/') + "/"),
            Timeout = TimeSpan.FromSeconds(5),
            MaxResponseContentBufferSize = 16 << 20,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/vnd.schemaregistry.v1+json"));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json", 0.9));
        if (!string.IsNullOrEmpty(credentials))
            _http.DefaultRequestHeaders.Authorization =
                new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    /// <summary>How long one try may take.</summary>
    public TimeSpan Timeout
    {
        get => _http.Timeout;
        init => _http.Timeout = value;
    }

    /// <summary>How long an unknown id stays unknown before it is asked for again.</summary>
    public TimeSpan NegativeExpiry { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public AvroSchema? ById(int id)
    {
        if (_byId.TryGetValue(id, out var known)) return known;
        if (_unknown.TryGetValue(id, out var since) && _clock.GetElapsedTime(since) < NegativeExpiry) return null;
        using var answer = Ask(HttpMethod.Get, $"schemas/ids/{id}", null);
        if (answer is null)
        {
            // Bounded: foreign bytes can name any id.
            if (_unknown.Count > 10_000) _unknown.Clear();
            _unknown[id] = _clock.GetTimestamp();
            return null;
        }
        _unknown.TryRemove(id, out _);
        return _byId[id] = Parse(answer.RootElement, $"schema id {id}");
    }

    /// <summary>The schema of a fingerprint among those met so far: the registry's API does not know fingerprints.</summary>
    public AvroSchema? ByFingerprint(ulong fingerprint) => _byFingerprint.Find(fingerprint);

    /// <inheritdoc/>
    public RegisteredSchema? Latest(string subject)
    {
        using var answer = Ask(HttpMethod.Get, $"subjects/{Uri.EscapeDataString(subject)}/versions/latest", null);
        return answer is null ? null : Registered(answer.RootElement, subject);
    }

    /// <summary>The schema as the subject has it, with its id; null where the subject does not have it.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked.</exception>
    public RegisteredSchema? Find(string subject, string schemaJson)
    {
        using var answer = Ask(HttpMethod.Post, $"subjects/{Uri.EscapeDataString(subject)}", schemaJson);
        return answer is null ? null : Registered(answer.RootElement, subject);
    }

    /// <summary>Registers a schema under a subject, if it is not there yet, and returns its id.</summary>
    /// <exception cref="SchemaRegistryException">The registry can't be asked, or refuses the schema.</exception>
    public int Register(string subject, string schemaJson)
    {
        using var answer = Ask(HttpMethod.Post, $"subjects/{Uri.EscapeDataString(subject)}/versions", schemaJson);
        return answer is not null && answer.RootElement.TryGetProperty("id", out var id) && id.TryGetInt32(out var number)
            ? number
            : throw new SchemaRegistryException($"{_http.BaseAddress}: the schema could not be registered under '{subject}'");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private RegisteredSchema Registered(JsonElement answer, string subject)
    {
        var id = answer.TryGetProperty("id", out var number) && number.TryGetInt32(out var n) ? n : 0;
        var version = answer.TryGetProperty("version", out number) && number.TryGetInt32(out n) ? n : 0;
        return new RegisteredSchema(id, subject, version, _byId[id] = Parse(answer, $"the schema of '{subject}'"));
    }

    private AvroSchema Parse(JsonElement answer, string what)
    {
        var type = answer.TryGetProperty("schemaType", out var t) ? t.GetString() : "AVRO";
        if (type is not (null or "AVRO"))
            throw new SchemaRegistryException($"{_http.BaseAddress}: {what} is {type}, not Avro") { Unusable = true };
        if (answer.TryGetProperty("references", out var references) && references.ValueKind == JsonValueKind.Array
            && references.GetArrayLength() > 0)
            throw new SchemaRegistryException($"{_http.BaseAddress}: {what} refers to other schemas; register it with its types written "
            + "out")
            { Unusable = true };
        try
        {
            var schema = AvroSchema.ParseWriter(answer.GetProperty("schema").GetString() ?? "");
            _byFingerprint.Add(schema);
            return schema;
        }
        catch (Exception e) when (e is AvroSchemaException or KeyNotFoundException or InvalidOperationException)
        {
            throw new SchemaRegistryException($"{_http.BaseAddress}: {what} can't be read: {e.Message}", e) { Unusable = true };
        }
    }

    /// <summary>Asks once, and again where the registry is away or busy; null where it answers that there is no such thing.</summary>
    private JsonDocument? Ask(HttpMethod method, string path, string? schemaJson)
    {
        for (var tried = 1; ; tried++)
        {
            string reason;
            Exception? cause = null;
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (schemaJson is not null)
                    request.Content =
                        new StringContent(JsonSerializer.Serialize(new Dictionary<string, string> { ["schema"] = schemaJson }),
                        Encoding.UTF8, "application/vnd.schemaregistry.v1+json");
                using var response = _http.Send(request, HttpCompletionOption.ResponseContentRead);
                if (response.StatusCode == HttpStatusCode.NotFound) return null;
                using var body = response.Content.ReadAsStream();
                if (response.IsSuccessStatusCode) return JsonDocument.Parse(body);
                reason = $"{(int)response.StatusCode} {new StreamReader(body).ReadToEnd()}";
                if ((int)response.StatusCode < 500 && response.StatusCode != HttpStatusCode.TooManyRequests) tried = Tries;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or IOException)
            {
                reason = e is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds:0.#} s" : e.Message;
                cause = e;
            }
            if (tried >= Tries) throw new SchemaRegistryException($"{_http.BaseAddress}{path}: {reason}", cause);
        }
    }
}
