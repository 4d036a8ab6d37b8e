using System.Net;
using System.Text;
using System.Text.Json;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Webhook;

/// <summary>
/// Calls a partner's endpoint once for each record. A partner that takes a call twice, because its answer was lost, knows the second one by
/// its idempotency key.
/// </summary>
internal sealed class WebhookSink : ISink
{
    public const string IdempotencyKey = "Idempotency-Key";
    private const int MostShown = 300;

    private readonly WebhookCall _call;
    private readonly SinkSetup _setup;
    private readonly HttpClient _client;
    private readonly CallPace _pace;

    /// <param name="call">What is called, checked.</param>
    /// <param name="setup">The connector's parts.</param>
    public WebhookSink(WebhookCall call, SinkSetup setup)
    {
        (_call, _setup) = (call, setup);
        _pace = new CallPace(call.Options.RateLimit, setup.Time);
        _client = new HttpClient(new SocketsHttpHandler
        {
            // A redirect or a proxy would be a way around the guard.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxResponseHeadersLength = 32,
            ConnectCallback = (context, stop) => AddressGuard.ConnectAsync(context.DnsEndPoint, call.Options.AllowPrivate, stop),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    public BatchRule Rule { get; } = new(1, long.MaxValue, TimeSpan.Zero);

    public TimeSpan? GiveUpAfter => _call.Options.GiveUpAfter;

    public int Lane(ActivationRecord record) => Murmur2.Partition(record.Key, _call.Options.Parallelism);

    public Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop) => Task.FromResult<long?>(null);

    public async Task DeliverAsync(Batch batch, CancellationToken stop)
    {
        foreach (var record in batch.Records)
            if (await CallAsync(record, stop).ConfigureAwait(false) is { } refusal)
            {
                await _setup.DeadLetters.WriteAsync(record, refusal).ConfigureAwait(false);
                batch.Refused++;
            }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Calls once; null where the partner has taken it.</summary>
    private async Task<Refusal?> CallAsync(ActivationRecord record, CancellationToken stop)
    {
        var (body, fault) = await BodyAsync(record).ConfigureAwait(false);
        if (body is null) return new Refusal("bad_body", fault);
        await _pace.WaitAsync(stop).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(_call.Options.Timeout, _setup.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            using var request = Request(record, body);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return null;
            var status = (int)response.StatusCode;
            var detail = $"{status} {response.ReasonPhrase}: {await BeginningAsync(response, either.Token).ConfigureAwait(false)}";
            // What a partner says may be meant for its customers alone: it is told in a dead letter, and to nobody who asks for health.
            if (status is 408 or 429 or >= 500)
                throw new PartnerAwayException($"{Shown(_call.Url)} answers {status}", $"status_{status}", RetryAfter(response))
                {
                    Detail = detail,
                };
            return new Refusal($"status_{status}", detail);
        }
        catch (HttpRequestException e)
        {
            throw new PartnerAwayException($"{Shown(_call.Url)}: {e.Message}", "unreachable", inner: e);
        }
        catch (IOException e)
        {
            throw new PartnerAwayException($"{Shown(_call.Url)}: {e.Message}", "unreachable", inner: e);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new PartnerAwayException($"{Shown(_call.Url)} has not answered within {_call.Options.Timeout.TotalSeconds:0.###} s",
                "timeout", inner: e);
        }
    }

    /// <summary>A URL as logs and health may show it: its path and its query are secrets of many a partner.</summary>
    private static string Shown(Uri url) => url.GetLeftPart(UriPartial.Authority);

    /// <summary>The body; null, with what is wrong, where the template makes none of this record.</summary>
    private async Task<(byte[]? Body, string Fault)> BodyAsync(ActivationRecord record)
    {
        if (_call.Body is null) return (record.Json, "");
        byte[] body;
        try
        {
            body = Encoding.UTF8.GetBytes(await _call.Body.RenderAsync(record).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            // A division by zero, a number that is too large, too many steps: the same record would fail in every attempt.
            return (null, $"the template fails with this record: {e.Message}");
        }
        return !BodyTemplate.IsJson(_call.Options.ContentType) || IsJson(body) ? (body, "")
            : (null, "the template's body is no JSON: quote texts, and give numbers and objects the filter json");
    }

    private static bool IsJson(byte[] body)
    {
        try
        {
            JsonDocument.Parse(body).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private HttpRequestMessage Request(ActivationRecord record, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", _call.Options.ContentType);
        var request = new HttpRequestMessage(HttpMethod.Parse(_call.Options.Method.ToString()), _call.Url) { Content = content };
        foreach (var (name, value) in _call.Headers) request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation(IdempotencyKey, record.IdempotencyKey);
        _call.Signature?.Sign(request.Headers, record.IdempotencyKey, _setup.Time.GetUtcNow(), body);
        return request;
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is not { } after) return null;
        var wait = after.Delta ?? after.Date - _setup.Time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : null;
    }

    /// <summary>The beginning of an answer's body: what says why.</summary>
    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken stop)
    {
        var buffer = new byte[MostShown];
        var stream = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
            return Configuration.Printable.Text(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }
}
