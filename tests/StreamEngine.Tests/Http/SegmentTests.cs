using System.Net.Http.Headers;
using System.Text;
using StreamEngine.Host.Collector;
using StreamEngine.Host.Http.Security;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>Segment's tracking API under the ready config, called by hand and by the clients of its makers.</summary>
public sealed class SegmentTests
{
    private static readonly (string Key, string Sha256) WriteKey = KeyRing.New();

    [Theory]
    [InlineData("/v1/track", "track")]
    [InlineData("/v1/t", "track")]
    [InlineData("/v1/identify", "identify")]
    [InlineData("/v1/page", "page")]
    [InlineData("/v1/screen", "screen")]
    [InlineData("/v1/group", "group")]
    [InlineData("/v1/alias", "alias")]
    public async Task A_call_is_made_an_event_as_segment_makes_it(string path, string type)
    {
        await using var bench = await Open();
        var sent = DateTimeOffset.UtcNow.AddHours(-5); // the sender's clock is five hours behind
        var (status, answer) = await bench.Post(path, $$"""
            {"userId":"ann","type":"forged","timestamp":"{{sent.AddSeconds(-30):O}}","sentAt":"{{sent:O}}","receivedAt":"forged"}
            """, change: Authorize);
        Assert.True(status == 200 && (bool)answer["success"]!, answer.ToString());
        var record = Assert.Single(bench.Read("segment-calls"));
        Assert.Equal(("ann", type), (record.Key, (string)record.Json["type"]!));
        Assert.NotEmpty((string)record.Json["messageId"]!);
        var received = DateTimeOffset.Parse((string)record.Json["receivedAt"]!, null);
        var mended = DateTimeOffset.Parse((string)record.Json["timestamp"]!, null);
        Assert.InRange((received - mended).TotalSeconds, 29.9, 30.1);
        Assert.Equal(sent.AddSeconds(-30), DateTimeOffset.Parse((string)record.Json["originalTimestamp"]!, null));
    }

    [Fact]
    public async Task A_batch_hands_its_context_down_and_names_what_it_could_not_take()
    {
        await using var bench = await Open();
        var (status, answer) = await bench.Post("/v1/batch", """
            {"batch":[{"type":"track","userId":"ann","event":"Seen","messageId":"1","properties":{"revenue":"dear"}},
                      {"type":"track","userId":"ann","event":"Seen","messageId":"2"},{"type":"page","anonymousId":"x","messageId":"3",
                       "context":{"page":{"url":"u"}}}],"context":{"consent":{"categoryPreferences":{"Advertising":true}}}}
            """, change: Authorize);
        Assert.Equal((200, 1), (status, (int)answer["rejected"]!));
        Assert.Equal((0, "properties.revenue"), ((int)answer["errors"]![0]!["index"]!, (string)answer["errors"]![0]!["field"]!));
        var records = bench.Read("segment-calls").ToDictionary(r => (string)r.Json["messageId"]!);
        Assert.Equal(["2", "3"], records.Keys.Order());
        Assert.True((bool)records["2"].Json["context"]!["consent"]!["categoryPreferences"]!["Advertising"]!);
        Assert.Equal("u", (string)records["3"].Json["context"]!["page"]!["url"]!);
    }

    [Fact]
    public async Task A_call_that_is_none_is_told_at_its_place_and_holds_up_no_other()
    {
        await using var bench = await Open();
        var (status, answer) = await bench.Post("/v1/batch", """
            {"batch":["x",{"type":"track","userId":"ann","event":"\ud83d","messageId":"1"},{"type":"track","userId":"ann","messageId":"2"},
                      {"type":"track","userId":"ann","messageId":"3","\ud83d":1},null,{"userId":"a","userId":"b"},
                      {"type":"track","userId":"ann","messageId":"4","timestamp":"0001-01-01T00:00:00Z"},
                      {"type":"track","userId":"ann","messageId":"5","timestamp":"9999-12-31T23:59:59Z"}],"sentAt":"9999-12-31T23:59:59Z",
             "context":{"consent":{"categoryPreferences":{"Advertising":true}}}}
            """, change: Authorize);
        Assert.True(status == 200, answer.ToString());
        var errors = answer["errors"]!.AsArray();
        Assert.Equal([0, 1, 3, 4, 5, 6], errors.Select(e => (int)e!["index"]!));
        Assert.Equal(["malformed", "malformed", "malformed", "malformed", "malformed", "too-old"],
            errors.Select(e => (string)e!["reason"]!));
        Assert.Equal(["2", "5"], bench.Read("segment-calls").Select(r => (string)r.Json["messageId"]!).Order());
        Assert.Empty(bench.Said);

        Assert.Equal(400, (await bench.Post("/v1/track", """{"userId":"ann","event":"\ud83d"}""", change: Authorize)).Status);
        Assert.Equal(401, (await bench.Post("/v1/track", """{"userId":"ann","writeKey":"\ud83d"}""")).Status);
        Assert.Equal(2, bench.Read("segment-calls").Count);
    }

    [Theory]
    [InlineData("""{"batch":[]}""", 400)]
    [InlineData("""{"batch":[{"userId":"a"}],"\ud83d":1}""", 400)]
    [InlineData("""{"batch":7}""", 400)]
    [InlineData("[", 400)]
    [InlineData("""{"batch":[{"userId":"a"}],"batch":[]}""", 400)]
    [InlineData("""{"batch":[{"type":"track"}]}""", 400)]
    public async Task A_body_that_is_none_is_refused(string body, int expected)
    {
        await using var bench = await Open();
        Assert.Equal(expected, (await bench.Post("/v1/batch", body, change: Authorize)).Status);
        Assert.Equal(401, (await bench.Post("/v1/batch", body)).Status);
        Assert.Empty(bench.Read("segment-calls"));
    }

    [Theory]
    [InlineData("/v1/batch", """{"writeKey":"KEY","batch":[{"type":"track","userId":"a","event":"e","writeKey":"KEY"}]}""")]
    [InlineData("/v1/track", """{"writeKey":"KEY","userId":"a","event":"e"}""")]
    public async Task A_key_may_stand_in_the_body_and_goes_no_further(string path, string body)
    {
        await using var bench = await Open("http.keys.site.rate=3");
        Assert.Equal(401, (await bench.Post(path, body)).Status);
        body = body.Replace("KEY", WriteKey.Key, StringComparison.Ordinal);
        Assert.Equal(200, (await bench.Post(path, body)).Status);
        Assert.DoesNotContain(WriteKey.Key, Assert.Single(bench.Read("segment-calls")).Value, StringComparison.Ordinal);
        var statuses = new HashSet<int>();
        while (!statuses.Contains(429)) // its rate holds here too, however slow this machine is
            foreach (var (status, _) in await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => bench.Post(path, body))))
                statuses.Add(status);
        Assert.True(statuses.IsSubsetOf([200, 429]), string.Join(',', statuses));
    }

    [SkippableTheory]
    [InlineData("segment.mjs")]
    [InlineData("rudder.mjs")]
    public async Task The_makers_own_clients_are_understood(string script)
    {
        NodeClients.SkipWithout("");
        await using var bench = await Open();
        await NodeClients.Run(script, bench.Address, WriteKey.Key);
        var records = bench.Read("segment-calls");
        Assert.Equal(["alias", "group", "identify", "page", "screen", "track"],
            records.Select(r => (string)r.Json["type"]!).Order(StringComparer.Ordinal));
        Assert.Equal(12.5, (double)records.Single(r => (string)r.Json["type"]! == "track").Json["properties"]!["revenue"]!);
        Assert.Equal("x", records.Single(r => (string)r.Json["type"]! == "page").Key);
    }

    [SkippableFact]
    public async Task The_browser_tag_waits_for_consent_and_sends_again()
    {
        await using var bench = await Open();
        using var reply = await bench.Client.GetAsync("/streamengine.js");
        var script = await reply.Content.ReadAsByteArrayAsync();
        Assert.Equal("text/javascript", reply.Content.Headers.ContentType!.MediaType);
        Assert.Equal(BrowserTag.Script, script);
        Assert.True(script.Length <= 3_500, $"{script.Length} bytes");
        Assert.Equal("cross-origin", reply.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        using var again = new HttpRequestMessage(HttpMethod.Get, "/streamengine.js");
        again.Headers.IfNoneMatch.Add(reply.Headers.ETag!);
        using var unchanged = await bench.Client.SendAsync(again);
        Assert.Equal(304, (int)unchanged.StatusCode);

        Skip.If(!NodeClients.HasNode, "needs node: install nodejs");
        var path = Path.Combine(Path.GetTempPath(), $"streamengine-{Guid.NewGuid():N}.js");
        await File.WriteAllBytesAsync(path, script);
        try
        {
            await NodeClients.Run("tag.mjs", path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Task<CollectorBench> Open(params string[] sets) => CollectorBench.OpenFile(
        Repository.Path("deploy", "samples", "segment", "streamengine.yaml"),
        [$"http.keys={{site: {{sha256: {WriteKey.Sha256}, scopes: [collect]}}}}", .. sets]);

    /// <summary>As the SDKs do: the write key is the user, and there is no password.</summary>
    private static void Authorize(HttpRequestMessage request) => request.Headers.Authorization =
        new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WriteKey.Key}:")));
}
