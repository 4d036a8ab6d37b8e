using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Switches;

/// <summary>
/// <c>switch off</c>, <c>switch on</c>, <c>switch list</c> and <c>switch log</c>: writes and reads the control topic, which every running
/// engine follows.
/// </summary>
internal static class SwitchCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();

    private static readonly Argument<string[]> What = new("WHAT")
    {
        Description = "all, offer:NAME, channel:NAME (every offer of the channel), model:NAME (its offers take their default "
            + "propensity) or budget:NAME (every offer that it pays for); several are switched together.",
        Arity = ArgumentArity.OneOrMore,
        CompletionSources = { _ => Enum.GetValues<SwitchKind>()
            .Select(kind => new CompletionItem(SwitchTarget.Word(kind) + (kind == SwitchKind.All ? "" : ":"))) },
    };

    private static readonly Option<string> Why = new("--reason")
    {
        Description = "Why: it stays on record.",
        HelpName = "TEXT",
        Required = true,
    };

    private static readonly Option<string?> WhyOn = new("--reason") { Description = "Why: it stays on record.", HelpName = "TEXT" };

    private static readonly Option<string> By = new("--by")
    {
        Description = "Who switches; the user of the operating system where absent.",
        HelpName = "NAME",
        DefaultValueFactory = _ => Environment.UserName,
    };

    /// <summary>The command with its subcommands, for their examples.</summary>
    public static (Command All, Command Off, Command On, Command List, Command Log) Make()
    {
        var off = Make("off", "Switches something off in every running engine, within a second, until it is switched on again; an engine "
            + "that is started later follows it too.", call => Switch(call, off: true), What, Why, By);
        var on = Make("on", "Switches something on again.", call => Switch(call, off: false), What, WhyOn, By);
        var list = Make("list", "Lists what is off, since when, by whom and why.", List);
        var log = Make("log", "Shows who switched what and when, the oldest first, as far as the topic still holds it: of several records "
            + "about one thing the newest is always kept.", Log);
        return (new Command("switch", "The kill switch: takes an offer, a channel, a model, a budget or everything out of the "
            + "decisions of running engines, and back.") { off, on, list, log }, off, on, list, log);
    }

    private static Command Make(string name, string description, Func<Invocation, int> run, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        command.Add(Config);
        return Invocation.Act(LogOptions.AddTo(command), call => Task.FromResult(run(call)));
    }

    private static int Switch(Invocation call, bool off)
    {
        var options = Load(call);
        var names = new SwitchNames(options);
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        var topic = Topic(log, options);
        var known = Newest(topic, call);
        var targets = new List<SwitchTarget>();
        var faults = 0;
        foreach (var text in call.Get(What)!)
        {
            // What the config has lost meanwhile can still be switched on: it would be off again when it comes back.
            if (names.Read(text, out var target) is { } mistake && (off || !known.TryGetValue(target, out var last) || !last.Off))
            {
                call.Say(LogLevel.Error, mistake);
                faults++;
            }
            else if (!targets.Contains(target)) targets.Add(target);
        }
        if (faults > 0) return ExitCode.Usage;
        MakeTopic(call, log, topic);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        var records = targets.Where(t => off || known.GetValueOrDefault(t)?.Off == true)
            .Select(t => new SwitchRecord(t, -1, off, call.Get(By)!, (off ? call.Get(Why) : call.Get(WhyOn)) ?? "", at)).ToList();
        if (records.Count > 0) topic.Write(records);
        SwitchText.Tell(call, targets, records, known, off);
        return ExitCode.Done;
    }

    private static int List(Invocation call)
    {
        var options = Load(call);
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        var topic = Topic(log, options);
        var off = Newest(topic, call).Values.Where(r => r.Off).OrderBy(r => r.Target).ToList();
        var names = new SwitchNames(options);
        if (call.Json) call.Print(new JsonObject { ["off"] = SwitchText.Json(off, r => ("in_config", names.Has(r.Target))) });
        else if (off.Count == 0) call.Out.WriteLine("nothing is off");
        else SwitchText.Table(call.Out, off, "since", r => names.Has(r.Target) ? "" : "  (not in the config)");
        return ExitCode.Done;
    }

    private static int Log(Invocation call)
    {
        var options = Load(call);
        using var log = LogOptions.OpenExisting(call, options.Kafka);
        var records = Topic(log, options).All(text => call.Say(LogLevel.Warning, text), call.Stop);
        if (call.Json) call.Print(new JsonObject { ["log"] = SwitchText.Json(records, r => ("off", r.Off)) });
        else if (records.Count == 0) call.Out.WriteLine("nothing was switched yet");
        else SwitchText.Table(call.Out, records, "at", _ => "", withState: true);
        return ExitCode.Done;
    }

    private static HostOptions Load(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Load(Config, errors).Options;
        ConfigCheck.CheckKafka(options.Kafka, errors);
        if (options.Control.Topic.Length == 0)
            errors.Add(options.Control.Node, "topic", "the config names no control topic, so nothing can be switched",
                "Name one, and make it with 'topics create'");
        Topics.CheckControl(options, errors);
        errors.ThrowIfAny();
        return options;
    }

    private static ControlTopic Topic(ILog log, HostOptions options)
    {
        var topic = new ControlTopic(log, options.Control.Topic);
        return topic.Fault is not { } fault ? topic : throw new LogException($"{char.ToUpperInvariant(fault[0])}{fault[1..]}.");
    }

    private static Dictionary<SwitchTarget, SwitchRecord> Newest(ControlTopic topic, Invocation call)
    {
        var newest = new Dictionary<SwitchTarget, SwitchRecord>();
        foreach (var record in topic.All(text => call.Say(LogLevel.Warning, text), call.Stop)) newest[record.Target] = record;
        return newest;
    }

    /// <summary>An embedded log gets the topic when it is first needed; a cluster's topics are somebody's decision.</summary>
    private static void MakeTopic(Invocation call, ILog log, ControlTopic topic)
    {
        if (topic.Exists) return;
        if (call.Get(LogOptions.Embedded) is null)
            throw new LogException($"The control topic '{topic.Name}' does not exist. 'topics create' makes it; running engines follow it "
                + "from then on.");
        log.CreateTopics([ControlTopic.Spec(topic.Name)]);
    }
}
