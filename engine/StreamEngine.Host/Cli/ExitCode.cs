namespace StreamEngine.Host.Cli;

/// <summary>What the process says when it ends.</summary>
internal static class ExitCode
{
    /// <summary>Done, or stopped by a signal in an orderly way.</summary>
    public const int Done = 0;

    /// <summary>The command line can't be understood.</summary>
    public const int Usage = 1;

    /// <summary>The config, or a file that it names, has mistakes: all are told.</summary>
    public const int Config = 2;

    /// <summary>Something failed while running.</summary>
    public const int Runtime = 3;

    /// <summary>Ctrl-C ended a command whose results are whole only at its end (128 and the signal's number, as shells have it).</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM did.</summary>
    public const int Terminated = 143;
}
