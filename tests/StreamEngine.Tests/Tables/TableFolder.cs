using System.Collections;
using System.IO.Compression;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Tables;

/// <summary>A folder with a config and the files of its tables.</summary>
internal sealed class TableFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("tables-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public string At(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Writes a file; packed where its name says so.</summary>
    public TableFolder Write(string file, string text) => Write(file, Encoding.UTF8.GetBytes(text));

    public TableFolder Write(string file, byte[] bytes)
    {
        using var stream = File.Create(At(file));
        using var gzip = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionLevel.Fastest) : null;
        (gzip ?? (Stream)stream).Write(bytes);
        return this;
    }

    /// <summary>Compiles a config as commands do.</summary>
    public CompiledEngine Compile(string yaml)
    {
        var errors = new ConfigErrors();
        var engine = TryCompile(yaml, errors);
        errors.ThrowIfAny();
        return engine!;
    }

    /// <summary>The mistakes of a config, with paths as from its folder.</summary>
    public IReadOnlyList<string> Mistakes(string yaml)
    {
        var errors = new ConfigErrors();
        using var engine = TryCompile(yaml, errors);
        return [.. errors.All.Select(e => e.ToString().Replace(Path + "/", "", StringComparison.Ordinal))];
    }

    /// <summary>Reads one table alone.</summary>
    public LookupTable? Read(TableOptions options, ConfigErrors errors) =>
        TableSet.Read([options], Path, TableFile.Read, errors).Tables.SingleOrDefault();

    private CompiledEngine? TryCompile(string yaml, ConfigErrors errors)
    {
        var file = At("c.yaml");
        File.WriteAllText(file, yaml);
        return ConfigCheck.Compile(ConfigLoader.Load(file, [], new Hashtable(), errors), errors);
    }

    /// <summary>An event's field as text; a dash where it is absent.</summary>
    public static string Show(in FieldValue value, Field field) => !value.Present ? "-"
        : field.Type == FieldType.String ? $"'{Encoding.UTF8.GetString(value.Text)}'"
        : field.Type == FieldType.Double ? value.Double.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : $"{value.Bits}";
}
