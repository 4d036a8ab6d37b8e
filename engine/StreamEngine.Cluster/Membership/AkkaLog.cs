using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Dispatch;
using Akka.Event;
using StreamEngine.Runtime;
using AkkaLevel = Akka.Event.LogLevel;

namespace StreamEngine.Cluster.Membership;

/// <summary>Where the lines of an actor system go.</summary>
internal sealed class AkkaLogSetup(AkkaLines lines) : Setup
{
    /// <summary>Takes them.</summary>
    public AkkaLines Lines => lines;
}

/// <summary>The logger of an actor system: hands warnings and errors to the project's log lines, and nothing to the console.</summary>
internal sealed class AkkaLog : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    /// <summary>Made by Akka, by its config's <c>loggers</c>.</summary>
    public AkkaLog()
    {
        var lines = Context.System.Settings.Setup.Get<AkkaLogSetup>().Value.Lines;
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e => lines.Tell(e));
    }
}

/// <summary>
/// Akka's lines as the engine's. A node that is away makes Akka say the same every few seconds: a cause is told once, and again, with the
/// number of times, after ten minutes.
/// </summary>
internal sealed partial class AkkaLines(TimeProvider time, Action<WorkerEvent> report)
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(10);
    private const int MostCauses = 1_000;

    /// <summary>Beginnings of lines that repeat what another one says better, of ours or of Akka's.</summary>
    private static readonly string[] Repeats =
        ["AssociationError [", "Disassociated", "Cluster Node [{0}] - Marking node(s)", "Association to ["];

    private readonly ConcurrentDictionary<string, Told> _told = [];

    private sealed class Told
    {
        public long? At;
        public int Times;
    }

    /// <summary>Tells an event, unless its cause was told a short while ago.</summary>
    public void Tell(LogEvent e)
    {
        if (e.LogLevel() < AkkaLevel.WarningLevel) return;
        var now = time.GetTimestamp();
        var format = e.Message is LogMessage m ? m.Format : Numbers().Replace($"{e.Message}", "#");
        if (Repeats.Any(r => format.StartsWith(r, StringComparison.Ordinal))) return;
        var cause = $"{e.LogClass.Name} {format}";
        if (_told.Count > MostCauses) _told.Clear();
        var told = _told.GetOrAdd(cause, _ => new Told());
        int times;
        lock (told)
        {
            if (told.At is { } at && time.GetElapsedTime(at, now) < Again)
            {
                told.Times++;
                return;
            }
            times = told.Times;
            (told.At, told.Times) = (now, 0);
        }
        var why = (e.Cause as AggregateException)?.GetBaseException() ?? e.Cause;
        var text = why is null ? $"{e.Message}" : $"{e.Message} ({why.Message})";
        report(new WorkerEvent(true, $"Akka: {Line(text)}{(times > 0 ? $" ({times} times since)" : "")}"));
    }

    /// <summary>The first line: below it are places in Akka's code.</summary>
    private static string Line(string text) => text.Split('\n')[0].TrimEnd('\r') is var line && line.Length > 1000 ? line[..1000] : line;

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();
}
