using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using StreamEngine.Configuration;
using StreamEngine.Host.Activation;
using StreamEngine.Host.Budgets;
using StreamEngine.Host.Catalogue;
using StreamEngine.Host.Demo;
using StreamEngine.Host.Evaluation;
using StreamEngine.Host.Evaluation.Experiments;
using StreamEngine.Host.Exploring;
using StreamEngine.Host.Logs;
using StreamEngine.Host.Replay;
using StreamEngine.Host.Replay.Comparison;
using StreamEngine.Host.Run;
using StreamEngine.Host.Switches;

namespace StreamEngine.Host.Cli;

/// <summary>The commands of <c>streamengine</c>.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">The words behind the program's name.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="stop">Stops the command as Ctrl-C does.</param>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, CancellationToken stop = default)
    {
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false
        };
        var root = Make();
        if (CompletionCommand.Answer(root, arguments, output)) return ExitCode.Done;
        var parsed = root.Parse(arguments);
        var empty = Empty(parsed);
        if (parsed.Action is ParseErrorAction || empty is not null)
        {
            foreach (var mistake in parsed.Action is ParseErrorAction ? Mistakes(parsed) : [empty!])
                error.WriteLine($"streamengine: error: {Printable.Text(mistake)}");
            error.WriteLine($"'{Name(parsed.CommandResult)} --help' tells the usage.");
            return ExitCode.Usage;
        }
        FileModes.KeepPrivate();
        using var signals = new StopSignals(error);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(signals.Token, stop);
        var code = await parsed.InvokeAsync(configuration, either.Token).ConfigureAwait(false);
        return code == ExitCode.Interrupted && signals.Terminated ? ExitCode.Terminated : code;
    }

    /// <summary>What to say of an option or argument that is there with nothing in it; null where there is none.</summary>
    private static string? Empty(ParseResult parsed) => parsed.CommandResult.Children
        .Where(c => c.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)))
        .Select(c => c is OptionResult o ? o.Option.Name : c is ArgumentResult a ? a.Argument.Name : "an argument")
        .Select(name => $"{name} is empty: give it a value, or leave it out.").FirstOrDefault();

    private static IEnumerable<string> Mistakes(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // A command that does something by itself may have subcommands too.
        if (command.Subcommands.Count == 0 || command.Action is not null && parsed.UnmatchedTokens.Count == 0)
        {
            // Behind a --set without its '=' stands the value, which may be a secret.
            var split = parsed.GetResult(SharedOptions.Set) is { } sets && sets.Tokens.Any(t => !SharedOptions.HasValue(t.Value));
            return parsed.Errors.Select(e => e.Message)
                .Where(m => !split || !parsed.UnmatchedTokens.Any(t => m.Contains($"'{t}'", StringComparison.Ordinal))).Distinct();
        }
        var known = string.Join(", ", command.Subcommands.Select(c => c.Name));
        return [parsed.UnmatchedTokens.Count > 0 ? $"'{Name(parsed.CommandResult)}' has no command '{parsed.UnmatchedTokens[0]}'. It has: "
            + $"{known}." : $"'{Name(parsed.CommandResult)}' needs a command: {known}."];
    }

    private static string Name(CommandResult result) => result.Parent is CommandResult parent ? $"{Name(parent)} {result.Command.Name}"
        : result.Command.Name;

    private static Command Make()
    {
        var root = new Command("streamengine", "StreamEngine: real-time decisions on customer events. Exit codes: 0 done, 1 usage, 2 "
            + "config, 3 failed while running, 130 or 143 stopped by a signal before the results were whole.");
        var examples =
            new Dictionary<Command, string[]>
            {
                [root] = ["streamengine demo", "streamengine validate --config shop.yaml",
            "streamengine replay --config shop.yaml --events data/*.csv.gz --out results",
            "streamengine run --config shop.yaml --kafka broker:9092"]
            };
        Add(DemoCommand.Make(), "streamengine demo", "streamengine demo --rate 20000 --customers 200000 --for 60s --json");
        Add(RunCommand.Make(), "streamengine run --config shop.yaml --kafka broker:9092",
            "streamengine run --config shop.yaml --embedded ./log --drain");
        Add(ProduceCommand.Make(), "streamengine produce --config shop.yaml --embedded ./log --events data/*.ndjson.gz",
            "tail -f clicks.ndjson | streamengine produce --config shop.yaml --kafka broker:9092 --source clicks --events - --rate 500/s");
        Add(TailCommand.Make(), "streamengine tail actions --embedded ./log --follow",
            "streamengine tail decisions --config shop.yaml --kafka broker:9092 --customer 4711 --json",
            "streamengine tail dead-letter --config shop.yaml --kafka broker:9092 --from-beginning");
        Add(ActivateCommand.Make(), "streamengine activate --config shop.yaml --kafka broker:9092",
            "streamengine activate crm warehouse --config shop.yaml --kafka broker:9092 --set http.port=9465");
        var activation = ActivateCommand.MakeReplay();
        Add(activation.All, "streamengine activation replay crm --config shop.yaml --kafka broker:9092");
        examples[activation.Replay] = ["streamengine activation replay crm --config shop.yaml --kafka broker:9092"];
        Add(LeaveCommand.Make(), "streamengine leave --config shop.yaml --kafka broker:9092", "# the machine of node b is gone:",
            "streamengine leave --config shop.yaml --kafka broker:9092 --node b");
        Add(ClusterCommand.Make(), "streamengine cluster --config shop.yaml", "streamengine cluster --config shop.yaml --watch");
        var replay = ReplayCommand.Make();
        Add(replay, "streamengine replay --config shop.yaml --events data/*.csv.gz --out results",
            "streamengine replay --config shop.yaml --events orders=orders/ clicks=clicks.ndjson --out results --as-of 2011-06-30");
        var compare = CompareCommand.Make();
        replay.Add(compare);
        examples[compare] = ["streamengine replay compare --policy shop.yaml --policy louder.yaml --events data/*.csv.gz",
            "streamengine replay compare --policy shop.yaml --policy louder.yaml --events data/*.csv.gz --out changes --json"];
        var features = FeaturesCommand.Make();
        Add(features, "streamengine features --config shop.yaml --events data/*.csv.gz --at labels.csv --out training.csv",
            "# labels.csv: customer,time,churned", "streamengine features list --config shop.yaml");
        var (list, describe) = CatalogueCommands.Make();
        var show = ShowCommand.Make();
        foreach (var part in new[] { list, describe, show }) features.Add(part);
        examples[list] = ["streamengine features list --config shop.yaml",
            "streamengine features list --config shop.yaml --format markdown > features.md"];
        examples[describe] = ["streamengine features describe revenue_24h --config shop.yaml",
            "streamengine features describe drawn_to --config shop.yaml --json"];
        examples[show] = ["streamengine features show c17 --config shop.yaml",
            "STREAMENGINE_KEY=... streamengine features show c17 --config shop.yaml --url https://shop-1:9464"];
        var topics = TopicsCommand.Make();
        Add(topics.All, "streamengine topics list --kafka broker:9092");
        examples[topics.Create] = ["streamengine topics create --config shop.yaml --kafka broker:9092 --partitions 12 --replication-factor "
            + "3", "streamengine topics create --config shop.yaml --embedded ./log"];
        examples[topics.List] = ["streamengine topics list --kafka broker:9092",
            "streamengine topics list --kafka broker:9092 --config shop.yaml", "streamengine topics list --embedded ./log --json"];
        var checkpoints = CheckpointsCommand.Make();
        Add(checkpoints.All, "streamengine checkpoints list --config shop.yaml");
        examples[checkpoints.List] =
            ["streamengine checkpoints list --config shop.yaml", "streamengine checkpoints list --config shop.yaml --json"];
        examples[checkpoints.Verify] = ["streamengine checkpoints verify --config shop.yaml"];
        var savepoint = SavepointCommand.Make();
        Add(savepoint.All, "streamengine savepoint create before-new-features --config shop.yaml --kafka broker:9092",
            "streamengine savepoint restore before-new-features --config new.yaml --kafka broker:9092 --backfill");
        examples[savepoint.Create] = ["streamengine savepoint create before-new-features --config shop.yaml --kafka broker:9092",
            "streamengine savepoint create nightly --config shop.yaml --embedded ./log --directory /mnt/backup"];
        examples[savepoint.Restore] = ["# create a savepoint, stop the engine, change the config, then:",
            "streamengine savepoint restore before-new-features --config new.yaml --kafka broker:9092 --backfill",
            "streamengine savepoint restore /mnt/backup/nightly --config shop.yaml --kafka broker:9092",
            "streamengine run --config new.yaml --kafka broker:9092"];
        examples[savepoint.List] =
            ["streamengine savepoint list --config shop.yaml", "streamengine savepoint list --directory /mnt/backup --json"];
        Add(ValidateCommand.Make(), "streamengine validate --config shop.yaml",
            "streamengine validate --config shop.yaml --set state.memory=1gb --json");
        var switches = SwitchCommand.Make();
        Add(switches.All, "streamengine switch off offer:club --reason \"price is wrong\" --config shop.yaml --kafka broker:9092",
            "streamengine switch list --config shop.yaml --kafka broker:9092");
        examples[switches.Off] = ["streamengine switch off offer:club --reason \"price is wrong\" --config shop.yaml --kafka broker:9092",
            "streamengine switch off channel:email model:churn --reason \"INC-4711\" --by on-call --config shop.yaml --embedded ./log",
            "streamengine switch off all --reason \"legal: nothing goes out today\" --config shop.yaml --kafka broker:9092"];
        examples[switches.On] = ["streamengine switch on offer:club --reason \"price mended\" --config shop.yaml --kafka broker:9092"];
        examples[switches.List] = ["streamengine switch list --config shop.yaml --kafka broker:9092 --json"];
        examples[switches.Log] = ["streamengine switch log --config shop.yaml --kafka broker:9092"];
        Add(ExplorationCommand.Make(), "streamengine exploration --config shop.yaml --kafka broker:9092",
            "streamengine exploration --config shop.yaml --embedded ./log --json");
        Add(BudgetsCommand.Make(), "streamengine budgets --config shop.yaml --kafka broker:9092",
            "streamengine budgets --config shop.yaml --embedded ./log --all --json");
        var keys = KeysCommand.Make();
        Add(keys.All, "streamengine keys new website --scope collect");
        examples[keys.New] = ["streamengine keys new website --scope collect", "streamengine keys new shop-backend --scope decide --scope "
            + "read", "streamengine keys new on-call --scope admin --json"];
        var schema = SchemaCommand.Make();
        Add(schema.All, "streamengine schema > streamengine.schema.json",
            "# first line of a config: # yaml-language-server: $schema=streamengine.schema.json", "streamengine schema show action");
        examples[schema.List] = ["streamengine schema list"];
        examples[schema.Show] = ["streamengine schema show decision > decision.avsc"];
        var schemas = SchemasCommand.Make();
        Add(schemas.All, "streamengine schemas check orders-1.avsc orders-2.avsc");
        examples[schemas.Check] =
            ["streamengine schemas check orders-1.avsc orders-2.avsc", "streamengine schemas check old.avsc new.avsc --mode full --json"];
        Add(CompletionCommand.Make(), "eval \"$(streamengine completion bash)\"    # in ~/.bashrc",
            "streamengine completion fish > ~/.config/fish/completions/streamengine.fish");
        var models = ModelsCommand.Make();
        Add(models.All, "streamengine models add churn.onnx --name churn --inputs revenue_30d,visits,age");
        examples[models.Add] = ["streamengine models add churn.onnx --name churn --inputs revenue_30d,visits,age",
            "# a pipeline over a data frame names its columns itself:", "streamengine models add frame.onnx --name churn",
            "streamengine models add offers.onnx --name offers --inputs revenue_30d,visits --class club,newsletter --version 3"];
        var decisions = DecisionsCommand.Make();
        Add(decisions.All, "streamengine decisions show shop/events/3/1841/1 --config shop.yaml --kafka broker:9092",
            "streamengine decisions rank --candidates candidates.csv");
        examples[decisions.Rank] = ["# candidates.csv: decision,offer,p,c,v,l", "streamengine decisions rank --candidates candidates.csv",
            "streamengine decisions rank --candidates candidates.parquet --top 3 --max-per-group 1 --json"];
        examples[decisions.Show] = ["streamengine decisions show shop/events/3/1841/1 --config shop.yaml --kafka broker:9092"];
        examples[decisions.Why] = ["streamengine decisions why 4711 --config shop.yaml --embedded ./log",
            "streamengine decisions why 4711 --last 5 --config shop.yaml --kafka broker:9092 --json"];
        examples[decisions.Export] = ["streamengine decisions export --config shop.yaml --kafka broker:9092 --out decisions.parquet",
            "streamengine decisions export --config shop.yaml --from results --since 2026-11-01 --placement onsite --out november.csv"];
        var evaluate = EvaluateCommand.Make();
        Add(evaluate.All, "streamengine evaluate model --scores scored.csv");
        examples[evaluate.Model] = ["# scored.csv: label,score", "streamengine evaluate model --scores scored.csv",
            "# with a column treatment, uplift too:", "streamengine evaluate model --scores scored.parquet --bins 20 --json"];
        examples[evaluate.Policy] = [
            "streamengine evaluate policy --policy softmax:0.2 --reward click --config shop.yaml --kafka broker:9092",
            "streamengine evaluate policy --policy greedy --placement onsite --config shop.yaml --from results --json"];
        var experiments = ExperimentsCommand.Make();
        Add(experiments.All, "streamengine experiments report --config shop.yaml --kafka broker:9092");
        examples[experiments.Report] = ["streamengine experiments report --config shop.yaml --kafka broker:9092 --plot lift.svg",
            "# what is planned, on history:", "streamengine experiments report --config shop.yaml --from results --interval fixed --json"];
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
