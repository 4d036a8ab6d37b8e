using System.Globalization;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Logs;

/// <summary>Reads a topic once, from its beginning to its ends of now, for commands that reckon with all of it.</summary>
internal static class WholeTopic
{
    /// <summary>Reads it; warns of what can't be read, and of ends that a transaction keeps closed.</summary>
    /// <param name="call">The command.</param>
    /// <param name="log">The log.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="take">
    /// Takes each record, in the order of their timestamps as far as they are read; false where it can't be read.
    /// </param>
    /// <param name="progress">Told now and then which share of the topic was read.</param>
    /// <exception cref="LogException">The topic is missing, or the log can't be read.</exception>
    public static void Read(Invocation call, ILog log, string topic, Func<TailRecord, bool> take, Action<double>? progress = null)
    {
        if (log.Partitions(topic) == 0) throw new LogException($"topic '{topic}' does not exist. Make it: `topics create`.");
        using var tail = new TopicTail([topic], _ => true, call.Stop);
        tail.Use(log);
        tail.ToBeginning();
        var ends = tail.Ends();
        var all = ends.Select((end, p) => end - log.Watermarks(new TopicPartition(topic, p)).Low).Sum();
        long read = 0, unread = 0;
        for (var more = true; more;)
        {
            foreach (var record in tail.Round(ends, out more))
            {
                read++;
                if (!take(record)) unread++;
            }
            progress?.Invoke(all == 0 ? 1 : Math.Min(1, (double)read / all));
        }
        if (unread > 0) call.Say(LogLevel.Warning, $"{unread} records of {topic} can't be read and are left out");
        if (tail.Unfinished.Count > 0)
            call.Say(LogLevel.Warning, $"what is at the end of {string.Join(", ", tail.Unfinished.Select(p => string.Create(
                CultureInfo.InvariantCulture, $"{p.Topic}[{p.Partition}]")))} is in a transaction that is not committed");
    }
}
