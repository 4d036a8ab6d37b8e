namespace StreamEngine.Host.Cli;

/// <summary>The places that options name for results: made where they are missing, tried before the work begins.</summary>
internal static class ResultPath
{
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
