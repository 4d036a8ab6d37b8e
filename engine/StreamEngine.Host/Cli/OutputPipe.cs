using System.Runtime.InteropServices;

namespace StreamEngine.Host.Cli;

/// <summary>Whether anybody still reads standard output.</summary>
internal static class OutputPipe
{
    private const short Error = 8, HungUp = 16;

    /// <summary>
    /// Whether standard output is a pipe whose reader is gone (<c>| head</c>). Writing does not tell: .NET's console passes over it in
    /// silence.
    /// </summary>
    public static bool IsClosed(Invocation call)
    {
        if (OperatingSystem.IsWindows() || !ReferenceEquals(call.Out, Console.Out)) return false;
        var one = new Descriptor { Number = 1 };
        return Poll(ref one, 1, 0) > 0 && (one.Told & (Error | HungUp)) != 0;
    }

    [DllImport("libc", EntryPoint = "poll")]
    private static extern int Poll(ref Descriptor descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        public int Number;
        public short Asked;
        public short Told;
    }
}
