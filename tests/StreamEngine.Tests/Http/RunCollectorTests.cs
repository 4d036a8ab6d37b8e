using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Http;

/// <summary>The command <c>run</c> with a collector: from an HTTP request to the customer's profile.</summary>
public sealed class RunCollectorTests : IDisposable
{
    private const string Config = """
        name: collected
        events:
          shop: { topic: shop, format: json, customer: c, id: id, time: t, type: type, fields: { v: decimal(2) } }
        features:
          revenue: { op: sum, of: event.v }
        requests: { enabled: true }
        state: { store: memory }
        collector: { sources: { shop: {} } }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("collector-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_is_collected_is_in_the_profile()
    {
        var port = FreePort();
        var config = Path.Combine(_folder, "c.yaml");
        File.WriteAllText(config, Config);
        string[] common = ["--config", config, "--embedded", Path.Combine(_folder, "log"), "--set", $"http.port={port}"];
        Assert.Equal(0, (await Cli.RunAsync(["topics", "create", "--partitions", "2", .. common])).Code);
        using var stop = new CancellationTokenSource();
        var running = Cli.RunAsync(["run", .. common], stop.Token);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!await Answers(client)) await Task.Delay(20, patience.Token);
        using (var sent = await client.PostAsync("/v1/events", new StringContent(
            """[{"c":"ann","id":"1","t":1704067200000,"v":7.5},{"c":"ann","id":"2","t":1704067201000,"v":0.25}]""", Encoding.UTF8,
            "application/json")))
            Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
        var revenue = 0.0;
        while (revenue != 7.75)
        {
            await Task.Delay(10, patience.Token);
            using var profile = await client.GetAsync("/v1/customers/ann", patience.Token);
            if (profile.IsSuccessStatusCode)
                revenue = (double)JsonNode.Parse(await profile.Content.ReadAsStringAsync(patience.Token))!["features"]!["revenue"]!;
        }
        stop.Cancel();
        var (code, _, error) = await running;
        Assert.True(code == 0, error);
    }

    private static async Task<bool> Answers(HttpClient client)
    {
        try
        {
            return (await client.GetAsync("/healthz")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
