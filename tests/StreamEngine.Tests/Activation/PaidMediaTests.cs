using System.Text.Json;
using StreamEngine.Activation;
using StreamEngine.Activation.Files;
using StreamEngine.Activation.Webhook;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>The sample's connectors to ad platforms, delivering to a real HTTP server: audiences in batches, and conversions.</summary>
public sealed class PaidMediaTests : IAsyncLifetime
{
    private static readonly HostOptions Sample = Load();
    private readonly ActivationBench _bench = new(partitions: 1) { Engine = Sample };
    private Partner _partner = null!;

    public async Task InitializeAsync() => _partner = await Partner.StartAsync();

    public async Task DisposeAsync()
    {
        await _bench.DisposeAsync();
        await _partner.DisposeAsync();
    }

    [Fact]
    public async Task Meta_gets_who_enters_by_post_and_who_leaves_by_delete_many_in_a_call()
    {
        for (var i = 0; i < 6; i++) Audience($"c{i}", 1);
        Audience("c1", 2);
        Audience("c6", 1);
        Audience("c1", 3);
        Audience("other", 1, "other");
        var done = await _bench.DrainAsync(Connector("meta_audience"));
        Assert.Equal(9, done.Counts.Delivered);
        Assert.Equal(["POST c0 c1 c2 c3 c4 c5 c6", "DELETE c1", "POST c1"],
            _partner.Taken.Select(c => $"{c.Method} {string.Join(' ', Rows(c).Select(r => r[0].GetString()![2..]))}"));
        var first = JsonDocument.Parse(_partner.Taken.First().Body).RootElement.GetProperty("payload");
        Assert.Equal("[\"EMAIL\", \"PHONE\", \"EXTERN_ID\"]", first.GetProperty("schema").GetRawText());
        Assert.Equal(["e-c0", "p-c0", Sha256("c0")], first.GetProperty("data")[0].EnumerateArray().Select(v => v.GetString()));
        Assert.Equal("Bearer secret", _partner.Taken.First().Headers["Authorization"]);
        Assert.Equal(["audiences/0/0-7/7", "shop/big_spenders/c1/2", "shop/big_spenders/c1/3"], _partner.Taken.Select(c => c.Key));
    }

    [Fact]
    public async Task Google_gets_who_enters_and_who_leaves_at_their_addresses_and_nobody_whom_it_could_not_match()
    {
        Audience("c1", 1);
        Audience("c2", 1, identifiers: """{"ga_client":"1.2"}""");
        Audience("c3", 1, identifiers: """{"phone":"p-c3"}""");
        Audience("c1", 2);
        await _bench.DrainAsync(Connector("google_audience"));
        Assert.Equal(["/v1/audienceMembers:ingest", "/v1/audienceMembers:remove"], _partner.Taken.Select(c => c.Path));
        var calls = _partner.Taken.Select(c => JsonDocument.Parse(c.Body).RootElement).ToList();
        Assert.Equal("""[{"userData": {"userIdentifiers": [{"emailAddress": "e-c1"},{"phoneNumber": "p-c1"}]}},"""
            + """{"userData": {"userIdentifiers": [{"phoneNumber": "p-c3"}]}}]""", calls[0].GetProperty("audienceMembers").GetRawText());
        Assert.Equal("CONSENT_GRANTED", calls[0].GetProperty("consent").GetProperty("adUserData").GetString());
        Assert.Equal("""[{"userData": {"userIdentifiers": [{"emailAddress": "e-c1"},{"phoneNumber": "p-c1"}]}}]""",
            calls[1].GetProperty("audienceMembers").GetRawText());
        Assert.All(calls, c => Assert.Equal("HEX", c.GetProperty("encoding").GetString()));
    }

    [Fact]
    public async Task Customer_match_gets_operations()
    {
        Audience("c1", 1);
        Audience("c1", 2);
        await _bench.DrainAsync(Connector("google_customer_match"));
        var operations = JsonDocument.Parse(Assert.Single(_partner.Taken).Body).RootElement.GetProperty("operations");
        Assert.Equal(["create", "remove"], operations.EnumerateArray().Select(o => o.EnumerateObject().Single().Name));
        Assert.Equal("""[{"hashedEmail": "e-c1"},{"hashedPhoneNumber": "p-c1"}]""",
            operations[1].GetProperty("remove").GetProperty("userIdentifiers").GetRawText());
    }

    [Theory]
    [InlineData("meta_conversions", """
        {"data": [{"event_name": "Purchase", "event_time": 1772362800, "event_id": "e1", "action_source": "website", "user_data":
        {"em": ["e-c1"], "ph": ["p-c1"], "external_id": ["SHA"]}, "custom_data": {"currency": "EUR", "value": 12.5}}]}
        """)]
    [InlineData("google_conversions", """
        {"destinations": [{"operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "ACCOUNT"}, "productDestinationId": "ACTION"}],
        "encoding": "HEX", "events": [{"eventTimestamp": "2026-03-01T11:00:00.000Z", "transactionId": "e1", "eventSource": "WEB",
        "currency": "EUR", "conversionValue": 12.5, "userData": {"userIdentifiers": [{"emailAddress": "e-c1"}, {"phoneNumber": "p-c1"}]}}]}
        """)]
    [InlineData("analytics_conversions", """
        {"client_id": "c1", "user_id": "c1", "timestamp_micros": 1772362800000000, "events": [{"name": "purchase", "params":
        {"transaction_id": "e1", "currency": "EUR", "value": 12.5}}]}
        """)]
    public async Task A_conversion_is_told_as_the_platform_asks_and_nothing_else_is(string connector, string expected)
    {
        Outcome("c1", "click", "counted");
        Outcome("c1", "conversion", "late");
        Outcome("c1", "none", "closed");
        Outcome("c1", "conversion", "counted");
        var done = await _bench.DrainAsync(Connector(connector));
        Assert.Equal(1, done.Counts.Delivered);
        var call = Assert.Single(_partner.Taken);
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(expected.Replace("SHA", Sha256("c1"))).RootElement,
            JsonDocument.Parse(call.Body).RootElement), call.Body);
        Assert.Equal("shop/track/0/7/0/conversion", call.Key);
    }

    [Fact]
    public async Task A_batch_that_is_refused_for_some_records_is_halved_until_they_are_found()
    {
        _partner.Answer = (call, http) =>
        {
            http.Response.StatusCode = call.Body.Contains("e-c3") || call.Body.Contains("e-c4") ? 400 : 200;
            return Task.CompletedTask;
        };
        for (var i = 0; i < 8; i++) Audience($"c{i}", 1);
        var done = await _bench.DrainAsync(Connector("meta_audience"));
        Assert.Equal((6, 2), (done.Counts.Delivered, done.Counts.DeadLettered));
        Assert.Equal(["c0", "c1", "c2", "c5", "c6", "c7"], _partner.Taken.SelectMany(Rows).Select(r => r[0].GetString()![2..]).Order());
        Assert.Equal(["shop/big_spenders/c3/1", "shop/big_spenders/c4/1"],
            _bench.DeadLetters().Select(l => JsonDocument.Parse(JsonDocument.Parse(l).RootElement.GetProperty("value").GetString()!)
                .RootElement.GetProperty("audience_id").GetString()).Order());
        // A refused key says nothing of its records, so every record of the batch is not told that its own are wrong.
        Assert.All(_partner.Calls.GroupBy(c => c.Key), same => Assert.Single(same));
    }

    [Fact]
    public async Task A_call_that_failed_is_repeated_alone_and_with_its_key()
    {
        var failed = false;
        _partner.Answer = (call, http) =>
        {
            if (call.Method == "DELETE" && !failed) (failed, http.Response.StatusCode) = (true, 503);
            return Task.CompletedTask;
        };
        Audience("c1", 1);
        Audience("c2", 1);
        Audience("c1", 2);
        await _bench.DrainAsync(Connector("meta_audience"));
        Assert.Equal(["POST", "DELETE", "DELETE"], _partner.Calls.Select(c => c.Method));
        Assert.Equal(2, _partner.Calls.Select(c => c.Key).Distinct().Count());
    }

    [Fact]
    public async Task What_was_taken_of_a_batch_that_is_given_up_is_no_dead_letter()
    {
        _partner.Answer = (call, http) =>
        {
            if (call.Method == "DELETE") http.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        Audience("c1", 1);
        Audience("c2", 1);
        Audience("c1", 2);
        var connector = Connector("meta_audience");
        var done = await _bench.DrainAsync(connector with
        {
            Webhook = connector.Webhook! with { GiveUpAfter = TimeSpan.FromSeconds(1) },
        });
        Assert.Equal((2, 1), (done.Counts.Delivered, done.Counts.DeadLettered));
        Assert.Contains("shop/big_spenders/c1/2", Assert.Single(_bench.DeadLetters()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_stands_behind_a_question_mark_is_in_no_line_and_no_dead_letter()
    {
        _partner.Answer = (call, http) =>
        {
            http.Response.StatusCode = call.Number == 1 ? 500 : 422;
            return Task.CompletedTask;
        };
        Outcome("c1", "conversion", "counted");
        await _bench.DrainAsync(Connector("analytics_conversions"));
        Assert.Contains(_bench.Lines, l => l.Contains("500", StringComparison.Ordinal));
        Assert.DoesNotContain(_bench.Lines.Concat(_bench.DeadLetters()), l => l.Contains("api_secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_that_was_renewed_is_sent()
    {
        var file = Path.Combine(_bench.Folder, "token");
        File.WriteAllText(file, "Bearer one\n");
        var connector = Connector("meta_conversions");
        connector = connector with
        {
            Webhook = connector.Webhook! with { HeaderFiles = new Dictionary<string, string> { ["Authorization"] = file } },
        };
        var group = _bench.Start(connector);
        Outcome("c1", "conversion", "counted");
        await _bench.UntilAsync(() => _partner.Taken.Count == 1, "the first call", group);
        File.WriteAllText(file, "Bearer two\n");
        _bench.Time.Advance(TimeSpan.FromSeconds(11));
        Outcome("c1", "conversion", "counted");
        await _bench.UntilAsync(() => _partner.Taken.Count == 2, "the second call", group);
        File.WriteAllText(file, "");
        _bench.Time.Advance(TimeSpan.FromSeconds(11));
        Outcome("c1", "conversion", "counted");
        await _bench.UntilAsync(() => _partner.Taken.Count == 3, "the third call", group);
        Assert.Equal(["Bearer one", "Bearer two", "Bearer two"], _partner.Taken.Select(c => c.Headers["Authorization"]));
    }

    [Fact]
    public async Task A_column_takes_filters()
    {
        Audience("c1", 1, identifiers: """{"email":" Ann@X.com"}""");
        Audience("c2", 1, identifiers: "{}");
        await _bench.DrainAsync(new ActivationOptions
        {
            Name = "list",
            Topic = "audiences",
            Files = new FilesOptions
            {
                Folder = _bench.Folder,
                Format = ActivationFileFormat.Csv,
                Columns = new Dictionary<string, string>
                {
                    ["customer"] = "customer_id",
                    ["email"] = "identifiers.email | normalize_email | sha256",
                    ["plain"] = "identifiers.email",
                },
            },
        });
        Assert.Equal($"customer,email,plain\r\nc1,{Sha256("ann@x.com")}, Ann@X.com\r\nc2,,\r\n",
            File.ReadAllText(Directory.GetFiles(_bench.Folder).Single()));
    }

    [Fact]
    public void Mistakes_of_a_batch_or_another_call_are_told()
    {
        var errors = new ConfigErrors();
        ActivationCheck.Compile(
        [
            new ActivationOptions { Name = "a", Topic = "outcomes", Webhook = new WebhookOptions { Url = "https://x.example" } },
            new ActivationOptions
            {
                Name = "b",
                Webhook = new WebhookOptions
                {
                    Url = "https://x.example",
                    Instead = new WebhookInsteadOptions { Url = "http://10.0.0.1/", Body = "{{ action.offer" },
                },
            },
            new ActivationOptions
            {
                Name = "c",
                Files = new FilesOptions
                {
                    Folder = "c",
                    Format = ActivationFileFormat.Csv,
                    Columns = new Dictionary<string, string> { ["a"] = "offer | |", ["b"] = "ofer | sha256" },
                },
            },
        ], new StreamEngine.Runtime.EngineOptions(), ".", errors);
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        foreach (var mistake in new[]
        {
            "nothing is written to 'outcomes', as the config declares no outcomes", "it does not say for which records",
            "10.0.0.1 is no public address", "it is no Liquid template", "its filters are no Liquid", "the records have no field 'ofer'",
        })
            Assert.Contains(mistake, told);
        Assert.Equal(6, errors.All.Count);
    }

    private void Audience(string customer, int number, string segment = "big_spenders", string? identifiers = null) =>
        _bench.Write(customer, $$$"""
            {"audience_id":"shop/{{{segment}}}/{{{customer}}}/{{{number}}}","segment":"{{{segment}}}",
            "change":"{{{(number % 2 == 1 ? "enter" : "leave")}}}","cause":"event","customer_id":"{{{customer}}}",
            "changed_at":"2026-03-01T11:00:00.000Z","identifiers":{{{identifiers ?? Identifiers(customer)}}}}
            """, "audiences");

    private void Outcome(string customer, string kind, string status) => _bench.Write(customer, $$$"""
        {"outcome_id":"shop/track/0/7/0/{{{kind}}}","decision_id":"shop/track/0/7/0","kind":"{{{kind}}}","status":"{{{status}}}",
        "customer_id":"{{{customer}}}","event_id":"e1","event_time":"2026-03-01T11:00:00.000Z","value":12.5,
        "identifiers":{{{Identifiers(customer)}}}}
        """, "outcomes");

    private static string Identifiers(string customer) => $$"""{"email":"e-{{customer}}","phone":"p-{{customer}}"}""";

    /// <summary>The sample's connector, with the partner in the platform's place.</summary>
    private ActivationOptions Connector(string name)
    {
        var sample = Sample.Activations.Single(a => a.Name == name);
        var webhook = sample.Webhook!;
        return sample with
        {
            Webhook = webhook with
            {
                Url = Here(webhook.Url),
                AllowPrivate = true,
                Instead = webhook.Instead is not { Url: { } url } ? webhook.Instead : webhook.Instead with { Url = Here(url) },
            },
        };

        string Here(string url) => new Uri(_partner.Url).GetLeftPart(UriPartial.Authority) + new Uri(url).PathAndQuery;
    }

    private static HostOptions Load()
    {
        var folder = Directory.CreateTempSubdirectory("paid-media-");
        try
        {
            var file = Path.Combine(folder.FullName, "paid-media.yaml");
            File.Copy(Configuration.Repository.Path("deploy", "samples", "paid-media", "paid-media.yaml"), file);
            var errors = new ConfigErrors();
            var options = ConfigLoader.Load(file, [], new Dictionary<string, string>(), errors).Options;
            errors.ThrowIfAny();
            // A secret's file is named by its full path: connectors are compiled from other folders.
            return options with
            {
                Activations =
                [
                    .. options.Activations.Select(a => a with { Webhook = a.Webhook! with { HeaderFiles = Secret(a.Webhook) } }),
                ],
            };
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static IReadOnlyDictionary<string, string> Secret(WebhookOptions webhook)
        {
            if (webhook.HeaderFiles.Count == 0) return webhook.HeaderFiles;
            var path = Path.Combine(Path.GetTempPath(), "streamengine-paid-media.token");
            File.WriteAllText(path, "Bearer secret\n");
            return webhook.HeaderFiles.ToDictionary(h => h.Key, _ => path);
        }
    }

    private static IEnumerable<JsonElement> Rows(Call call) =>
        JsonDocument.Parse(call.Body).RootElement.GetProperty("payload").GetProperty("data").EnumerateArray();

    private static string Sha256(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
