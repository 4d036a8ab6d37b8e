using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Replay;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Savepoints;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Host.Run;

/// <summary>
/// <c>savepoint create</c>, <c>restore</c> and <c>list</c>: a named picture of all shards' state that outlives a change of features, timers
/// or caps.
/// </summary>
internal static class SavepointCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Option<string?> ListConfig =
        new("--config", "-c") { Description = "A config file, for its state.directory.", HelpName = "FILE" };
    private static readonly Option<string?> Directory =
        new("--directory") { Description = "The folder of savepoints; where absent, state.directory/savepoints.", HelpName = "DIR" };
    private static readonly Option<bool> Backfill = new("--backfill")
    {
        Description =
        "Fills what is new in the config from the log, from its start to the savepoint; without it, that starts empty."
    };
    private static readonly Argument<string> NewName = new("name")
    {
        Description = "The savepoint's name: letters, digits, dots, dashes "
        + "and underscores.",
        Validators = { r => CheckName(r.Tokens[0].Value, r.AddError) }
    };
    private static readonly Argument<string> Name = new("name") { Description = "The savepoint: its name, or the path of its folder." };

    /// <summary>The command with its subcommands, for their examples.</summary>
    public static (Command All, Command Create, Command Restore, Command List) Make()
    {
        var create =
            Invocation.Act(LogOptions.AddTo(new Command("create", "Saves the state of all shards as it is committed now. Reads "
            + "only; the engine may be running.") { NewName, Config, Directory }), call => Task.FromResult(Create(call)));
        var restore = Invocation.Act(
            LogOptions.AddTo(new Command("restore", "Makes a savepoint the newest checkpoint in state.directory, in the layout of the "
                + "config, so that the next run goes on from it. Features, timers and caps of the same name and definition are kept, new "
                + "ones start empty or are filled from the log, those that are gone are dropped; changed ones are refused. The engine must "
                + "be stopped; on several machines, restore on each.") { Name, Config, Directory, Backfill }),
            call => Task.FromResult(Restore(call)));
        var list = Invocation.Act(new Command("list", "Lists the savepoints of a folder.") { ListConfig, Directory }, call =>
            Task.FromResult(List(call)));
        list.Validators.Add(r =>
        {
            if (r.GetResult(ListConfig) is null && r.GetResult(Directory) is null)
                r.AddError("Give one of --config FILE and --directory DIR.");
        });
        return (new Command("savepoint", "Saves the state under a name, and starts a changed config from it.") { create, restore, list },
            create, restore, list);
    }

    private static int Create(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        var directory = FolderOf(call, config, errors);
        using var compiled = ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Warning, line), call.Stop);
        errors.ThrowIfAny();
        using var log = LogOptions.Open(call, config.Options.Kafka);
        using var stores = new StateStores(config.Options.State, config.BaseDirectory, temporary: true);
        var checkpoints = config.Options.State.Directory is { } state
            ? StateStores.CheckpointFolder(Path.GetFullPath(Path.Combine(config.BaseDirectory, state)), config.Options.Name) : null;
        var taker = new SavepointTaker(Settings(call, compiled!, log, stores), p =>
            checkpoints is null ? null : Path.Combine(checkpoints, $"shard-{p}"));
        var folder = Path.Combine(directory!, call.Get(NewName)!);
        SavepointManifest? made = null;
        if (!Worked(call, progress => made = taker.Take(folder, progress, call.Stop), $"stopped: there is no savepoint {folder}"))
            return ExitCode.Interrupted;
        if (call.Json) call.Print(Row(folder, made!));
        else call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"savepoint {folder}: {made!.Partitions} shards, {made.Profiles} profiles, {made.Bytes} bytes"));
        return ExitCode.Done;
    }

    private static int Restore(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        var options = config.Options;
        if (options.State.Directory is null)
            errors.Add(options.State.Node, "directory", "no folder for checkpoints is named, and a savepoint is restored into it",
                "Name the folder that the engine keeps its state in");
        else if (options.Checkpoints.Interval <= TimeSpan.Zero)
            errors.Add(options.Checkpoints.Node, "interval", "no checkpoints are kept (0s), and an engine starts from a savepoint only "
                + "where they are", "Choose an interval above 0, such as 30s");
        using var compiled = ConfigCheck.CompileForTopics(config, errors, line => call.Say(LogLevel.Warning, line), call.Stop);
        errors.ThrowIfAny();
        using var log = LogOptions.Open(call, options.Kafka, alone: true);
        using var stores = new StateStores(options.State, config.BaseDirectory, temporary: true);
        var root = StateStores.CheckpointFolder(Path.GetFullPath(Path.Combine(config.BaseDirectory, options.State.Directory!)),
            options.Name);
        var folder = Find(call.Get(Name)!, FolderOf(call, config, errors)!);
        var restorer = new SavepointRestorer(Settings(call, compiled!, log, stores), folder, call.Get(Backfill), errors);
        foreach (var warning in restorer.Warnings) call.Say(LogLevel.Warning, warning);
        RestoreResult? result = null;
        if (!Worked(call, progress => result = restorer.Restore(p => Path.Combine(root, $"shard-{p}"), progress, call.Stop),
            "stopped: nothing was restored")) return ExitCode.Interrupted;
        Tell(call, folder, restorer.Manifest, result!);
        return ExitCode.Done;
    }

    private static int List(Invocation call)
    {
        var errors = new ConfigErrors();
        var directory = FolderOf(call, call.Get(ListConfig) is null ? null : call.Load(ListConfig!, errors), errors);
        errors.ThrowIfAny();
        var rows = new List<(string Folder, SavepointManifest Manifest)>();
        foreach (var folder in SavepointFolder.In(directory!))
            try
            {
                rows.Add((folder, SavepointFolder.Read(folder)));
            }
            catch (InvalidDataException e)
            {
                call.Say(LogLevel.Warning, e.Message);
            }
        if (call.Json)
        {
            call.Print(new JsonObject { ["savepoints"] = new JsonArray([.. rows.Select(r => Row(r.Folder, r.Manifest))]) });
            return ExitCode.Done;
        }
        var width = rows.Select(r => Path.GetFileName(r.Folder).Length).Append(4).Max();
        call.Out.WriteLine($"{"name".PadRight(width)}  created at            shards   profiles         bytes  engine");
        foreach (var (folder, m) in rows)
            call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(folder).PadRight(width)}  {Time(m)}  {m.Partitions,6}  {m.Profiles,9}  {m.Bytes,12}  {m.Engine}"));
        return ExitCode.Done;
    }

    private static void Tell(Invocation call, string folder, SavepointManifest manifest, RestoreResult result)
    {
        if (call.Json)
        {
            var json = new JsonObject { ["savepoint"] = folder, ["created_at"] = Time(manifest) };
            foreach (var fate in Enum.GetValues<ItemFate>())
                json[Word(fate)] = new JsonArray([.. result.Items.Where(i => i.Fate == fate).Select(i => JsonValue.Create(i.Name))]);
            json["partial"] = result.Partial;
            json["profiles"] = new JsonArray([.. result.Profiles.Select(p => JsonValue.Create(p))]);
            call.Print(json);
            return;
        }
        var width = result.Items.Select(i => i.Name.Length).Append(4).Max();
        foreach (var item in result.Items) call.Out.WriteLine($"{item.Name.PadRight(width)}  {Word(item.Fate),-10}  {item.Text}");
        call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Profiles.Count} shards, {result.Profiles.Sum()} profiles: "
            + $"the next run on this state.directory goes on from {folder}, made at {Time(manifest)}"));
    }

    private static JsonObject Row(string folder, SavepointManifest m) => new()
    {
        ["name"] = Path.GetFileName(folder),
        ["path"] = folder,
        ["created_at"] = Time(m),
        ["engine"] = m.Engine,
        ["config_hash"] = m.ConfigHash,
        ["profiles"] = m.Profiles,
        ["bytes"] = m.Bytes,
        ["shards"] =
            new JsonArray([.. m.Shards
            .Select(s => new JsonObject { ["shard"] = s.Shard, ["offsets"] = new JsonArray([.. s.Offsets.Select(o => JsonValue.Create(o))]),
            ["decisions"] = s.Decisions, ["profiles"] = s.Profiles, ["bytes"] = s.Bytes })]),
    };

    /// <summary>Works with progress shown; false where a signal ended it.</summary>
    private static bool Worked(Invocation call, Action<Action<int, double>> work, string stopped)
    {
        try
        {
            ProgressView.Show(call, progress => work((shard, share) => progress($"shard {shard}", share)));
            return true;
        }
        catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
        {
            call.Say(LogLevel.Error, stopped);
            return false;
        }
    }

    private static WorkerSettings Settings(Invocation call, CompiledEngine compiled, ILog log, StateStores stores) => new()
    {
        Engine = compiled,
        Log = log,
        InstanceId = "", // it joins no group
        OpenStore = partition => stores.Open(partition, compiled.LargestProfile),
        Report = e => call.Say(e.Warning ? LogLevel.Warning : LogLevel.Debug, e.Text),
    };

    /// <summary>The folder of savepoints; a mistake where none is named.</summary>
    private static string? FolderOf(Invocation call, LoadedConfig? config, ConfigErrors errors)
    {
        if (call.Get(Directory) is { } given) return Path.GetFullPath(given);
        if (config!.Options.State.Directory is { } state)
            return Path.Combine(Path.GetFullPath(Path.Combine(config.BaseDirectory, state)), "savepoints");
        errors.Add(config.Options.State.Node, "directory", "no folder for savepoints is named",
            "Name the folder that the engine keeps its state in, or give --directory DIR");
        return null;
    }

    private static string Find(string name, string directory) =>
        name.Contains('/', StringComparison.Ordinal) || (!SavepointFolder.Is(Path.Combine(directory, name)) && SavepointFolder.Is(name))
            ? Path.GetFullPath(name) : Path.Combine(directory, name);

    private static void CheckName(string name, Action<string> error)
    {
        if (name.Length > 100 || name.StartsWith('.') || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            error($"'{name}' can't be a savepoint's name: use letters, digits, dots, dashes and underscores, with no dot first.");
    }

    private static string Word(ItemFate fate) => fate.ToString().ToLowerInvariant();

    private static string Time(SavepointManifest m) => m.CreatedAt.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
