using System.Net;
using System.Text.Json.Nodes;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Http;
using StreamEngine.Host.Live;
using StreamEngine.Host.Ofrep;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>The description of all HTTP endpoints, as it is served.</summary>
public sealed class ApiDocumentTests
{
    /// <summary>Set to 1, the committed document is written anew.</summary>
    private const string Write = "STREAMENGINE_WRITE_OPENAPI";

    [Fact]
    public async Task The_committed_document_is_what_is_served()
    {
        var served = await Document();
        var path = Repository.Path("schemas", "openapi.json");
        if (Environment.GetEnvironmentVariable(Write) == "1") await File.WriteAllTextAsync(path, served);
        Assert.True(served == await File.ReadAllTextAsync(path), $"schemas/openapi.json is stale: run this test with {Write}=1.");
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_who_may_and_how_it_refuses()
    {
        var document = JsonNode.Parse(await Document())!;
        var operations = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject()).Select(o => o.Value!).ToList();
        Assert.True(operations.Count >= 17, $"{operations.Count} operations");
        foreach (var operation in operations)
        {
            Assert.False(string.IsNullOrEmpty((string?)operation["summary"]), operation.ToJsonString());
            Assert.False(string.IsNullOrEmpty((string?)operation["operationId"]), operation.ToJsonString());
            Assert.NotNull(operation["security"]);
            string[] refusals = ["400", "401", "403", "429", "503"];
            // OpenFeature's protocol has bodies of its own for what is at fault in a call; refusals by keys and rates are those of all.
            var isOfrep = (string?)operation["tags"]![0] == "flags";
            foreach (var (status, answer) in operation["responses"]!.AsObject().Where(r => refusals.Contains(r.Key)))
                Assert.True(answer!["content"]?[isOfrep && status is "400" or "503" ? "application/json" : "application/problem+json"]
                    is not null, $"{operation["operationId"]} {status}");
        }
        Assert.Equal(operations.Count, operations.Select(o => (string)o["operationId"]!).Distinct().Count());
        var body = document["paths"]!["/v1/decisions"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!;
        Assert.Contains("timeout_ms", body.ToJsonString(), StringComparison.Ordinal);
    }

    private static async Task<string> Document()
    {
        await using var bench = await CollectorBench.Open();
        using var live = new LiveStreams(new LiveOptions(), new LiveSources(null!, null!, _ => true, 4, 4), LiveTokens.NewSecret(),
            TimeProvider.System);
        using var compiled = Scenario.Compile(Scenario.Options(), new LinearModels(1));
        using var decisions = new DecisionLookups(null!, compiled);
        using var flags = new OfrepEvaluator(new Nobody(), compiled, new OfrepOptions(), TimeProvider.System);
        using var metrics = new StreamEngine.Host.Telemetry.MetricsEndpoint();
        await using var http = await HttpEndpoint.ListenAsync("127.0.0.1", 0, metrics, () => new HealthReport(true, [], [], []), () => true,
            app =>
            {
                LeaveEndpoint.Map(app, "shop", () => throw new NotSupportedException());
                CustomerEndpoints.Map(app, new Nobody());
                DecisionEndpoint.Map(app, decisions);
                OfrepEndpoints.Map(app, flags);
                LiveEndpoints.Map(app, live);
                ClusterEndpoint.Map(app, "shop", null);
                SwitchEndpoint.Map(app, new SwitchBoard(compiled.Policy));
                StreamEngine.Host.Collector.CollectorEndpoints.Map(app, bench.Collector);
            });
        using var client = new HttpClient { BaseAddress = new Uri(http.Address) };
        using var reply = await client.GetAsync("/openapi/v1.json");
        Assert.Equal((HttpStatusCode.OK, "application/json"), (reply.StatusCode, reply.Content.Headers.ContentType!.MediaType));
        return await reply.Content.ReadAsStringAsync() + "\n";
    }

    private sealed class Nobody : ICustomerGateway
    {
        public ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default) =>
            throw new NotSupportedException();

        public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) =>
            throw new NotSupportedException();
    }
}
