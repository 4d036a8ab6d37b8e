using System.Diagnostics;

namespace StreamEngine.SystemTests.Runs;

/// <summary>A small file system of its own, in memory: it can be filled without hurting anybody. Only root may mount one.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string directory) => Directory = directory;

    /// <summary>Where it is mounted.</summary>
    public string Directory { get; }

    private string Ballast => Path.Combine(Directory, "ballast");

    /// <summary>Mounts one.</summary>
    /// <param name="megabytes">Its size.</param>
    /// <param name="why">Why there is none.</param>
    public static SmallDisk? Mount(int megabytes, out string why)
    {
        why = "";
        var directory = System.IO.Directory.CreateTempSubdirectory("streamengine-disk-").FullName;
        if (OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", directory))
            return new SmallDisk(directory);
        System.IO.Directory.Delete(directory);
        why = "a full disk needs a small one: run as root on Linux, where a tmpfs may be mounted";
        return null;
    }

    /// <summary>Leaves so many bytes free.</summary>
    public void Fill(int left = 0)
    {
        var block = new byte[4_096];
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            file.SetLength(Math.Max(0, file.Length - left)); // the last block did not fit as a whole
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        Run("umount", Directory);
        System.IO.Directory.Delete(Directory);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }
}
