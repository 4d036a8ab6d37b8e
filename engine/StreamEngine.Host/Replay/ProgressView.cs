using System.Globalization;
using Spectre.Console;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay;

/// <summary>Shows progress on standard error: bars on a terminal, a line every few seconds elsewhere.</summary>
internal static class ProgressView
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Runs work that tells its progress as a step's name and its share, 0 to 1.</summary>
    public static void Show(Invocation call, Action<Action<string, double>> work)
    {
        if (call.Json || Console.IsErrorRedirected || !ReferenceEquals(call.Error, Console.Error))
        {
            var last = TimeProvider.System.GetTimestamp();
            work((step, share) =>
            {
                if (TimeProvider.System.GetElapsedTime(last) < Pause) return;
                last = TimeProvider.System.GetTimestamp();
                call.Say(LogLevel.Info, string.Create(CultureInfo.InvariantCulture, $"{step}: {share * 100:F0}%"));
            });
            return;
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true).Start(view =>
        {
            var tasks = new Dictionary<string, ProgressTask>();
            work((step, share) =>
            {
                if (!tasks.TryGetValue(step, out var task)) task = tasks[step] = view.AddTask(step, maxValue: 1);
                task.Value = share;
            });
        });
    }
}
