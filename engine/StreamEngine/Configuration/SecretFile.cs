namespace StreamEngine.Configuration;

/// <summary>A secret in a file of its own, so that it need stand neither in a config nor on a command line.</summary>
public static class SecretFile
{
    /// <summary>The file's text without a line break at its end; null, with the mistake told, where it can't be read.</summary>
    /// <param name="path">The file, relative to the folder.</param>
    /// <param name="folder">The config's folder.</param>
    /// <param name="node">The section that names it.</param>
    /// <param name="key">The option that names it.</param>
    /// <param name="errors">Takes the mistake.</param>
    public static string? Read(string path, string folder, ConfigNode node, string key, ConfigErrors errors)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, path)).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add(node, key, $"the file can't be read: {e.Message}",
                "Name a file that holds nothing but the value; the path is relative to the config file");
            return null;
        }
    }
}
