using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Kafka;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;

namespace StreamEngine.Host.Run;

/// <summary>
/// <c>leave</c>: hands the partitions of a process over at once, which a stopped static member keeps until the session timeout. The process
/// on this machine is asked by its HTTP address; the members of a node that is gone are taken out of the group on their behalf.
/// </summary>
internal static class LeaveCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Option<string?> Node = new("--node")
    {
        Description = "Takes the members of this node (kafka.node_name, else its host's name) out of the group, for a machine that is "
            + "gone. A member that is alive is fenced by that and joins again.",
        HelpName = "NAME",
    };

    public static Command Make()
    {
        var command =
            LogOptions.AddTo(new Command("leave", "Makes the process on this machine commit, leave its group for good and end, so that "
            + "others take its partitions over at once; with --node, takes out a node that is gone.") { Config, Node });
        command.Validators.Add(result =>
        {
            if (result.GetResult(Node) is not null && result.GetResult(LogOptions.Embedded) is not null)
                result.AddError("--node needs --kafka: the group of an embedded log lives and ends with its one process.");
        });
        return Invocation.Act(command, LeaveAsync);
    }

    private static Task<int> LeaveAsync(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        ConfigCheck.CheckKafka(config.Options.Kafka, errors);
        errors.ThrowIfAny();
        return call.Get(Node) is { } node ? Task.FromResult(TakeOut(call, config.Options, node))
            : AskAsync(call, config.Options, config.BaseDirectory);
    }

    private static int TakeOut(Invocation call, HostOptions options, string node)
    {
        using var log = (KafkaLog)LogOptions.Open(call, options.Kafka);
        var group = log.Group(options.Name);
        var members = group.Members();
        if (members.Count == 0)
            throw new LogException($"Group '{options.Name}' has no members at {call.Get(LogOptions.Kafka)}. Check the config's name and "
                + "the address; without members its partitions are free.");
        var gone = members.Where(m => IsOf(m.InstanceId ?? "", $"{options.Name}-{node}-"))
            .OrderBy(m => m.InstanceId, StringComparer.Ordinal).ToList();
        if (gone.Count == 0)
            throw new LogException($"Group '{options.Name}' has no members of node '{node}'. It has: "
                + string.Join(", ", members.Select(m => m.InstanceId ?? $"one without a name from {m.Host}").Order(StringComparer.Ordinal))
                + ".");
        foreach (var member in gone)
        {
            group.Remove(member.InstanceId!, options.Events[0].Topic);
            call.Say(LogLevel.Info, $"{member.InstanceId} is taken out of the group");
        }
        Print(call, options.Name, node, [.. gone.SelectMany(m => m.Partitions).Select(p => p.Partition).Distinct().Order()],
            "was taken out of the group");
        return ExitCode.Done;
    }

    private static async Task<int> AskAsync(Invocation call, HostOptions options, string folder)
    {
        if (options.Http.Port == 0)
            throw new LogException("http.port is 0: a process of this config listens nowhere and can't be asked. Stop it with SIGTERM and "
                + "then take its node out with --node NAME, or give it a port.");
        using var client = RunningProcess.Client(options.Http, folder, TimeSpan.FromSeconds(100));
        var reply = await LeftAsync(client, options, call.Stop).ConfigureAwait(false);
        await EndedAsync(client, call.Stop).ConfigureAwait(false);
        Print(call, reply.Engine, reply.Node, reply.Partitions, "has left the group and ended");
        return ExitCode.Done;
    }

    private static async Task<LeaveReply> LeftAsync(HttpClient client, HostOptions options, CancellationToken stop)
    {
        HttpResponseMessage response;
        LeaveReply? reply;
        try
        {
            response = await client.PostAsJsonAsync("leave", new LeaveRequest(options.Name), stop).ConfigureAwait(false);
            reply = response.Content.Headers.ContentType?.MediaType == "application/json"
                ? await response.Content.ReadFromJsonAsync<LeaveReply>(stop).ConfigureAwait(false) : null;
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            throw new LogException($"{RunningProcess.Nobody(client)} Where its machine is gone, name it with --node NAME.", e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || e is TaskCanceledException && !stop.IsCancellationRequested)
        {
            throw new LogException($"{RunningProcess.NoWholeAnswer(client, e)} Look at its log; once it has ended, "
                + $"take its node out with --node {RunCommand.Node(options.Kafka)}.", e);
        }
        using (response)
        {
            if (RunningProcess.Refused(response, client, Scope.Admin) is { } refused) throw new LogException(refused);
            if (reply?.Engine is null)
                throw new LogException($"What listens at {client.BaseAddress} can't leave (it answered {(int)response.StatusCode}): it is "
                    + "no streamengine, an older one, or takes this for another machine.");
            if (reply.Engine != options.Name)
                throw new LogException($"At {client.BaseAddress} runs engine '{reply.Engine}', not '{options.Name}': nothing was done. "
                    + $"Name the right config, or set http.port to the port of '{options.Name}'.");
            if (reply.Error is { } error) throw new LogException($"The process at {client.BaseAddress} did not leave in order: {error}");
            return reply;
        }
    }

    /// <summary>Waits until nothing listens any more, which a process stops at its very end.</summary>
    private static async Task EndedAsync(HttpClient client, CancellationToken stop)
    {
        for (var tries = 0; tries < 300; tries++)
        {
            try
            {
                using var response = await client.GetAsync("healthz/live", stop).ConfigureAwait(false);
            }
            catch (HttpRequestException)
            {
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop).ConfigureAwait(false);
        }
        throw new LogException($"The process at {client.BaseAddress} has left its group, but does not end. Look at its log.");
    }

    private static void Print(Invocation call, string engine, string node, IReadOnlyList<int> partitions, string what)
    {
        if (call.Json)
            call.Print(new JsonObject
            {
                ["engine"] = engine,
                ["node"] = node,
                ["partitions"] = new JsonArray([.. partitions.Select(p => JsonValue.Create(p))])
            });
        else call.Out.WriteLine($"{engine}: node {node} {what}; handed over: "
            + $"{(partitions.Count == 0 ? "nothing, it owned no partition" : $"partitions {string.Join(", ", partitions)}")}");
    }

    /// <summary>Whether an id is the prefix and a worker's number: a node may be called as another one's beginning.</summary>
    internal static bool IsOf(string instanceId, string prefix) =>
        instanceId.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(instanceId.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
