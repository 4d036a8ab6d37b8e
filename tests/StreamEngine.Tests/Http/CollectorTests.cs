using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Http.Security;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>What becomes of events that are sent over HTTP.</summary>
public sealed class CollectorTests
{
    private const string Yes = "\"context\":{\"consent\":{\"categoryPreferences\":{\"ads\":true}},"
        + "\"traits\":{\"email\":\" Ann@Example.com\"}}";

    [Theory]
    [InlineData("application/json", "{0}", 1)]
    [InlineData("application/json; charset=utf-8", " [{0},{1},{2}] ", 3)]
    [InlineData("text/plain", "[{0},{1}]", 2)]
    [InlineData("application/x-ndjson", "{0}\n\n{1}\r\n{2}", 3)]
    public async Task Events_are_in_the_log_once_when_they_are_answered(string type, string form, int count)
    {
        await using var bench = await CollectorBench.Open();
        var body = string.Format(System.Globalization.CultureInfo.InvariantCulture, form, Shop("a", "1"), Shop("b", "2"), Shop("c", "3"));
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var (status, answer) = await bench.Post("/v1/events/shop", body, type);
        Assert.True(status == 202, answer.ToString());
        Assert.Equal(Enumerable.Repeat("accepted", count), answer["results"]!.AsArray().Select(r => (string)r!));
        var records = bench.Read("shop").OrderBy(r => r.Key).ToList();
        Assert.Equal(new[] { "a", "b", "c" }.Take(count), records.Select(r => r.Key));
        Assert.Equal(Shop("a", "1"), records[0].Value);
        Assert.All(records, r => Assert.True(r.Timestamp >= before));
    }

    [Fact]
    public async Task Every_mistake_is_told_with_field_value_and_remedy_and_what_is_right_is_taken()
    {
        await using var bench = await CollectorBench.Open();
        string[] wrong =
        [
            """{"c":"a","id":"1","t":1704067200000,"v":"a lot"}""", """{"id":"1","t":1704067200000}""", """{"c":"a","t":1704067200000}""",
            """{"c":"a","id":"1"}""",
            """{"c":"a","id":"1","t":99999999999999}""",
            $$"""{"c":"{{new string('x', 1_025)}}","id":"1","t":1704067200000}""",
            "17",
        ];
        var (status, answer) = await bench.Post("/v1/events/shop", $"[{string.Join(',', wrong)},{Shop("a", "9")}]");
        Assert.Equal((202, 1, 7), (status, (int)answer["accepted"]!, (int)answer["rejected"]!));
        var errors = answer["errors"]!.AsArray();
        Assert.Equal(Enumerable.Range(0, 7), errors.Select(e => (int)e!["index"]!));
        Assert.Equal(["wrong-type", "missing-customer", "missing-id", "missing-time", "future-time", "oversized", "malformed"],
            errors.Select(e => (string)e!["reason"]!));
        Assert.Equal(["v", "c", "id", "t", "t"], errors.Take(5).Select(e => (string)e!["field"]!));
        Assert.Contains("'a lot' is not a finite number", (string)errors[0]!["detail"]!, StringComparison.Ordinal);
        Assert.All(errors, e => Assert.NotEmpty((string)e!["remedy"]!));
        Assert.Single(bench.Read("shop"));

        (status, answer) = await bench.Post("/v1/events/shop", $"{wrong[0]}\n{{\"c\":\n{wrong[1]}", "application/x-ndjson");
        Assert.Equal((400, 3), (status, answer["errors"]!.AsArray().Count));
        Assert.Equal(400, (int)answer["status"]!);
        Assert.Single(bench.Read("shop"));
    }

    [Fact]
    public async Task An_event_that_comes_again_is_not_written_again()
    {
        await using var bench = await CollectorBench.Open();
        var (_, first) = await bench.Post("/v1/events/shop", $"[{Shop("a", "1")},{Shop("a", "1")},{Shop("b", "1")}]");
        Assert.Equal((2, 1), ((int)first["accepted"]!, (int)first["duplicates"]!)); // another customer's 1 is another event
        var (status, again) = await bench.Post("/v1/events/shop", $"[{Shop("a", "1")},{Shop("a", "2")}]");
        Assert.Equal((202, "[\"duplicate\",\"accepted\"]"), (status, again["results"]!.ToJsonString()));
        Assert.Equal(["1", "2", "1"], bench.Read("shop").OrderBy(r => r.Key).Select(r => (string)r.Json["id"]!));
    }

    [Fact]
    public async Task While_the_log_stands_still_memory_is_bounded_and_nothing_is_said_to_be_written()
    {
        await using var bench = await CollectorBench.Open("collector.patience=300ms");
        bench.Gate.Reset();
        var filling = $"\"w\":\"{new string('x', 900)}\",\"v\"";
        var large = $"[{string.Join(',', Enumerable.Range(0, 90)
            .Select(i => Shop("a", $"{i}").Replace("\"v\"", filling, StringComparison.Ordinal)))}]";
        Assert.Equal(503, (await bench.Post("/v1/events/shop", large)).Status);
        // What is being written is waited for by who sends it again, and is no duplicate of something that is not there.
        Assert.Equal(503, (await bench.Post("/v1/events/shop", large)).Status);
        var others = 0;
        for (var i = 0; i < 40; i++)
        {
            var body = Encoding.UTF8.GetBytes(large.Replace("\"a\"", $"\"a{i}\"", StringComparison.Ordinal));
            using var reply = await bench.Send("/v1/events/shop", body, "application/json");
            Assert.NotNull(reply.Headers.RetryAfter);
            if (reply.StatusCode == System.Net.HttpStatusCode.TooManyRequests) break;
            Assert.Equal(503, (int)reply.StatusCode);
            others++;
        }
        Assert.True(others is > 0 and < 20, $"{others} requests of 90 kB in 2 MB");
        Assert.True(bench.Collector.Memory.Taken <= 2 << 20);
        Assert.Empty(bench.Read("shop"));

        bench.Gate.Set();
        (int Status, JsonNode Body) again;
        do again = await bench.Post("/v1/events/shop", large);
        while (again.Status != 202);
        Assert.Equal(90, (int)again.Body["duplicates"]!);
        while (bench.Collector.Memory.Taken > 0) await Task.Delay(10);
        Assert.Equal(90 * (others + 1), bench.Read("shop").Count);
    }

    [Fact]
    public async Task Arrival_is_stamped_ids_are_made_and_identifiers_are_hashed()
    {
        await using var bench = await CollectorBench.Open();
        var sent = $$"""{"userId":"u","event":"Seen","receivedAt":"1999-01-01T00:00:00Z",{{Yes}}}""";
        var (status, answer) = await bench.Post("/v1/events/track", sent);
        Assert.True(status == 202, answer.ToString());
        var record = Assert.Single(bench.Read("track"));
        Assert.DoesNotContain("xample", record.Value, StringComparison.Ordinal);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData("pepper"u8, "ann@example.com"u8)),
            (string)record.Json["context"]!["traits"]!["email"]!);
        var arrived = $"{DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp):yyyy-MM-ddTHH:mm:ss.fff}Z";
        Assert.Equal(arrived, (string)record.Json["receivedAt"]!); // and no second one, which the parser would not take
        Assert.True(Guid.TryParse((string)record.Json["messageId"]!, out _));
        // A name that stands twice could slip past the hash.
        (status, answer) = await bench.Post("/v1/events/track", $$"""{"userId":"u",{{Yes}},{{Yes}}}""");
        Assert.Equal((400, "malformed"), (status, (string)answer["errors"]![0]!["reason"]!));
    }

    [Fact]
    public async Task An_event_with_half_a_character_is_its_own_mistake()
    {
        await using var bench = await CollectorBench.Open("collector.sources.shop.hash=[c]");
        foreach (var half in new[] { "\"x\":\"\\ud83d\"", "\"\\ud83d\":1", "\"w\":{\"c\":\"\\udc00.\"}" })
        {
            var bad = Shop("a", "1").Replace("\"v\":1.5", half, StringComparison.Ordinal);
            var (status, answer) = await bench.Post("/v1/events/shop", $"[{Shop("a", $"{Guid.NewGuid()}")},{bad}]");
            Assert.True(status == 202, answer.ToString());
            Assert.Equal((1, "malformed"), ((int)answer["errors"]![0]!["index"]!, (string)answer["errors"]![0]!["reason"]!));
            Assert.Contains("half a character", (string)answer["errors"]![0]!["detail"]!, StringComparison.Ordinal);
        }
        // Where the arrival is put into the event, and where consent lets only a part of it pass.
        var (code, told) = await bench.Post("/v1/events/track",
            """[{"userId":"u","event":"Seen","x":"\ud83d"},{"userId":"u","event":"Seen","x":"\ud83d\ude00"}]""");
        Assert.True(code == 202, told.ToString());
        Assert.Equal(["rejected", "no_consent"], told["results"]!.AsArray().Select(r => (string)r!));
    }

    [Fact]
    public async Task Only_texts_and_numbers_are_hashed_and_nothing_else_slips_past_the_hash()
    {
        await using var bench = await CollectorBench.Open("collector.sources.shop.hash=[c, w.email]");
        var events = new[] { "{\"a\":1}", "true", "[\"ann\"]", "\"  \"", "null", "7", "\" Ann\"" }
            .Select((c, i) => Shop("c", $"{i}").Replace("\"c\":\"c\"", $"\"c\":{c}", StringComparison.Ordinal))
            .Append(Shop("a", "9").Replace("\"v\":1.5", "\"w\":{\"email\":[\"ann@shop.example\"]}", StringComparison.Ordinal));
        var (status, answer) = await bench.Post("/v1/events/shop", $"[{string.Join(',', events)}]");
        Assert.True(status == 202, answer.ToString());
        Assert.Equal(["wrong-type c", "wrong-type c", "wrong-type c", "missing-customer c", "missing-customer c", "wrong-type w.email"],
            answer["errors"]!.AsArray().Select(e => $"{e!["reason"]} {e["field"]}"));
        Assert.Equal(new[] { "7", "ann" }.Select(t => Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(
            "pepper"u8, Encoding.UTF8.GetBytes(t)))).Order(), bench.Read("shop").Select(r => r.Key).Order());
    }

    [Theory]
    [InlineData("gzip", 400)]
    [InlineData("br", 400)]
    [InlineData("deflate", 400)]
    [InlineData("zstd", 415)]
    [InlineData("identity", 202)]
    public async Task A_body_that_can_not_be_unpacked_is_refused(string encoding, int expected)
    {
        await using var bench = await CollectorBench.Open();
        using var reply = await bench.Send("/v1/events/shop", Encoding.UTF8.GetBytes(Shop("a", "1")), "application/json",
            r => r.Content!.Headers.ContentEncoding.Add(encoding));
        var answer = await reply.Content.ReadAsStringAsync();
        Assert.True(expected == (int)reply.StatusCode, answer);
        Assert.Equal(expected == 202 ? 1 : 0, bench.Read("shop").Count);
        if (expected == 415) Assert.Contains("gzip, br, deflate", answer, StringComparison.Ordinal);
        if (expected != 202) Assert.Equal(expected == 415 ? "content_encoding" : "malformed", (string)JsonNode.Parse(answer)!["reason"]!);
        Assert.Empty(bench.Said);
    }

    [Theory]
    [InlineData("reduce", 1)]
    [InlineData("drop", 0)]
    [InlineData("pass", 1)]
    public async Task Without_consent_no_more_is_written_than_the_config_says(string fate, int written)
    {
        await using var bench = await CollectorBench.Open($"collector.sources.track.without_consent={fate}");
        var (status, answer) = await bench.Post("/v1/events/track", """
            {"messageId":"1","userId":"u","event":"Seen","timestamp":"2024-01-01T00:00:00Z","type":"track","properties":{"revenue":9.5},
             "context":{"ip":"192.0.2.1","consent":{"categoryPreferences":{"ads":false,"email":true}}}}
            """);
        Assert.True(status == 202, answer.ToString());
        Assert.Equal(fate == "pass" ? "accepted" : "no_consent", (string)answer["results"]![0]!);
        Assert.Equal(written, bench.Read("track").Count);
        if (fate != "reduce") return;
        var json = bench.Read("track")[0].Json;
        Assert.Equal(["userId", "messageId", "timestamp", "receivedAt", "event", "context"], json.AsObject().Select(p => p.Key));
        Assert.Equal("""{"consent":{"categoryPreferences":{"ads":false}}}""", json["context"]!.ToJsonString());
    }

    [Fact]
    public async Task Avro_is_taken_by_its_content_type()
    {
        await using var bench = await CollectorBench.Open();
        byte[] record = [2, (byte)'a', 2, (byte)'1', .. Varint(1_704_067_200_000)];
        using (var reply = await bench.Send("/v1/events/packed", record, "application/avro")) Assert.Equal(202, (int)reply.StatusCode);
        using (var reply = await bench.Send("/v1/events/packed", record[..^1], "application/avro"))
            Assert.Equal(400, (int)reply.StatusCode);
        Assert.Equal(415, (await bench.Post("/v1/events/packed", Shop("a", "1"))).Status);
        Assert.Equal(415, (await bench.Post("/v1/events/shop", "c=a", "application/x-www-form-urlencoded")).Status);
        Assert.Equal("a", Assert.Single(bench.Read("packed")).Key);
    }

    [Fact]
    public async Task A_pixel_takes_one_event_out_of_its_address()
    {
        await using var bench = await CollectorBench.Open();
        var data = Uri.EscapeDataString(Shop("a", "1"));
        foreach (var (query, status) in new[]
        {
            ($"source=shop&data={data}", 200), ("source=shop&c=b&id=2&t=1704067200000", 200), ("source=shop&c=b", 400),
            ("source=none", 404), ("data=1", 400),
            ("source=track&anonymousId=x&event=Mail%20Opened&context.consent.categoryPreferences.ads=true", 200),
        })
        {
            using var reply = await bench.Client.GetAsync($"/v1/events/pixel.gif?{query}");
            Assert.True(status == (int)reply.StatusCode, $"{query}: {reply.StatusCode}");
            Assert.Equal("GIF89a", Encoding.ASCII.GetString(await reply.Content.ReadAsByteArrayAsync())[..6]);
        }
        Assert.Equal(["a", "b"], bench.Read("shop").Select(r => r.Key).Order());
        Assert.Equal("Mail Opened", (string)Assert.Single(bench.Read("track")).Json["event"]!);
    }

    [Fact]
    public async Task Pages_of_the_sources_origins_may_write_and_no_others()
    {
        await using var bench = await CollectorBench.Open();
        var good = $$"""{"messageId":"1","userId":"u","timestamp":"2024-01-01T00:00:00Z",{{Yes}}}""";
        foreach (var (path, origin, allowed) in new[]
        {
            ("/v1/events/track", "https://shop.example", true), ("/v1/events/track", "https://evil.example", false),
            ("/v1/events/track", "null", false), ("/v1/events/track", "https://shop.example.evil.example", false),
            ("/v1/events/shop", "https://shop.example", false),
        })
        {
            using var reply = await bench.Send(path, Encoding.UTF8.GetBytes(good), "text/plain", r => r.Headers.Add("Origin", origin));
            Assert.Equal(allowed ? 202 : 403, (int)reply.StatusCode);
            Assert.Equal(allowed, reply.Headers.Contains("Access-Control-Allow-Origin"));
        }
        using var asked = new HttpRequestMessage(HttpMethod.Options, "/v1/events/track");
        asked.Headers.Add("Origin", "https://shop.example");
        using var preflight = await bench.Client.SendAsync(asked);
        Assert.Equal((204, "https://shop.example"),
            ((int)preflight.StatusCode, preflight.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Single(bench.Read("track"));
    }

    [Fact]
    public async Task A_key_writes_its_own_sources_and_may_stand_in_a_beacons_address()
    {
        var (site, tills) = (KeyRing.New(), KeyRing.New());
        await using var bench = await CollectorBench.Open(
            $"http.keys={{site: {{sha256: {site.Sha256}, scopes: [collect]}}, tills: {{sha256: {tills.Sha256}, scopes: [collect]}}}}",
            "collector.sources.shop.keys=[tills]", "collector.sources.packed.keys=[tills]");
        var event1 = $$"""{"messageId":"1","userId":"u","timestamp":"2024-01-01T00:00:00Z",{{Yes}}}""";
        Assert.Equal(401, (await bench.Post("/v1/events", event1)).Status);
        // The only source that the key may write needs no name.
        Assert.Equal(202, (await bench.Post($"/v1/events?key={site.Key}", event1, "text/plain")).Status);
        Assert.Equal(403, (await bench.Post($"/v1/events/shop?key={site.Key}", Shop("a", "1"))).Status);
        Assert.Equal(400, (await bench.Post($"/v1/events?key={tills.Key}", Shop("a", "1"))).Status);
        Assert.Equal(202, (await bench.Post($"/v1/events/shop?key={tills.Key}", Shop("a", "1"))).Status);
        Assert.Single(bench.Read("shop"));
    }

    [Fact]
    public async Task Attacks_are_refused_and_cost_little()
    {
        await using var bench = await CollectorBench.Open();
        var nested = string.Concat(Enumerable.Repeat("{\"a\":", 15_000));
        foreach (var (body, status) in new[]
        {
            (new string(' ', 200_000), 413), (nested, 400), ("[" + nested, 400), ("", 400), ("[]", 400), ("\"\0\"", 400),
            ($"[{string.Join(',', Enumerable.Range(0, 101).Select(i => Shop("a", $"{i}")))}]", 413),
            ($"{{\"c\":\"a\",\"id\":\"1\",\"t\":1704067200000,\"x\":{new string('[', 9)}{new string(']', 9)}}}", 400),
        })
            Assert.True(status == (await bench.Post("/v1/events/shop", body)).Status, body[..Math.Min(body.Length, 40)]);
        // Small, and large once unpacked.
        foreach (var (unpacked, status) in new[] { (20_000_000, 413), (50_000, 202) })
        {
            using var reply = await bench.Send("/v1/events/shop", Gzip(Shop("a", $"{unpacked}") + new string(' ', unpacked)),
                "application/json", r => r.Content!.Headers.ContentEncoding.Add("gzip"));
            Assert.Equal(status, (int)reply.StatusCode);
        }
        foreach (var name in new[] { "..%2f..%2fetc%2fpasswd", "%0d%0aSet-Cookie:x", new string('a', 5_000) })
            Assert.Equal(404, (await bench.Post($"/v1/events/{name}", Shop("a", "1"))).Status);
        Assert.Equal(403, (await bench.Post("/v1/events/shop", Shop("a", "1"), change: r => r.Headers.Host = "evil.example")).Status);
        Assert.Single(bench.Read("shop")); // the small one that was packed
        Assert.Equal(0, bench.Collector.Memory.Taken);
    }

    [Fact]
    public async Task What_was_done_is_counted()
    {
        await using var bench = await CollectorBench.Open();
        await bench.Post("/v1/events/shop", $"[{Shop("a", "1")},{Shop("a", "1")},{{}}]");
        var metrics = await bench.Client.GetStringAsync("/metrics");
        foreach (var (name, labels) in new[]
        {
            ("streamengine_collector_events_total", "outcome=\"duplicate\""),
            ("streamengine_collector_rejected_total", "reason=\"missing-customer\""),
            ("streamengine_collector_queue_size_bytes", ""), ("streamengine_collector_write_duration_seconds_count", ""),
            ("streamengine_http_requests_total", "endpoint=\"/v1/events/{source}\""),
        })
            Assert.Contains(metrics.Split('\n'), l => l.StartsWith(name, StringComparison.Ordinal)
                && l.Contains(labels, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("collector.sources.shop.keys=[nobody]", "there is no key 'nobody'")]
    [InlineData("collector.sources.shop.origins=[shop.example]", "'shop.example' is no origin")]
    [InlineData("collector.sources.packed.arrival=at", "only JSON can be changed on its way")]
    [InlineData("collector.sources.nothing={}", "there is no source 'nothing'")]
    [InlineData("collector.segment=shops", "'shops' is none of the collector's sources")]
    [InlineData("http.port=0", "nothing is listened on")]
    [InlineData("events.shop.customer=$key", "an event over HTTP has no key")]
    public async Task A_mistake_in_the_config_is_told(string set, string message)
    {
        var told = await Assert.ThrowsAsync<ConfigException>(async () => await CollectorBench.Open(set));
        Assert.Contains(message, told.Message, StringComparison.Ordinal);
    }

    private static string Shop(string customer, string id) => $$"""{"c":"{{customer}}","id":"{{id}}","t":1704067200000,"v":1.5}""";

    private static byte[] Gzip(string text)
    {
        using var to = new MemoryStream();
        using (var packed = new GZipStream(to, CompressionLevel.Optimal)) packed.Write(Encoding.UTF8.GetBytes(text));
        return to.ToArray();
    }

    private static List<byte> Varint(long value)
    {
        var (left, bytes) = ((ulong)(value << 1), new List<byte>());
        for (; left > 127; left >>= 7) bytes.Add((byte)(left & 127 | 128));
        bytes.Add((byte)left);
        return bytes;
    }
}
