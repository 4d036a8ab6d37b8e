using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StreamEngine.Cluster;
using StreamEngine.Tests.Events;
using Xunit;
using static StreamEngine.Tests.Cluster.Membership.TestNode;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>Nodes without seeds. Each has a loopback address of its own, and the same port.</summary>
public sealed class DiscoveryTests
{
    private static ClusterOptions Found(string address, int port, int required) => Options(port) with
    {
        Address = address,
        Discovery = new DiscoveryOptions { Required = required, StableAfter = TimeSpan.FromSeconds(0.5) },
    };

    [Fact]
    public async Task Nodes_that_discovery_finds_form_one_cluster_once_there_are_enough()
    {
        var port = FreePorts(1)[0];
        List<string> found = ["127.0.0.1"];
        TestNode Make(string address) => Start(address, Found(address, port, 2), s => s with
        {
            Lookup = () => Task.FromResult<IReadOnlyList<string>>([.. found]),
            LookEvery = TimeSpan.FromSeconds(0.5),
        });
        await using var a = Make("127.0.0.1");
        await using var b = Make("127.0.0.2");
        await Until(() => a.Part.Attached == 1 && b.Part.Attached == 1, a, b);
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
        Assert.False(a.Node.View.IsUp || b.Node.View.IsUp); // one is not enough
        found = ["127.0.0.2", "127.0.0.1"];
        await Formed(a, b);
        a.Down(b);
        await Until(() => b.Part.Attached == 2, a, b);
        await Formed(a, b);
        Assert.Equal(1, a.Part.Attached);
    }

    [Fact]
    public async Task Kubernetes_API_is_asked_for_the_pods()
    {
        using var authority = new Certificates("kubernetes");
        using var certificate = authority.For("localhost");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k =>
            k.Listen(IPAddress.Loopback, 0, o => o.UseHttps(certificate)));
        await using var api = builder.Build();
        string? asked = null;
        api.MapGet("/api/v1/namespaces/shops/pods", (HttpRequest request) =>
        {
            asked = $"{request.Query["labelSelector"]} {request.Headers.Authorization}";
            return Results.Text(Pods("127.0.0.1", "127.0.0.2"), "application/json");
        });
        await api.StartAsync();
        using var trusted = X509Certificate2.CreateFromPem(authority.Pem);
        var port = FreePorts(1)[0];
        TestNode Make(string address)
        {
            var options = Found(address, port, 2);
            return Start(address, options with { Discovery = options.Discovery! with { Selector = "app=shop", Namespace = "shops" } }, s =>
                s with
                {
                    Kubernetes = () => new KubernetesClientConfiguration
                    {
                        Host = $"https://localhost:{new Uri(api.Urls.First()).Port}",
                        AccessToken = "sesame",
                        SslCaCerts = [trusted],
                    },
                });
        }
        await using var a = Make("127.0.0.1");
        await using var b = Make("127.0.0.2");
        await Formed(a, b);
        Assert.Equal("app=shop Bearer sesame", asked);
    }

    private static string Pods(params string[] addresses) => JsonSerializer.Serialize(new
    {
        kind = "PodList",
        apiVersion = "v1",
        metadata = new { resourceVersion = "1" },
        items = addresses.Select((ip, i) => new
        {
            metadata = new { name = $"p{i}", @namespace = "shops" },
            spec = new { containers = new[] { new { name = "c" } } },
            status = new
            {
                phase = "Running",
                podIP = ip,
                podIPs = new[] { new { ip } },
                containerStatuses = new[]
                {
                    new { name = "c", ready = true, image = "i", imageID = "i", restartCount = 0, state = new
                        { running = new { startedAt = "2026-11-29T00:00:00Z" } } },
                },
            },
        }),
    });
}
