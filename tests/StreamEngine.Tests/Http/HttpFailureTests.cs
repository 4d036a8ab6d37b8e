using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Http;
using StreamEngine.Host.Telemetry;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>A request that fails for a reason that nobody has foreseen is answered, counted and told, once.</summary>
public sealed class HttpFailureTests : IAsyncLifetime
{
    private readonly MetricsEndpoint _metrics = new();
    private readonly List<string> _said = [];
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpEndpoint _http = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, _metrics, () => new HealthReport(true, [], [], []), () => true, app =>
        {
            app.MapGet("/fails/{how}", (Delegate)FailAsync);
            app.MapGet("/waits", (Delegate)WaitAsync);
        }, say: line =>
        {
            lock (_said) _said.Add(line);
        });
        _client = new HttpClient { BaseAddress = new Uri(_http.Address) };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _http.DisposeAsync();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_failure_is_a_problem_a_count_and_one_line()
    {
        foreach (var how in new[] { "now", "cancelled" })
        {
            using var reply = await _client.GetAsync($"/fails/{how}");
            Assert.Equal((500, "application/problem+json"), ((int)reply.StatusCode, reply.Content.Headers.ContentType!.MediaType));
            var problem = await reply.Content.ReadAsStringAsync();
            Assert.Equal("internal", (string)JsonNode.Parse(problem)!["reason"]!);
            Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
            Assert.Equal("nosniff", reply.Headers.GetValues("X-Content-Type-Options").Single());
        }
        // An answer that has begun ends, and can't be taken for a whole one.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _client.GetStringAsync("/fails/late"));
        await CountedAsync("endpoint=\"/fails/{how}\"", "status=\"500\"", 3);
        lock (_said)
            Assert.Equal("a request to /fails/{how} failed with TimeZoneNotFoundException; it was answered with 500",
                Assert.Single(_said));
    }

    [Fact]
    public async Task A_caller_that_goes_away_is_no_failure()
    {
        using var gone = new CancellationTokenSource();
        var call = _client.GetAsync("/waits", gone.Token);
        await _entered.Task;
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await CountedAsync("endpoint=\"/waits\"", "status=\"499\"", 1);
        lock (_said) Assert.Empty(_said);
    }

    /// <summary>Waits until as many requests are counted: a request is counted behind its answer.</summary>
    private async Task CountedAsync(string endpoint, string status, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await _client.GetStringAsync("/metrics", patience.Token)).Split('\n').Any(l =>
            l.StartsWith("streamengine_http_requests_total", StringComparison.Ordinal) && l.Contains(endpoint, StringComparison.Ordinal)
            && l.Contains(status, StringComparison.Ordinal) && l.TrimEnd().EndsWith($" {count}", StringComparison.Ordinal)))
            await Task.Delay(10, patience.Token);
    }

    private static async Task FailAsync(HttpContext context)
    {
        var how = (string)context.Request.RouteValues["how"]!;
        if (how == "late") await context.Response.WriteAsync("the begin");
        // A cancellation that is not the caller's is a failure as well.
        throw how == "cancelled" ? new OperationCanceledException("secret") : new TimeZoneNotFoundException("secret");
    }

    private async Task WaitAsync(HttpContext context)
    {
        _entered.SetResult();
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    }
}
