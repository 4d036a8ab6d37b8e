using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Host.Run;

/// <summary>
/// <c>checkpoints list</c> and <c>checkpoints verify</c>: what is in the state directory. Both read only; an engine may be running.
/// </summary>
internal static class CheckpointsCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private sealed record ShardFile(int Shard, string Path, FileContent Content)
    {
        public bool Whole => Content.ValidBytes == Content.Bytes;
    }

    /// <summary>The command with its two subcommands, for their examples.</summary>
    public static (Command All, Command List, Command Verify) Make()
    {
        var list = Invocation.Act(new Command("list", "Lists the checkpoints of every shard in state.directory, newest first.") { Config },
            call => Task.FromResult(List(call)));
        var verify =
            Invocation.Act(new Command("verify", "Reads every checkpoint file and checks every block; ends with 3 where one is "
            + "damaged.") { Config }, call => Task.FromResult(Verify(call)));
        return (new Command("checkpoints", "Lists and verifies the checkpoints on this machine.") { list, verify }, list, verify);
    }

    private static int List(Invocation call)
    {
        var rows = Files(call).SelectMany(f => f.Content.Cuts.Reverse().Select(cut => (f.Shard, f.Path, cut.Marker))).ToList();
        if (call.Json)
        {
            call.Print(new JsonObject
            {
                ["checkpoints"] = new JsonArray([.. rows.Select(r => new JsonObject
                {
                    ["shard"] = r.Shard, ["number"] = r.Marker.Number, ["created_at"] = Time(r.Marker),
                        ["offsets"] = new JsonArray([.. r.Marker.Start.Next.Select(o => JsonValue.Create(o))]),
                    ["profiles"] = r.Marker.Profiles, ["version"] = r.Marker.Version, ["file"] = r.Path,
                })]),
            });
            return ExitCode.Done;
        }
        call.Out.WriteLine("shard    number  created at                 profiles  next offsets  file");
        foreach (var (shard, path, marker) in rows)
            call.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{shard,5}  {marker.Number,8}  {Time(marker)}  {marker.Profiles,9}  {string.Join(',', marker.Start.Next),12}  {path}"));
        return ExitCode.Done;
    }

    private static int Verify(Invocation call)
    {
        var files = Files(call);
        var damaged = files.Count(f => !f.Whole);
        if (call.Json)
            call.Print(new JsonObject
            {
                ["files"] =
                    new JsonArray([.. files
                    .Select(f => new JsonObject { ["shard"] = f.Shard, ["file"] = f.Path, ["bytes"] = f.Content.Bytes,
                    ["whole_bytes"] = f.Content.ValidBytes, ["checkpoints"] = f.Content.Cuts.Count })]),
                ["damaged"] = damaged,
            });
        else
        {
            foreach (var f in files)
                call.Out.WriteLine(f.Whole
                    ? $"{f.Path}: whole, {f.Content.Cuts.Count} checkpoints, {f.Content.Bytes} bytes"
                    : $"{f.Path}: damaged or unfinished from byte {f.Content.ValidBytes} of {f.Content.Bytes}; {f.Content.Cuts.Count} "
                    + "checkpoints before it are whole. A restart takes the newest of them and cuts off the rest.");
            call.Out.WriteLine($"{files.Count} files, {damaged} damaged or unfinished");
        }
        return damaged == 0 ? ExitCode.Done : ExitCode.Runtime;
    }

    private static List<ShardFile> Files(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        if (config.Options.State.Directory is null)
            errors.Add(config.Options.State.Node, "directory", "no folder for checkpoints is named",
                "Name the folder that the engine keeps its state in");
        errors.ThrowIfAny();
        var root = StateStores.CheckpointFolder(Path.GetFullPath(Path.Combine(config.BaseDirectory, config.Options.State.Directory!)),
            config.Options.Name);
        if (!Directory.Exists(root)) return [];
        return [.. from folder in Directory.GetDirectories(root, "shard-*")
            let shard = int.Parse(Path.GetFileName(folder)["shard-".Length..], CultureInfo.InvariantCulture)
            orderby shard
            from path in CheckpointFiles.In(folder)
            select new ShardFile(shard, path, CheckpointReader.Inspect(path))];
    }

    private static string Time(CutMarker marker) => DateTimeOffset.FromUnixTimeMilliseconds(marker.CreatedAt)
        .ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
