using System.Runtime.InteropServices;

namespace StreamEngine.Host.Cli;

/// <summary>Who may read what the process writes.</summary>
internal static class FileModes
{
    /// <summary>Bits of group and others.</summary>
    private const int Others = 0x3F;

    /// <summary>
    /// Makes every file and folder that the process makes from now on its user's alone (0600, 0700): state, checkpoints, sorted runs, dead
    /// letters and results hold personal data. What is there keeps its rights, but for results (<see cref="ResultPath.Create"/>).
    /// </summary>
    public static void KeepPrivate()
    {
        if (!OperatingSystem.IsWindows()) _ = UMask(Others);
    }

    [DllImport("libc", EntryPoint = "umask")]
    private static extern int UMask(int mask);
}
