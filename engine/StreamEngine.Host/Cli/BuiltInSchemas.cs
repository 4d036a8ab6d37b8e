namespace StreamEngine.Host.Cli;

/// <summary>The Avro schemas that the program brings along (<c>schemas/*.avsc</c>).</summary>
internal static class BuiltInSchemas
{
    private const string Ending = ".avsc";

    /// <summary>Their names, without the ending.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(BuiltInSchemas).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(Ending, StringComparison.Ordinal))
            .Select(n => n[..^Ending.Length]).Order(StringComparer.Ordinal)];

    /// <summary>A schema as its file has it.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(BuiltInSchemas).Assembly.GetManifestResourceStream(name + Ending)
            ?? throw new InvalidOperationException($"The schema {name}{Ending} is not in the program.");
        using var text = new StreamReader(stream);
        return text.ReadToEnd();
    }
}
