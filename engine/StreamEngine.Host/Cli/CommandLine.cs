using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using StreamEngine.Host.Demo;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Cli;

/// <summary>The commands of <c>streamengine</c>.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error)
    {
        var configuration = new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        var parsed = Make().Parse(arguments);
        if (parsed.Action is ParseErrorAction mistake)
        {
            mistake.ShowHelp = false;
            await parsed.InvokeAsync(new InvocationConfiguration { Output = error, Error = error }).ConfigureAwait(false);
            error.WriteLine($"'{Name(parsed.CommandResult)} --help' tells the usage.");
            return ExitCode.Usage;
        }
        using var signals = new StopSignals(error);
        return await parsed.InvokeAsync(configuration, signals.Token).ConfigureAwait(false);
    }

    private static string Name(CommandResult result) => result.Parent is CommandResult parent ? $"{Name(parent)} {result.Command.Name}" : result.Command.Name;

    private static Command Make()
    {
        var root = new Command("streamengine", "StreamEngine: real-time decisions on customer events. Exit codes: 0 done, 1 usage, 2 config, 3 failed while running.");
        var examples = new Dictionary<Command, string[]>();
        Add(DemoCommand.Make(), "streamengine demo", "streamengine demo --rate 20000 --customers 200000 --for 60s --json");
        Add(RunCommand.Make(), "streamengine run --config shop.yaml --kafka broker:9092", "streamengine run --config shop.yaml --embedded ./log --drain");
        Add(ReplayCommand.Make(), "streamengine replay --config shop.yaml --events data/*.csv.gz --out results", "streamengine replay --config shop.yaml --events orders=orders/ clicks=clicks.ndjson --out results --as-of 2011-06-30");
        Add(FeaturesCommand.Make(), "streamengine features --config shop.yaml --events data/*.csv.gz --at labels.csv --out training.csv", "# labels.csv: customer,time,churned");
        var topics = TopicsCommand.Make();
        Add(topics.All, "streamengine topics list --kafka broker:9092");
        examples[topics.Create] = ["streamengine topics create --config shop.yaml --kafka broker:9092 --partitions 12 --replication-factor 3", "streamengine topics create --config shop.yaml --embedded ./log"];
        examples[topics.List] = ["streamengine topics list --kafka broker:9092", "streamengine topics list --embedded ./log --json"];
        var checkpoints = CheckpointsCommand.Make();
        Add(checkpoints.All, "streamengine checkpoints list --config shop.yaml");
        examples[checkpoints.List] = ["streamengine checkpoints list --config shop.yaml", "streamengine checkpoints list --config shop.yaml --json"];
        examples[checkpoints.Verify] = ["streamengine checkpoints verify --config shop.yaml"];
        Add(ValidateCommand.Make(), "streamengine validate --config shop.yaml", "streamengine validate --config shop.yaml --set state.memory=1gb --json");
        Add(SchemaCommand.Make(), "streamengine schema > streamengine.schema.json", "# first line of a config: # yaml-language-server: $schema=streamengine.schema.json");
        root.Add(SharedOptions.Set);
        root.Add(SharedOptions.Level);
        root.Add(SharedOptions.Json);
        var help = new HelpOption();
        help.Action = new ExampleHelp((HelpAction)help.Action!, examples);
        root.Add(help);
        root.Add(new VersionOption());
        return root;

        void Add(Command command, params string[] lines)
        {
            root.Add(command);
            examples[command] = lines;
        }
    }
}
