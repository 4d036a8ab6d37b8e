using System.Net;
using System.Text;
using System.Text.Json;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Webhook;

/// <summary>
/// Calls a partner's endpoint once for each record, or for many at a time. A partner that takes a call twice, because its answer was lost,
/// knows the second one by its idempotency key.
/// </summary>
internal sealed class WebhookSink : ISink
{
    public const string IdempotencyKey = "Idempotency-Key";
    private const int MostShown = 300;
    private const string BadBody = "bad_body";

    private readonly WebhookCall _call;
    private readonly SinkSetup _setup;
    private readonly HttpClient _client;
    private readonly CallPace _pace;
    private readonly Dictionary<string, RenewedHeader> _renewed;

    /// <param name="call">What is called, checked.</param>
    /// <param name="setup">The connector's parts.</param>
    public WebhookSink(WebhookCall call, SinkSetup setup)
    {
        (_call, _setup) = (call, setup);
        Rule = call.Options.Batch is { } batch ? new BatchRule(batch.Max, long.MaxValue, batch.Interval)
            : new BatchRule(1, long.MaxValue, TimeSpan.Zero);
        _renewed = call.HeaderFiles.ToDictionary(h => h.Key, h => new RenewedHeader(h.Value, call.Headers[h.Key], setup.Time));
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

    public BatchRule Rule { get; }

    public TimeSpan? GiveUpAfter => _call.Options.GiveUpAfter;

    /// <summary>What is delivered together waits in a lane together: that of the partition.</summary>
    public int Lane(ActivationRecord record) => _call.Options.Batch is not null ? record.Position.Partition
        : Murmur2.Partition(record.Key, _call.Options.Parallelism);

    public Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop) => Task.FromResult<long?>(null);

    public async Task DeliverAsync(Batch batch, CancellationToken stop)
    {
        var parcels = WebhookParcels.Of(batch.Records, Target, _call.Options.Batch is not null);
        while (batch.Settled.Calls < parcels.Count)
        {
            var refused = await SettleAsync(parcels[batch.Settled.Calls], stop).ConfigureAwait(false);
            batch.Settled = (batch.Settled.Calls + 1, batch.Settled.Refused + refused);
            batch.Open = parcels.Skip(batch.Settled.Calls).SelectMany(p => p.Records);
        }
        batch.Refused = batch.Settled.Refused;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private WebhookTarget Target(ActivationRecord record)
    {
        if (_call.InsteadOf is not { } filter) return _call.Target;
        // Lanes run beside each other, and a filter is of one thread.
        lock (filter) return filter.Takes(record) ? _call.Instead! : _call.Target;
    }

    /// <summary>
    /// Delivers a parcel. One that is refused for what is in it is halved until the records are found that the partner does not take, and
    /// those are dead letters; how many is returned.
    /// </summary>
    private async Task<int> SettleAsync(Parcel parcel, CancellationToken stop)
    {
        if (await CallAsync(parcel, stop).ConfigureAwait(false) is not { } refusal) return 0;
        var refused = 0;
        if (parcel.Records.Count > 1 && refusal.Reason is "status_400" or "status_413" or "status_422" or BadBody)
        {
            foreach (var half in parcel.Halves()) refused += await SettleAsync(half, stop).ConfigureAwait(false);
            return refused;
        }
        foreach (var record in parcel.Records) await _setup.DeadLetters.WriteAsync(record, refusal).ConfigureAwait(false);
        return parcel.Records.Count;
    }

    /// <summary>Calls once; null where the partner has taken it.</summary>
    private async Task<Refusal?> CallAsync(Parcel parcel, CancellationToken stop)
    {
        // A URL as logs and health may show it: its path and its query are secrets of many a partner.
        var url = parcel.Target.Url.GetLeftPart(UriPartial.Authority);
        var (body, fault) = await BodyAsync(parcel).ConfigureAwait(false);
        if (body is null) return new Refusal(BadBody, fault);
        await _pace.WaitAsync(stop).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(_call.Options.Timeout, _setup.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            using var request = Request(parcel, body);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return null;
            var status = (int)response.StatusCode;
            var detail = $"{status} {response.ReasonPhrase}: {await BeginningAsync(response, either.Token).ConfigureAwait(false)}";
            // What a partner says may be meant for its customers alone: it is told in a dead letter, and to nobody who asks for health.
            if (status is 408 or 429 or >= 500)
                throw new PartnerAwayException($"{url} answers {status}", $"status_{status}", RetryAfter(response))
                {
                    Detail = detail,
                };
            return new Refusal($"status_{status}", detail);
        }
        catch (HttpRequestException e)
        {
            throw new PartnerAwayException($"{url}: {e.Message}", "unreachable", inner: e);
        }
        catch (IOException e)
        {
            throw new PartnerAwayException($"{url}: {e.Message}", "unreachable", inner: e);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new PartnerAwayException($"{url} has not answered within {_call.Options.Timeout.TotalSeconds:0.###} s",
                "timeout", inner: e);
        }
    }

    /// <summary>The body; null, with what is wrong, where the template makes none of these records.</summary>
    private async Task<(byte[]? Body, string Fault)> BodyAsync(Parcel parcel)
    {
        var (together, template) = (_call.Options.Batch is not null, parcel.Target.Body);
        if (template is null && !together) return (parcel.Records[0].Json, "");
        if (template is null)
            return (Encoding.UTF8.GetBytes($"[{string.Join(',', parcel.Records.Select(r => Encoding.UTF8.GetString(r.Json)))}]"), "");
        byte[] body;
        try
        {
            body = Encoding.UTF8.GetBytes(await (together ? template.RenderAsync(parcel.Records, parcel.IdempotencyKey)
                : template.RenderAsync(parcel.Records[0])).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            // A division by zero, a number that is too large, too many steps: the same record would fail in every attempt.
            return (null, $"the template fails with {(together ? "these records" : "this record")}: {e.Message}");
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

    private HttpRequestMessage Request(Parcel parcel, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", _call.Options.ContentType);
        var request = new HttpRequestMessage(parcel.Target.Method, parcel.Target.Url) { Content = content };
        foreach (var (name, value) in _call.Headers)
            request.Headers.TryAddWithoutValidation(name, _renewed.TryGetValue(name, out var renewed) ? renewed.Value : value);
        request.Headers.TryAddWithoutValidation(IdempotencyKey, parcel.IdempotencyKey);
        _call.Signature?.Sign(request.Headers, parcel.IdempotencyKey, _setup.Time.GetUtcNow(), body);
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
