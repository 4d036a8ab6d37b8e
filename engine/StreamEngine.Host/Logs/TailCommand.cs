using System.CommandLine;
using System.Text;
using Spectre.Console;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Logs;

/// <summary><c>tail</c>: shows what the engine writes.</summary>
internal static class TailCommand
{
    private const int DefaultLast = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly Argument<string> Output = new("OUTPUT")
    {
        Description = $"{string.Join(", ", TailTarget.Roles)}, under whatever topic the config gives them; or a channel's name, for its "
            + "actions.",
        CompletionSources = { _ => TailTarget.Roles.Select(r => new System.CommandLine.Completions.CompletionItem(r)) },
    };

    private static readonly Option<string?> Config = new("--config", "-c")
    {
        Description = "The config, for names of topics and channels and for kafka.settings (SASL, TLS); the usual names where absent.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> Follow =
        new("--follow", "-f") { Description = "Goes on with what comes, until Ctrl-C." };

    private static readonly Option<bool> Beginning =
        new("--from-beginning") { Description = "Shows all records, from the first that the log holds." };

    private static readonly Option<int> Last =
        SharedOptions.Number("--last", "Shows the last N records first.", DefaultLast, 0, 1_000_000);

    private static readonly Option<string?> Customer =
        new("--customer") { Description = "Only records of this customer.", HelpName = "ID" };

    public static Command Make()
    {
        var command = LogOptions.AddTo(new Command("tail", "Shows the committed records of an output as lines, or with --json as one JSON "
            + "object a line: the last ten where nothing else is said.") { Output, Config, Follow, Beginning, Last, Customer });
        command.Validators.Add(result =>
        {
            if (result.GetResult(Beginning) is not null && result.GetResult(Last) is { Implicit: false })
                result.AddError("Give one of --from-beginning and --last N.");
        });
        return Invocation.Act(command, call => Task.FromResult(Run(call)));
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var options = call.Get(Config) is null ? new HostOptions() : call.Load(Config!, errors).Options;
        ConfigCheck.CheckKafka(options.Kafka, errors);
        errors.ThrowIfAny();
        if (TailTarget.Find(call.Get(Output)!, options, out var known) is not { } target)
        {
            call.Say(LogLevel.Error, $"there is no output '{call.Get(Output)}'. It can be {known}"
                + $"{(call.Get(Config) is null ? "; a config (--config FILE) may have more" : "")}.");
            return ExitCode.Usage;
        }
        if (target.Topics.Count == 0)
            throw new LogException(target.Kind switch
            {
                OutputKind.Outcome => "The config has no outcomes, so none are written: say under outcomes which events tell what became "
                    + "of a decision.",
                OutputKind.Audience => "The config has no segments, so nobody enters or leaves one: declare them under audiences.",
                _ => "The config writes no actions (outputs.actions is empty): tail decisions has all of them.",
            });
        using var text = new RecordText(target.Kind);
        var customer = call.Get(Customer) is { } id ? Encoding.UTF8.GetBytes(id) : null;
        bool Wanted(TailRecord record)
        {
            if (customer is not null && !record.Key.AsSpan().SequenceEqual(customer)) return false;
            text.Read(record);
            return text.Shows(record, target.Channel);
        }
        try
        {
            using var log = new TailedLog(call, options.Kafka);
            using var tail = new TopicTail(target.Topics, Wanted, call.Stop);
            if (target.Topics.FirstOrDefault(t => log.Current!.Partitions(t) == 0) is { } missing)
                throw new LogException($"topic '{missing}' does not exist. {(call.Get(Config) is null ? "Name the config whose topics are "
                    + "meant (--config FILE), or make" : "Make")} them: `topics create`.");
            tail.Use(log.Current!);
            if (Show(call, tail, text) && call.Get(Follow)) GoOn(call, log, tail, text);
            else if (tail.Unfinished.Count > 0)
                call.Say(LogLevel.Warning, "what is at the end of "
                    + $"{string.Join(", ", tail.Unfinished.Select(p => $"{p.Topic}[{p.Partition}]"))} is in a transaction that is not "
                    + "committed");
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (call.Stop.IsCancellationRequested)
        {
            return call.Get(Follow) ? ExitCode.Done : ExitCode.Interrupted;
        }
    }

    /// <summary>Shows what is there; false where nobody reads it.</summary>
    private static bool Show(Invocation call, TopicTail tail, RecordText text)
    {
        if (!call.Get(Beginning)) return Write(call, text, tail.Last(call.Get(Last)));
        tail.ToBeginning();
        return ShowNew(call, tail, text);
    }

    /// <summary>Shows what came since; false where nobody reads it any more.</summary>
    private static bool ShowNew(Invocation call, TopicTail tail, RecordText text)
    {
        var ends = tail.Ends();
        for (var more = true; more;)
            if (!Write(call, text, tail.Round(ends, out more))) return false;
        return true;
    }

    private static void GoOn(Invocation call, TailedLog log, TopicTail tail, RecordText text)
    {
        var away = false;
        tail.Patience = TimeSpan.Zero; // there is another time
        do
        {
            log.Rest();
            call.Stop.WaitHandle.WaitOne(Pause);
            call.Stop.ThrowIfCancellationRequested();
            try
            {
                if (log.Again() is { } current)
                {
                    tail.Use(current);
                    if (!ShowNew(call, tail, text)) return;
                }
                away = false;
            }
            catch (LogException e) when (e is not OffsetOutOfRangeException)
            {
                // It was there before: it will be again.
                if (!log.Lost() && !away) call.Say(LogLevel.Warning, $"{e.Message} Asked again until it answers.");
                away = true;
            }
        }
        while (!OutputPipe.IsClosed(call));
    }

    /// <summary>Writes a round; false where nobody reads it any more.</summary>
    private static bool Write(Invocation call, RecordText text, List<TailRecord> records)
    {
        if (records.Count > 0 && !call.Json && ReferenceEquals(call.Out, Console.Out) && !Console.IsOutputRedirected)
            foreach (var record in records)
                AnsiConsole.MarkupLine(string.Join("  ", text.Cells(record)
                    .Select(c => c.Style.Length == 0 ? Markup.Escape(c.Text) : $"[{c.Style}]{Markup.Escape(c.Text)}[/]")));
        else if (records.Count > 0)
        {
            var lines = new StringBuilder();
            foreach (var record in records)
            {
                if (call.Json && record.Json is null)
                {
                    call.Say(LogLevel.Warning, string.Join("  ", text.Cells(record).Select(c => c.Text)));
                    continue;
                }
                if (call.Json) lines.Append(record.Json);
                else lines.AppendJoin("  ", text.Cells(record).Select(c => c.Text));
                lines.Append('\n');
            }
            call.Out.Write(lines.ToString());
            call.Out.Flush();
        }
        return !OutputPipe.IsClosed(call);
    }
}
