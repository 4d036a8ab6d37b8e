namespace StreamEngine.Testing;

/// <summary>Finds the repository's files from a test's output folder.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder that holds StreamEngine.sln.</summary>
    public static string Path { get; } = Find();

    /// <summary>A file or folder of the repository.</summary>
    public static string At(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(System.IO.Path.Combine(d.FullName, "StreamEngine.sln"))) return d.FullName;
        throw new InvalidOperationException("the tests run outside the repository");
    }
}
