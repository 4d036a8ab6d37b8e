using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>Commands that wait for a Kafka that is away, or that takes a connection and says nothing, hear Ctrl-C.</summary>
public sealed class KafkaAwayTests : IDisposable
{
    /// <summary>Far below the 30 s that a request takes.</summary>
    private static readonly TimeSpan Heard = TimeSpan.FromSeconds(15);

    private readonly string _folder = Directory.CreateTempSubdirectory("kafka-away-").FullName;
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);

    public KafkaAwayTests()
    {
        File.WriteAllText(Path.Combine(_folder, "shop.yaml"), """
            name: shop
            events:
              shop: { topic: events, format: json, customer: who, id: id, time: at, fields: { total: double } }
            features: { n: { op: count } }
            http: { port: 0 }
            state: { store: memory, directory: state }
            """);
        _silent.Start();
    }

    public void Dispose()
    {
        _silent.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run --drain")]
    [InlineData("topics create")]
    [InlineData("topics list")]
    [InlineData("leave --node b")]
    [InlineData("savepoint create one")]
    public async Task A_command_that_waits_for_Kafka_hears_a_stop(string command)
    {
        var silent = $"127.0.0.1:{((IPEndPoint)_silent.LocalEndpoint).Port}";
        foreach (var address in new[] { "127.0.0.1:1", silent })
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            var began = Stopwatch.GetTimestamp();
            var (code, _, error) = await Cli.RunAsync(
                [.. command.Split(' '), "--config", Path.Combine(_folder, "shop.yaml"), "--kafka", address], stop.Token);
            Assert.True(Stopwatch.GetElapsedTime(began) < Heard, $"{command}: {Stopwatch.GetElapsedTime(began)}: {error}");
            Assert.True(code == 0, error);
        }
    }
}
