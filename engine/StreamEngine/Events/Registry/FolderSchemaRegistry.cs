using System.Globalization;
using System.Text.Json;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>
/// Schemas in a folder, read once: <c>index.json</c> maps ids and subjects to files; without an entry there, <c>7.avsc</c> has the id 7 and
/// <c>orders-value-v2.avsc</c> is version 2 of the subject orders-value. Every schema is also found by its fingerprint.
/// </summary>
public sealed class FolderSchemaRegistry : ISchemaRegistry
{
    private readonly Dictionary<int, AvroSchema> _byId = [];
    private readonly FingerprintIndex _byFingerprint = new();
    private readonly Dictionary<string, RegisteredSchema> _latest = [];

    /// <summary>Reads the folder; one that is not there counts as empty.</summary>
    /// <exception cref="SchemaRegistryException">A file can't be read, or an id or version is given twice; names the file.</exception>
    public FolderSchemaRegistry(string folder)
    {
        if (!Directory.Exists(folder)) return;
        var index = ReadIndex(Path.Combine(folder, "index.json"));
        foreach (var entry in index) Add(entry.Id, entry.Subject, entry.Version, Read(Path.Combine(folder, entry.File)), entry.File);
        foreach (var path in Directory.EnumerateFiles(folder, "*.avsc").Order(StringComparer.Ordinal))
        {
            var file = Path.GetFileName(path);
            if (index.Exists(e => e.File == file)) continue;
            var (id, subject, version) = FromName(Path.GetFileNameWithoutExtension(file));
            Add(id, subject, version, Read(path), file);
        }
    }

    /// <inheritdoc/>
    public AvroSchema? ById(int id) => _byId.GetValueOrDefault(id);

    /// <inheritdoc/>
    public AvroSchema? ByFingerprint(ulong fingerprint) => _byFingerprint.Find(fingerprint);

    /// <inheritdoc/>
    public RegisteredSchema? Latest(string subject) => _latest.GetValueOrDefault(subject);

    private void Add(int id, string subject, int version, AvroSchema schema, string file)
    {
        _byFingerprint.Add(schema);
        if (id > 0 && !_byId.TryAdd(id, schema) && _byId[id].Identity != schema.Identity)
            throw new SchemaRegistryException($"{file}: the id {id} has another schema already");
        if (subject.Length == 0) return;
        if (_latest.TryGetValue(subject, out var known) && known.Version == version)
            throw new SchemaRegistryException($"{file}: version {version} of the subject '{subject}' is given twice");
        if (known is null || known.Version < version) _latest[subject] = new RegisteredSchema(id, subject, version, schema);
    }

    private static (int Id, string Subject, int Version) FromName(string name)
    {
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return (id, "", 0);
        var mark = name.LastIndexOf("-v", StringComparison.Ordinal);
        return mark > 0 && int.TryParse(name[(mark + 2)..], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? (0, name[..mark], version) : (0, "", 0);
    }

    private static AvroSchema Read(string path)
    {
        try
        {
            return AvroSchema.ParseWriter(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AvroSchemaException)
        {
            throw new SchemaRegistryException($"{path}: {e.Message}", e);
        }
    }

    private static List<Entry> ReadIndex(string path)
    {
        if (!File.Exists(path)) return [];
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var entries = new List<Entry>();
            foreach (var item in json.RootElement.GetProperty("schemas").EnumerateArray())
                entries.Add(new Entry(
                    item.TryGetProperty("id", out var id) ? id.GetInt32() : 0,
                    item.TryGetProperty("subject", out var subject) ? subject.GetString() ?? "" : "",
                    item.TryGetProperty("version", out var version) ? version.GetInt32() : 1,
                    item.GetProperty("file").GetString() ?? ""));
            return entries;
        }
        catch (Exception e) when (e is IOException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new SchemaRegistryException($"{path}: needs {{ \"schemas\": [ {{ \"id\": 1, \"subject\": \"events-value\", \"version\": "
                + $"1, \"file\": \"x.avsc\" }} ] }}: {e.Message}", e);
        }
    }

    private sealed record Entry(int Id, string Subject, int Version, string File);
}
