using System.Runtime.InteropServices;

namespace StreamEngine.Testing;

/// <summary>Signals to a process, by its id.</summary>
internal static partial class Signal
{
    private const int SigTerm = 15, SigContinue = 18, SigStop = 19;

    /// <summary>It does nothing more, and does not know.</summary>
    public static void Freeze(int process) => Send(process, SigStop);

    /// <summary>It runs on as if nothing had happened.</summary>
    public static void Thaw(int process) => Send(process, SigContinue);

    /// <summary>Asks it to stop.</summary>
    public static void Terminate(int process) => Send(process, SigTerm);

    private static void Send(int process, int signal)
    {
        if (SendSignal(process, signal) != 0)
            throw new InvalidOperationException($"process {process} can't be sent signal {signal}: it has ended");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
