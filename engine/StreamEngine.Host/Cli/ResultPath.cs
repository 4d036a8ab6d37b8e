namespace StreamEngine.Host.Cli;

/// <summary>The places that options name for results: made where they are missing, tried before the work begins.</summary>
internal static class ResultPath
{
    private static readonly string[] Devices = ["/dev/", "/proc/"];

    /// <summary>A folder that can be written; its full path.</summary>
    /// <exception cref="IOException">It can't: names option, reason and remedy.</exception>
    public static string Folder(string option, string path) =>
        Try(option, path, "Name a folder that can be written, or one that can be made", () =>
    {
        if (System.IO.File.Exists(path)) throw new IOException("there is a file of that name");
        var folder = Directory.CreateDirectory(path).FullName;
        using (new FileStream(Path.Combine(folder, $".streamengine-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write,
            FileShare.None, 1, FileOptions.DeleteOnClose)) return folder;
    });

    /// <summary>A file that can be written, in a folder that is there; what it holds is kept.</summary>
    /// <exception cref="IOException">It can't: names option, reason and remedy.</exception>
    public static void File(string option, string path) => Try(option, path, "Name a file that can be written", () =>
    {
        if (Directory.Exists(path)) throw new IOException("it is a folder");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        var isNew = !System.IO.File.Exists(path);
        using (new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite)) { }
        if (isNew) System.IO.File.Delete(path);
        return path;
    });

    /// <summary>
    /// Opens a result for writing, empty, and makes it its user's alone, also where it was there already with wider rights: results hold
    /// personal data. A device or a pipe keeps its own.
    /// </summary>
    /// <exception cref="IOException">It can't: says why.</exception>
    public static FileStream Create(string path, int bufferSize = 4096, FileAccess access = FileAccess.Write)
    {
        var file = new FileStream(path, FileMode.Create, access, FileShare.Read, bufferSize);
        var real = Real(path);
        if (OperatingSystem.IsWindows() || !file.CanSeek || Devices.Any(d => real.StartsWith(d, StringComparison.Ordinal))) return file;
        try
        {
            const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            if (System.IO.File.GetUnixFileMode(file.SafeFileHandle) != Mine) System.IO.File.SetUnixFileMode(file.SafeFileHandle, Mine);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw new IOException($"{path} can't be made private to its user: {e.Message.TrimEnd('.')}. It may be somebody else's: remove "
                + "it, or name another place", e);
        }
    }

    /// <summary>Holds that a result goes over none of the files that it is made from, also not by way of a link.</summary>
    /// <param name="option">The option that names the place for results.</param>
    /// <param name="path">A file, or a folder, in which then no input may lie.</param>
    /// <param name="inputs">The files that are read.</param>
    /// <exception cref="IOException">It would: names option, input and remedy.</exception>
    public static void SpareInputs(string option, string path, IEnumerable<string> inputs)
    {
        var result = Real(path);
        foreach (var input in inputs)
        {
            var read = Real(input);
            if (read == result) throw new IOException($"{option} {path} is an input of this command, {input}. Name another file");
            if (read.StartsWith(result + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw new IOException($"{option} {path} is the folder of an input, {input}: results there could go over it, and would be "
                    + "read as events the next time. Name another folder");
        }
    }

    /// <summary>The full path with every link on it followed.</summary>
    private static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        var real = Path.GetPathRoot(full)!;
        foreach (var part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            FileSystemInfo entry = Directory.Exists(real) ? new DirectoryInfo(real) : new FileInfo(real);
            if (entry.LinkTarget is not null && Resolved(entry) is { } target) real = Path.TrimEndingDirectorySeparator(target);
        }
        return real;
    }

    private static string? Resolved(FileSystemInfo link)
    {
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            return null; // a pipe's link names nothing in the file system
        }
    }

    private static string Try(string option, string path, string remedy, Func<string> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"{option} {path} can't be written: {e.Message.TrimEnd('.')}. {remedy}", e);
        }
    }
}
