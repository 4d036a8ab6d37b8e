namespace StreamEngine.Tests.Configuration;

/// <summary>Finds files of the checkout that the tests run in.</summary>
internal static class Repository
{
    private static readonly string Root = Find();

    /// <summary>The full path of a file in the checkout.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "StreamEngine.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests must run inside a checkout.");
    }
}
