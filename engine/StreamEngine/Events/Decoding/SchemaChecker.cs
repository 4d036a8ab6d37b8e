using StreamEngine.Configuration;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Masking;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events.Decoding;

/// <summary>Loads an Avro source's schema and checks the declared paths against it.</summary>
internal sealed class SchemaChecker(EventSourceOptions options, EventShape shape,
    IReadOnlyDictionary<string, (ConfigNode Node, string Key)> declared, ConfigErrors errors)
{
    public AvroSource Compile(ISchemaRegistry registry, string baseDirectory, Action<string> problem)
    {
        var reader = options.Schema is { Length: > 0 } file ? Load(Path.Combine(baseDirectory, file), file) : null;
        var registered = Latest(registry, problem);
        var latest = registered?.Schema;
        if (reader is not null || latest is not null && options.Schema is null) CheckPaths(reader ?? latest!);
        if (reader is not null && registered is not null) CheckReader(reader, registered);
        foreach (var (path, schema) in options.FileSchemas)
            if (reader is not null && ProjectionBuilder.Build(schema, reader, shape).Unresolved is { } lacking)
                errors.Add(new ConfigLocation(path, 0, 0, "events"),
                    $"the file's schema can't be read with the source's 'schema' ({options.Schema}): {lacking}",
                    "Give the field a default in the reader's schema, or leave out the file.");
        var bare = reader ?? (options.Framing == AvroFraming.Bare ? latest : null);
        if (options.Framing == AvroFraming.Bare && bare is null && options.Schema is null)
            errors.Add(options.Node, "framing", "bare records need a schema", "Name the file they are written with as 'schema'.");
        return options.FileSchemas.Count == 0 ? new AvroSource(shape, reader, bare, options.Framing, registry, problem)
            : new AvroSource(shape, reader, bare, AvroFraming.Confluent, new FileSchemaRegistry(options.FileSchemas), problem);
    }

    private AvroSchema? Load(string path, string file)
    {
        try
        {
            return AvroSchema.Parse(File.ReadAllText(path));
        }
        catch (AvroSchemaException e)
        {
            errors.Add(options.Node, "schema", $"{file}: {e.Message}", "Mend the schema there.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(options.Node, "schema", $"the schema file '{file}' can't be read: {e.Message}",
                "The path is relative to the config file.");
        }
        return null;
    }

    private RegisteredSchema? Latest(ISchemaRegistry registry, Action<string> problem)
    {
        if (options.Topic.Length == 0) return null;
        try
        {
            return registry.Latest($"{options.Topic}-value");
        }
        catch (SchemaRegistryException e)
        {
            problem($"the source '{options.Name}' is not checked against the newest schema of '{options.Topic}-value': {e.Message}");
            return null;
        }
    }

    /// <summary>Every place where the reader's schema can't read what the newest registered one writes.</summary>
    private void CheckReader(AvroSchema reader, RegisteredSchema newest)
    {
        var writer = $"'{newest.Subject}' version {newest.Version} (id {newest.Id}), the newest that is registered,";
        var faults = AvroCompatibility.Check(reader, newest.Schema);
        foreach (var fault in faults)
            errors.Add(options.Node, "schema",
                $"{options.Schema} can't read {writer} at {(fault.Path.Length == 0 ? "the top" : $"'{fault.Path}'")}: {fault.Message}",
                $"{fault.Remedy}.");
        if (faults.Count == 0 && ProjectionBuilder.Build(newest.Schema, reader, shape).Unresolved is { } reason)
            errors.Add(options.Node, "schema", $"{options.Schema} can't read {writer}: {reason}",
                "Give the field a default in the reader's schema.");
    }

    private void CheckPaths(AvroSchema schema)
    {
        var problems = new List<(string Path, string Message)>();
        ProjectionBuilder.Build(schema, null, shape, problems);
        foreach (var (path, message) in problems)
        {
            var (node, key) = declared[path];
            errors.Add(node, key, $"the field '{path}' {message}",
                $"The schema's fields are {string.Join(", ", schema.Fields.Select(f => f.Name))}.");
        }
        foreach (var path in options.Pii)
            if (!AvroMasker.Has(schema, PathNode.Parts(path)))
                errors.Add(options.Node, "pii",
                    $"the field '{path}' is not in the schema{KnownNames.DidYouMean(path, schema.Fields.Select(f => f.Name))}",
                    $"The schema's fields are {string.Join(", ", schema.Fields.Select(f => f.Name))}.");
    }
}
