using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;

namespace StreamEngine.Host.Run;

/// <summary><c>cluster</c>: asks the process on this machine for the members of its cluster and for the shards.</summary>
internal static class ClusterCommand
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<bool> Watch = new("--watch") { Description = "Shows it again every two seconds, until Ctrl-C." };

    public static Command Make() => Invocation.Act(new Command("cluster", "Shows the cluster as the process on this machine sees it: its "
        + "members, and of each shard who owns it by Kafka's group and where requests go by Akka, with lag and restore.") { Config, Watch },
        ShowAsync);

    private static async Task<int> ShowAsync(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        var options = config.Options;
        errors.ThrowIfAny();
        if (options.Http.Port == 0)
            throw new LogException("http.port is 0: a process of this config listens nowhere and can't be asked. Give it a port.");
        using var client = RunningProcess.Client(options.Http, config.BaseDirectory, TimeSpan.FromSeconds(15));
        while (true)
        {
            var report = await AskAsync(client, options, call.Stop).ConfigureAwait(false);
            if (call.Json) call.Print(JsonSerializer.SerializeToNode(report, ClusterEndpoint.Json)!);
            else foreach (var line in Lines(report)) call.Out.WriteLine(Printable.Text(line));
            if (!call.Get(Watch)) return ExitCode.Done;
            await Task.Delay(Again, TimeProvider.System, call.Stop).ConfigureAwait(false);
            if (!call.Json) call.Out.WriteLine();
        }
    }

    private static async Task<ClusterReport> AskAsync(HttpClient client, HostOptions options, CancellationToken stop)
    {
        try
        {
            using var response = await client.GetAsync("cluster", stop).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.NotFound)
                throw new LogException(await NoneAsync(response, client, stop).ConfigureAwait(false));
            if (RunningProcess.Refused(response, client, Scope.Read) is { } refused) throw new LogException(refused);
            response.EnsureSuccessStatusCode();
            var report = await response.Content.ReadFromJsonAsync<ClusterReport>(ClusterEndpoint.Json, stop).ConfigureAwait(false);
            if (report!.Engine == options.Name) return report;
            throw new LogException($"At {client.BaseAddress} runs engine '{report.Engine}', not '{options.Name}'. Name the right config, "
                + $"or set http.port to the port of '{options.Name}'.");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            throw new LogException(RunningProcess.Nobody(client), e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || e is TaskCanceledException && !stop.IsCancellationRequested)
        {
            throw new LogException(RunningProcess.NoWholeAnswer(client, e), e);
        }
    }

    private static async Task<string> NoneAsync(HttpResponseMessage response, HttpClient client, CancellationToken stop)
    {
        // Plain JSON is of processes of the version before.
        var json = response.Content.Headers.ContentType?.MediaType is "application/problem+json" or "application/json"
            ? await response.Content.ReadFromJsonAsync<JsonObject>(stop).ConfigureAwait(false) : null;
        return json?["engine"] is { } engine
            ? $"Engine '{engine}' at {client.BaseAddress} is in no cluster: its config has no section 'cluster'."
            : $"What listens at {client.BaseAddress} knows no cluster: it is no streamengine, or an older one.";
    }

    /// <summary>A report for people.</summary>
    internal static IEnumerable<string> Lines(ClusterReport r)
    {
        yield return $"{r.Engine}: node {r.Node} at {r.Address} is {Word(r.Status)}; leader {r.Leader ?? "-"}";
        yield return "";
        foreach (var line in Table(["node", "address", "status", "heard", "leader", "seen", "roles"], [.. r.Members.Select(Row)]))
            yield return line;
        yield return "";
        string[] head = ["shard", "owner (Kafka)", "requests to (Akka)", "lag", "restore"];
        foreach (var line in Table(head, [.. r.Shards.Select(s => Row(r, s))])) yield return line;
        if (!r.OwnersKnown) yield return "Kafka's group does not tell its owners now: it is changing, or does not answer.";
    }

    private static string[] Row(MemberReport m) =>
    [
        m.Node, m.Address, Word(m.Status), m.Reachable ? "yes" : "NO", m.Leader ? "yes" : "", Age(m.SeenSeconds),
        string.Join(',', m.Roles),
    ];

    private static string[] Row(ClusterReport r, ShardReport s) =>
    [
        s.Partition.ToString(CultureInfo.InvariantCulture),
        r.OwnersKnown ? s.Owner ?? "nobody" : "?",
        (r.LocationsKnown ? s.Location ?? "-" : "?") + (s.Differs ? " DIFFERS" : ""),
        s.Lag is { } lag ? lag.ToString("N0", CultureInfo.InvariantCulture) : "?",
        s.Restoring is { } done ? done.ToString("P0", CultureInfo.InvariantCulture) : "",
    ];

    private static IEnumerable<string> Table(string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((h, i) => rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(head)) yield return string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd();
    }

    private static string Word(string status) => status.Replace('_', ' ');

    private static string Age(double seconds) => seconds < 120 ? $"{seconds:0}s" : seconds < 7_200 ? $"{seconds / 60:0}m"
        : seconds < 172_800 ? $"{seconds / 3_600:0}h" : $"{seconds / 86_400:0}d";
}
