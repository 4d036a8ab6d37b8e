using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StreamEngine.Cluster.Membership;

/// <summary>
/// The config of Akka.NET (HOCON) that the cluster's section stands for. Names and defaults are those of Akka.Remote and Akka.Cluster
/// 1.5.73.
/// </summary>
internal static class AkkaConfig
{
    /// <summary>The name of the actor system: the same on every node of an engine, another one for another engine.</summary>
    public static string SystemName(string engine)
    {
        var fits = string.Concat(engine.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
        // Two names that differ in other characters only must not become one.
        return fits == engine ? $"streamengine-{fits}" : $"streamengine-{fits}-{Convert.ToHexStringLower(Hash(engine))}";
    }

    private static byte[] Hash(string text) => System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text))[..4];

    /// <summary>Writes the config.</summary>
    /// <param name="options">The section; checked.</param>
    /// <param name="node">This node's name.</param>
    /// <param name="sessionTimeout">Kafka's session timeout, near which nodes are taken out.</param>
    public static string Write(ClusterOptions options, string node, TimeSpan sessionTimeout)
    {
        var address = options.Address ?? Environment.MachineName;
        var text = new StringBuilder();
        var stableAfter = options.Downing.StableAfter ?? sessionTimeout / 3;
        text.Append(CultureInfo.InvariantCulture, $$"""
            {{KeepAll.StableAfter}} = {{Ms(stableAfter)}}
            akka {
              loglevel = WARNING
              stdout-loglevel = OFF
              loggers = ["{{TypeName<AkkaLog>()}}"]
              log-dead-letters = off
              log-dead-letters-during-shutdown = off
              actor.provider = cluster
              # Each tick wakes a thread, whether or not something is due: those of 10 ms, Akka's default, were most of a resting node's
              # CPU.
              # A pause of 20 ms before a request is asked again is a tick longer at most.
              scheduler.tick-duration = 40ms
              coordinated-shutdown {
                exit-clr = off
                run-by-clr-shutdown-hook = off
              }
              remote {
                retry-gate-closed-for = 1s
                dot-netty.tcp {
                  connection-timeout = 3s
                  hostname = {{Text(options.BindAddress ?? address)}}
                  port = {{options.BindPort ?? options.Port}}
                  public-hostname = {{Text(address)}}
                  public-port = {{options.Port}}
                  tcp-reuse-addr = off
                  enable-ssl = {{(options.Tls is null ? "off" : "on")}}
                }
              }
              cluster {
                log-info = off
                roles = [{{string.Join(", ", Roles(options, node).Select(Text))}}]
                seed-node-timeout = {{Ms(FormAfter(options, address))}}
                retry-unsuccessful-join-after = 2s
                gossip-interval = {{Ms(options.GossipInterval)}}
                gossip-time-to-live = {{Ms(options.GossipInterval * 2)}}
                leader-actions-interval = {{Ms(options.GossipInterval)}}
                unreachable-nodes-reaper-interval = {{Ms(options.GossipInterval)}}
                failure-detector {
                  heartbeat-interval = {{Ms(options.FailureDetector.Heartbeat)}}
                  acceptable-heartbeat-pause = {{Ms(options.FailureDetector.Pause ?? sessionTimeout / 5)}}
                  threshold = {{options.FailureDetector.Threshold.ToString("R", CultureInfo.InvariantCulture)}}
                }

            """);
        Downing(text, options, stableAfter);
        text.Append("  }\n");
        return text.Append("}\n").ToString();
    }

    /// <summary>The node's own roles, and the one that names it.</summary>
    private static IEnumerable<string> Roles(ClusterOptions options, string node) => [.. options.Roles, ClusterCheck.NodeRole + node];

    /// <summary>For how long this node listens for a cluster before it forms one: the later in the list of seeds, the longer.</summary>
    private static TimeSpan FormAfter(ClusterOptions options, string address)
    {
        var self = new HostPort(address, options.Port);
        var index = options.Seeds.Select(HostPort.Read).ToList().FindIndex(s => s?.Is(self) == true);
        return options.FormAfter * Math.Max(1, index + 1);
    }

    private static void Downing(StringBuilder text, ClusterOptions options, TimeSpan stableAfter)
    {
        text.Append(CultureInfo.InvariantCulture, $"    down-removal-margin = {Ms(options.Downing.Margin)}\n");
        if (options.Strategy == DowningStrategy.KeepAll)
        {
            text.Append(CultureInfo.InvariantCulture, $"    downing-provider-class = \"{TypeName<KeepAll>()}\"\n");
            return;
        }
        var strategy = options.Strategy == DowningStrategy.KeepOldest ? "keep-oldest" : "keep-majority";
        // What is unstable for long is left so: the fence is Kafka's, and to take out every node would end all requests for a while.
        text.Append(CultureInfo.InvariantCulture, $$"""
                split-brain-resolver {
                  active-strategy = {{strategy}}
                  stable-after = {{Ms(stableAfter)}}
                  down-all-when-unstable = off
                }

            """);
    }

    private static string TypeName<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private static string Text(string text) => JsonSerializer.Serialize(text);

    private static string Ms(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0}ms");
}
