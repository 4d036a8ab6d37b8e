using Spectre.Console;
using StreamEngine.Host.Cli;

namespace StreamEngine.Host.Replay;

/// <summary>Shows progress bars on a terminal's standard error; nothing elsewhere.</summary>
internal static class ProgressView
{
    /// <summary>Runs work that tells its progress as a step's name and its share, 0 to 1.</summary>
    public static void Show(Invocation call, Action<Action<string, double>> work)
    {
        if (call.Json || Console.IsErrorRedirected || !ReferenceEquals(call.Error, Console.Error))
        {
            work((_, _) => { });
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
