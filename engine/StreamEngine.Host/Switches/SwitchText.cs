using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Switches;

/// <summary>How switches are shown: to people, and as JSON.</summary>
internal static class SwitchText
{
    /// <summary>A time, in UTC.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    /// <summary>One object for each record.</summary>
    /// <param name="records">The records.</param>
    /// <param name="more">One more property of each.</param>
    public static JsonArray Json(IEnumerable<SwitchRecord> records, Func<SwitchRecord, (string Name, bool Value)> more) =>
        new([.. records.Select(r => new JsonObject
        {
            ["what"] = r.Target.ToString(),
            [more(r).Name] = more(r).Value,
            ["at"] = Time(r.At),
            ["by"] = r.By,
            ["reason"] = r.Reason,
        })]);

    /// <summary>A table of records.</summary>
    public static void Table(TextWriter to, IReadOnlyList<SwitchRecord> records, string time, Func<SwitchRecord, string> note,
        bool withState = false)
    {
        var what = Math.Max(4, records.Max(r => Printable.Text(r.Target.ToString()).Length));
        var by = Math.Max(2, records.Max(r => Printable.Text(r.By).Length));
        to.WriteLine($"{time,-24}  {(withState ? "     " : "")}{"what".PadRight(what)}  {"by".PadRight(by)}  reason");
        foreach (var r in records)
        {
            var state = !withState ? "" : r.Off ? "off  " : "on   ";
            to.WriteLine($"{Time(r.At)}  {state}{Printable.Text(r.Target.ToString()).PadRight(what)}  "
                + $"{Printable.Text(r.By).PadRight(by)}  {Printable.Text(r.Reason)}{note(r)}".TrimEnd());
        }
    }

    /// <summary>What a command has switched.</summary>
    /// <param name="call">The command.</param>
    /// <param name="targets">What was asked for.</param>
    /// <param name="written">What was written.</param>
    /// <param name="before">The newest record of each target before.</param>
    /// <param name="off">Whether it was switched off.</param>
    public static void Tell(Invocation call, IReadOnlyList<SwitchTarget> targets, IReadOnlyList<SwitchRecord> written,
        IReadOnlyDictionary<SwitchTarget, SwitchRecord> before, bool off)
    {
        if (call.Json)
        {
            call.Print(new JsonObject { ["switched"] = Json(written, r => ("off", r.Off)) });
            return;
        }
        foreach (var target in targets)
        {
            var last = before.GetValueOrDefault(target);
            var note = off && last is { Off: true } ? $" (it was off already, since {Time(last.At)}; the new reason is on record)"
                : !off && last is not { Off: true } ? " (it was on already)" : "";
            call.Out.WriteLine($"{target}: {(off ? "off" : "on")}{note}");
        }
        if (written.Count > 0) call.Say(LogLevel.Info, "running engines follow within a second; 'switch list' tells what is off");
    }
}
