using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using StreamEngine.Host.Telemetry;
using StreamEngine.Tests.Requests;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>Where an OTLP endpoint is named, metrics and traces arrive there.</summary>
public sealed class OtlpTests
{
    [Fact]
    public async Task Traces_and_metrics_arrive_at_a_collector()
    {
        var folder = Directory.CreateTempSubdirectory("otlp-").FullName;
        var received = new ConcurrentDictionary<string, long>();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var path = context.Request.Path.Value!;
            if (path != "/v1/traces" || body.ToArray().AsSpan().IndexOf("interval"u8) >= 0)
                received.AddOrUpdate(path, body.Length, (_, n) => n + body.Length);
        });
        await collector.StartAsync();
        Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.First());
        Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        try
        {
            using (var metrics = new MetricsEndpoint())
            using (var shop = new RequestShop(folder))
            {
                shop.Send("c1", "page_view", placement: "home");
                await shop.ReadAsync("c1", p => p.NewestEvent is not null);
            }
            // Disposing flushes what is left.
            Assert.True(received.GetValueOrDefault("/v1/traces") > 0, "no traces came");
            Assert.True(received.GetValueOrDefault("/v1/metrics") > 0, "no metrics came");
        }
        finally
        {
            Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT", null);
            Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL", null);
            Directory.Delete(folder, recursive: true);
        }
    }
}
