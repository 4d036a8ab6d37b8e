using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;
using StreamEngine.Activation.Webhook;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Webhooks to a real HTTP server: nothing is lost, and nothing comes twice without the same idempotency key.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private readonly ActivationBench _bench = new();
    private Partner _partner = null!;

    public async Task InitializeAsync() => _partner = await Partner.StartAsync();

    public async Task DisposeAsync()
    {
        await _bench.DisposeAsync();
        await _partner.DisposeAsync();
    }

    [Fact]
    public async Task Every_action_comes_once_and_each_customers_in_order()
    {
        _bench.WriteActions(60);
        var done = await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        Assert.Equal(60, _partner.Taken.Count);
        Assert.Equal(60, _partner.Taken.Select(c => c.Key).Distinct().Count());
        Assert.Equal(60, done.Counts.Delivered);
        Assert.Equal(60, _bench.Committed());
        foreach (var customer in _partner.Taken.Select(Fields).GroupBy(f => f.GetProperty("customer_id").GetString()))
        {
            var numbers = customer.Select(f => int.Parse(f.GetProperty("event_id").GetString()![1..])).ToList();
            Assert.Equal(numbers.Order(), numbers);
        }
        Assert.Equal("shop/events/0/7/0:email:club", _partner.Taken.Single(c => c.Body.Contains("\"e7\"")).Key);
        Assert.Equal("application/json", _partner.Taken.First().Headers["Content-Type"]);
    }

    [Fact]
    public async Task A_restart_goes_on_behind_what_was_delivered()
    {
        _bench.WriteActions(10);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        _bench.WriteActions(10, from: 10);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        Assert.Equal(20, _partner.Calls.Count);
        Assert.Equal(20, _partner.Taken.Select(c => c.Key).Distinct().Count());
    }

    [Fact]
    public async Task A_partner_that_is_down_for_ten_minutes_gets_everything_afterwards()
    {
        var back = _bench.Time.GetUtcNow() + TimeSpan.FromMinutes(10);
        _partner.Answer = (_, http) =>
        {
            http.Response.StatusCode = _bench.Time.GetUtcNow() < back ? 503 : 200;
            return Task.CompletedTask;
        };
        _bench.WriteActions(40);
        var group = _bench.Start(ActivationBench.Webhook(_partner) with { MaxInFlight = 10 });
        var connector = group.Connectors[0];
        await _bench.UntilAsync(() => connector.Partner.Lasts is not null, "the outage is told", group);
        await _bench.UntilAsync(() => _partner.Calls.Count >= 12, "some more attempts", group, TimeSpan.FromSeconds(2),
            () => _partner.Inside == 0);
        Assert.Equal(0, _bench.Committed());
        await _bench.UntilAsync(() => _bench.Committed() == 40, "everything is delivered and committed", group, TimeSpan.FromSeconds(2),
            () => _partner.Inside == 0);
        Assert.Equal(40, _partner.Taken.Count);
        Assert.Equal(40, _partner.Taken.Select(c => c.Key).Distinct().Count());
        Assert.Empty(_bench.DeadLetters());
        // The breaker keeps a dead partner from being called all the time: ten lanes of retries at 30 s would be hundreds.
        Assert.InRange(_partner.Calls.Count - 40, 10, 150);
        Assert.Null(connector.Partner.Lasts);
        Assert.True(connector.Counts.Retried > 0);
    }

    [Fact]
    public async Task Every_third_call_fails_after_it_was_heard_and_is_repeated_with_its_key()
    {
        _partner.Answer = (call, http) =>
        {
            if (call.Number % 3 == 0) http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        _bench.WriteActions(45);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        Assert.Equal(45, _partner.Taken.Count);
        Assert.Equal(45, _partner.Taken.Select(c => c.Key).Distinct().Count());
        Assert.All(_partner.Calls.GroupBy(c => c.Key), same => Assert.Single(same.Select(c => c.Body).Distinct()));
        Assert.True(_partner.Calls.Count >= 45 + 15);
    }

    [Fact]
    public async Task A_call_that_hangs_ends_at_the_timeout_and_is_repeated_with_its_key()
    {
        _partner.Answer = async (call, http) =>
        {
            if (call.Number <= 2) await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { });
        };
        _bench.WriteActions(6, customers: 6);
        var group = _bench.Start(ActivationBench.Webhook(_partner, w => w with { Parallelism = 1 }));
        await _bench.UntilAsync(() => _partner.Calls.Count == 1, "the first call", group);
        // The clock stands: a partner may take its time up to the limit.
        await Task.Delay(50);
        Assert.Single(_partner.Calls);
        await _bench.UntilAsync(() => _bench.Committed() == 6, "all delivered", group, TimeSpan.FromSeconds(1));
        Assert.Equal(6, _partner.Taken.Select(c => c.Key).Distinct().Count());
        Assert.Single(_partner.Calls.Take(3).Select(c => c.Key).Distinct());
    }

    [Fact]
    public async Task Retry_after_is_waited_for()
    {
        var began = _bench.Time.GetUtcNow();
        var second = DateTimeOffset.MinValue;
        _partner.Answer = (call, http) =>
        {
            if (call.Number > 1) second = _bench.Time.GetUtcNow();
            else
            {
                http.Response.StatusCode = 429;
                http.Response.Headers.RetryAfter = "120";
            }
            return Task.CompletedTask;
        };
        _bench.WriteActions(1);
        var group = _bench.Start(ActivationBench.Webhook(_partner));
        await _bench.UntilAsync(() => _partner.Taken.Count == 1, "the second call", group, TimeSpan.FromSeconds(5),
            () => _partner.Inside == 0);
        Assert.True(second - began >= TimeSpan.FromSeconds(120), $"called again after {second - began}");
    }

    [Fact]
    public async Task What_is_refused_for_good_is_a_dead_letter_and_a_replay_sends_it_again()
    {
        _partner.Answer = (call, http) =>
        {
            if (!call.Body.Contains("\"c1\"")) return Task.CompletedTask;
            http.Response.StatusCode = 422;
            return http.Response.WriteAsync("no such customer");
        };
        _bench.WriteActions(10);
        _bench.Write("c0", "neither JSON nor Avro");
        await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        Assert.Equal(8, _partner.Taken.Count);
        Assert.Equal(11, _bench.Committed());
        var letters = _bench.DeadLetters().Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["status_422", "status_422", "unreadable"], letters.Select(l => l.GetProperty("reason").GetString()).Order());
        var refused = letters.First(l => l.GetProperty("reason").GetString() == "status_422");
        Assert.Contains("no such customer", refused.GetProperty("detail").GetString());
        Assert.Equal("crm", refused.GetProperty("activation").GetString());

        var before = _partner.Calls.Where(c => c.Body.Contains("\"c1\"")).Select(c => (c.Key, c.Body)).ToList();
        _partner.Answer = (_, _) => Task.CompletedTask;
        var replayed = await _bench.DrainAsync(ActivationBench.Webhook(_partner), replay: true);
        Assert.Equal(2, replayed.Counts.Delivered);
        Assert.Equal(before.Order(), _partner.Taken.Where(c => c.Body.Contains("\"c1\"")).Select(c => (c.Key, c.Body)).Order());
        Assert.Equal(1, replayed.Counts.DeadLettered);
        // What was sent is not sent by the next replay.
        Assert.Equal(0, (await _bench.DrainAsync(ActivationBench.Webhook(_partner), replay: true)).Counts.Delivered);
    }

    [Fact]
    public async Task What_is_not_taken_within_the_limit_is_given_up()
    {
        _partner.Answer = (_, http) =>
        {
            http.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        _bench.WriteActions(3);
        var group = _bench.Start(ActivationBench.Webhook(_partner, w => w with { GiveUpAfter = TimeSpan.FromMinutes(5) }));
        await _bench.UntilAsync(() => _bench.Committed() == 3, "all given up", group, TimeSpan.FromSeconds(2), () => _partner.Inside == 0);
        Assert.Equal(3, _bench.DeadLetters().Count(l => l.Contains("\"reason\":\"gave_up\"")));
    }

    [Fact]
    public async Task Calls_are_signed_as_standard_webhooks_has_it()
    {
        var secret = "whsec_" + Convert.ToBase64String(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());
        _bench.Time.SetUtcNow(DateTimeOffset.UtcNow); // the verifier looks at the real clock
        _bench.WriteActions(1);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner, w => w with { Secret = secret }));
        var call = Assert.Single(_partner.Taken);
        var headers = new HeaderDictionary(call.Headers.ToDictionary(h => h.Key, h => new StringValues(h.Value)));
        var verifier = new StandardWebhook(secret);
        verifier.Verify(call.Body, headers);
        Assert.ThrowsAny<Exception>(() => verifier.Verify(call.Body + " ", headers));
    }

    [Fact]
    public async Task A_template_makes_the_body_and_no_customers_data_can_change_its_structure()
    {
        var evil = "x\\\",\\\"admin\\\":\\\"yes";
        _bench.Write("c1", ActivationBench.Action("c1", 1, offer: evil));
        _bench.Write("c2", ActivationBench.Action("c2", 2, channel: "push"));
        await _bench.DrainAsync(ActivationBench.Webhook(_partner, w => w with
        {
            Body = """{"to":"{{ action.customer_id }}","what":"{{ action.offer }}","p":{{ action.probability }}}""",
        }) with
        { Where = "action.channel == 'email'" });
        var body = JsonDocument.Parse(Assert.Single(_partner.Taken).Body).RootElement;
        Assert.Equal(["to", "what", "p"], body.EnumerateObject().Select(p => p.Name));
        Assert.Equal("x\",\"admin\":\"yes", body.GetProperty("what").GetString());
        Assert.Equal(0.25, body.GetProperty("p").GetDouble());
    }

    [Fact]
    public async Task A_body_that_is_no_json_is_a_dead_letter()
    {
        _bench.WriteActions(1);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner, w => w with { Body = "{\"to\": {{ action.customer_id }}}" }));
        Assert.Empty(_partner.Calls);
        Assert.Contains("\"reason\":\"bad_body\"", Assert.Single(_bench.DeadLetters()));
    }

    [Theory]
    [InlineData("{{ 1 | divided_by: action.zero }}")]
    [InlineData("{% for i in (1..3000) %}{% for j in (1..3000) %}.{% endfor %}{% endfor %}")]
    [InlineData("{{ action.huge | times: action.huge }}")]
    public async Task A_record_that_the_template_fails_with_is_a_dead_letter_and_the_others_go_on(string fault)
    {
        _bench.Write("c1", ActivationBench.Action("c1", 1).Replace("}", ",\"zero\":0,\"huge\":1e300}", StringComparison.Ordinal));
        _bench.Write("c1", ActivationBench.Action("c1", 2, channel: "push"));
        await _bench.DrainAsync(ActivationBench.Webhook(_partner, w => w with
        {
            Body = $$$"""{% if action.channel == "email" %}{{{fault}}}{% endif %}{"id":"{{ action.event_id }}"}""",
        }));
        Assert.Equal("""{"id":"e2"}""", Assert.Single(_partner.Taken).Body);
        Assert.Equal(2, _bench.Committed());
        var letter = JsonDocument.Parse(Assert.Single(_bench.DeadLetters())).RootElement;
        Assert.Equal("bad_body", letter.GetProperty("reason").GetString());
        Assert.StartsWith("the template fails with this record: ", letter.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_with_half_a_character_is_a_dead_letter_and_the_others_go_on()
    {
        _bench.Write("c1", ActivationBench.Action("c1", 1, offer: "\\ud83d"));
        _bench.Write("c1", ActivationBench.Action("c1", 2));
        await _bench.DrainAsync(ActivationBench.Webhook(_partner) with { Where = "action.offer != 'x'" });
        Assert.Equal("e2", Fields(Assert.Single(_partner.Taken)).GetProperty("event_id").GetString());
        Assert.Contains("\"reason\":\"unreadable\"", Assert.Single(_bench.DeadLetters()));
        Assert.Equal(2, _bench.Committed());
    }

    [Fact]
    public async Task Health_and_log_tell_nothing_of_a_url_but_its_host_and_nothing_of_what_the_partner_says()
    {
        var file = Path.Combine(_bench.Folder, "url");
        await File.WriteAllTextAsync(file, $"{_partner.Url}/T0K3N?key=T0K3N\n");
        _partner.Answer = (_, http) =>
        {
            http.Response.StatusCode = 500;
            return http.Response.WriteAsync("at T0K3N of its own");
        };
        _bench.WriteActions(1);
        var group = _bench.Start(ActivationBench.Webhook(_partner, w => w with
        {
            Url = "",
            UrlFile = file,
            GiveUpAfter = TimeSpan.FromMinutes(5),
        }));
        await _bench.UntilAsync(() => group.Connectors[0].Partner.Reason.Length > 0, "the outage is told", group);
        Assert.Equal($"{_partner.Url[..^5]} answers 500", group.Connectors[0].Partner.Reason);
        await _bench.UntilAsync(() => _bench.Committed() == 1, "it is given up", group, TimeSpan.FromSeconds(2),
            () => _partner.Inside == 0);
        Assert.Contains("500 Internal Server Error: at T0K3N of its own", Assert.Single(_bench.DeadLetters()), StringComparison.Ordinal);
        lock (_bench.Lines) Assert.DoesNotContain("T0K3N", string.Concat(_bench.Lines), StringComparison.Ordinal);
        Assert.DoesNotContain("T0K3N", new WebhookOptions { Url = $"{_partner.Url}/T0K3N" }.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connectors_of_two_commands_on_one_machine_share_the_topic()
    {
        var run = _bench.Start(ActivationBench.Webhook(_partner), command: "run");
        _bench.WriteActions(10);
        await _bench.UntilAsync(() => _bench.Committed() == 10, "the first one delivers", run, TimeSpan.FromSeconds(1),
            () => _partner.Inside == 0);
        var activate = _bench.Start(ActivationBench.Webhook(_partner), command: "activate");
        for (var sent = 10; activate.Connectors[0].Counts.Delivered == 0 || run.Connectors[0].Counts.Delivered <= 10; sent += 10)
        {
            _bench.WriteActions(10, from: sent);
            await _bench.UntilAsync(() => _bench.Committed() == sent + 10, "all are delivered", run, TimeSpan.FromSeconds(1),
                () => _partner.Inside == 0);
            Assert.False(activate.Completion.IsCompleted);
            Assert.True(sent < 20_000, "one of the two delivers everything");
        }
        Assert.Equal(_partner.Taken.Count, _partner.Taken.Select(c => c.Key).Distinct().Count());
    }

    [Fact]
    public async Task No_more_calls_go_out_than_the_rate()
    {
        var times = new System.Collections.Concurrent.ConcurrentQueue<DateTimeOffset>();
        _partner.Answer = (_, _) =>
        {
            times.Enqueue(_bench.Time.GetUtcNow());
            return Task.CompletedTask;
        };
        _bench.WriteActions(10, customers: 10);
        var began = _bench.Time.GetUtcNow();
        var group = _bench.Start(ActivationBench.Webhook(_partner, w => w with { RateLimit = 2, Timeout = TimeSpan.FromMinutes(10) }));
        await _bench.UntilAsync(() => _partner.Taken.Count == 10, "all calls", group, TimeSpan.FromMilliseconds(100));
        Assert.All(times.Order().Select((t, i) => (At: t - began, i)), t => Assert.True(t.At >= TimeSpan.FromSeconds(0.5 * t.i)));
    }

    [SkippableFact]
    public async Task A_name_that_leads_to_a_private_address_is_never_called()
    {
        var addresses = await Dns.GetHostAddressesAsync(Environment.MachineName);
        Skip.If(addresses.Any(AddressGuard.IsPublic), "this machine's name leads to a public address");
        _bench.WriteActions(1);
        // "localhost" itself is refused by the check of the config, which does not look up what it does not know.
        var group = _bench.Start(ActivationBench.Webhook(_partner, w => w with
        {
            Url = _partner.Url.Replace("127.0.0.1", Environment.MachineName),
            AllowPrivate = false,
        }));
        var connector = group.Connectors[0];
        await _bench.UntilAsync(() => connector.Partner.Lasts is not null, "the refusal is told", group);
        Assert.Contains("no public address", connector.Partner.Reason);
        Assert.Empty(_partner.Calls);
    }

    private static JsonElement Fields(Call call) => JsonDocument.Parse(call.Body).RootElement;
}
