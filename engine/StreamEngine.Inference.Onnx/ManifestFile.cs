using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamEngine.Inference.Onnx;

/// <summary>Reads and checks <c>model.json</c>: snake_case members named as in <see cref="ModelManifest"/>; others are ignored.</summary>
internal static class ManifestFile
{
    private static readonly JsonSerializerOptions Written =
        new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the manifest of the version's folder that <paramref name="path"/> lies in.</summary>
    /// <exception cref="ModelException">The file is missing, is no JSON, or has problems: all of them in one message.</exception>
    public static ModelManifest Read(string path)
    {
        using var document = Parse(path);
        var reader = new MemberReader(document.RootElement);
        var manifest = new ModelManifest
        {
            Name = reader.Text("name"),
            Version = reader.Text("version"),
            Kind = reader.OptionalText("kind", "dense"),
            Inputs = reader.Names("inputs"),
            Outputs = reader.Names("outputs"),
            Output = reader.OptionalText("output"),
            Columns = reader.OptionalColumns("columns"),
            Categories = reader.OptionalTextLists("categories"),
            Example = reader.OptionalRow("example"),
            Sha256 = reader.Text("sha256"),
            Metrics = reader.OptionalNumbers("metrics"),
            TrainingWindow = reader.OptionalTimes("training_window"),
        };
        Check(manifest, path, reader.Problems);
        if (reader.Problems.Count > 0)
        {
            throw new ModelException($"{path}: {string.Join("; ", reader.Problems)}.");
        }
        return manifest;
    }

    /// <summary>Writes a manifest as <see cref="Read"/> reads it.</summary>
    public static void Write(string path, ModelManifest manifest)
    {
        var members = new JsonObject
        {
            ["name"] = manifest.Name,
            ["version"] = manifest.Version,
            ["kind"] = manifest.Kind,
            ["inputs"] = Array(manifest.Inputs),
            ["outputs"] = Array(manifest.Outputs),
        };
        if (manifest.Output is { } output) members["output"] = output;
        if (manifest.Columns is { } columns) members["columns"] = Array(columns);
        if (manifest.Categories.Count > 0)
            members["categories"] =
                new JsonObject(manifest.Categories.Select(c => KeyValuePair.Create<string, JsonNode?>(c.Key, Array(c.Value))));
        if (manifest.Example is { } example)
            members["example"] = new JsonArray([.. example.Select(n => double.IsNaN(n) ? null : JsonValue.Create(n))]);
        members["sha256"] = manifest.Sha256;
        File.WriteAllText(path, members.ToJsonString(Written) + "\n");

        static JsonArray Array<T>(IEnumerable<T> items) => new([.. items.Select(i => JsonValue.Create(i))]);
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path));
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"{path} is missing: a model's folder holds model.onnx and model.json.", cause);
        }
        catch (Exception cause) when (cause is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path} can't be read: {cause.Message}", cause);
        }
    }

    private static void Check(ModelManifest manifest, string path, List<string> problems)
    {
        var folder = Directory.GetParent(path)!;
        Same("name", manifest.Name, folder.Parent?.Name);
        Same("version", manifest.Version, folder.Name);
        if (manifest.Columns is { } columns && columns.Count != manifest.Outputs.Count)
            problems.Add($"'columns' has {columns.Count} numbers, 'outputs' {manifest.Outputs.Count} names: give one for each");
        if (manifest.Example is { } example && example.Count != manifest.Inputs.Count)
            problems.Add($"'example' has {example.Count} numbers, 'inputs' {manifest.Inputs.Count} names: give one for each");
        foreach (var feature in manifest.Categories.Keys.Except(manifest.Inputs))
            problems.Add($"'categories' has '{feature}', which 'inputs' does not name");
        if (manifest.Kind is not ("trees" or "dense")) problems.Add($"'kind' is '{manifest.Kind}', it must be 'trees' or 'dense'");
        if (manifest.Sha256.Length > 0 && (manifest.Sha256.Length != 64 || !manifest.Sha256.All(char.IsAsciiHexDigitLower)))
        {
            problems.Add("'sha256' must be 64 lower-case hexadecimal digits");
        }

        void Same(string member, string value, string? expected)
        {
            if (value.Length > 0 && value != expected) problems.Add($"'{member}' is '{value}', but the folder says '{expected}'");
        }
    }

    /// <summary>Takes members of the right type and notes every one that is missing or wrong.</summary>
    private sealed class MemberReader(JsonElement root)
    {
        public List<string> Problems { get; } = [];

        public string Text(string member) => Required(member) is { } value ? AsText(member, value) : "";

        public string OptionalText(string member, string otherwise) => OptionalText(member) ?? otherwise;

        public string? OptionalText(string member) => Find(member) is { } value ? AsText(member, value) : null;

        public IReadOnlyList<string> Names(string member)
        {
            var names = Required(member) is { } value ? AsTexts(member, value) : null;
            if (names is null) return [];
            if (names.Count == 0) Problems.Add($"'{member}' is empty");
            foreach (var twice in names.GroupBy(name => name).Where(group => group.Count() > 1))
            {
                Problems.Add($"'{member}' names '{twice.Key}' {twice.Count()} times");
            }
            return names;
        }

        public IReadOnlyDictionary<string, double> OptionalNumbers(string member)
        {
            var numbers = new Dictionary<string, double>();
            if (Find(member) is not { } value) return numbers;
            if (value.ValueKind != JsonValueKind.Object) { Problems.Add($"'{member}' must be an object of numbers"); return numbers; }
            foreach (var entry in value.EnumerateObject())
            {
                if (entry.Value.ValueKind == JsonValueKind.Number) numbers[entry.Name] = entry.Value.GetDouble();
                else Problems.Add($"'{member}.{entry.Name}' must be a number");
            }
            return numbers;
        }

        public IReadOnlyList<int>? OptionalColumns(string member)
        {
            if (Find(member) is not { } value) return null;
            if (value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var column) && column >= 0))
                return [.. value.EnumerateArray().Select(v => v.GetInt32())];
            Problems.Add($"'{member}' must be an array of columns, counted from 0");
            return null;
        }

        public IReadOnlyDictionary<string, IReadOnlyList<string>> OptionalTextLists(string member)
        {
            var lists = new Dictionary<string, IReadOnlyList<string>>();
            if (Find(member) is not { } value) return lists;
            if (value.ValueKind != JsonValueKind.Object) { Problems.Add($"'{member}' must be an object of arrays of texts"); return lists; }
            foreach (var entry in value.EnumerateObject())
                if (AsTexts($"{member}.{entry.Name}", entry.Value) is { } texts) lists[entry.Name] = texts;
            return lists;
        }

        /// <summary>Numbers; null stands for a missing one, NaN, which JSON can't write.</summary>
        public IReadOnlyList<double>? OptionalRow(string member)
        {
            if (Find(member) is not { } value) return null;
            if (value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(v => v.ValueKind is JsonValueKind.Number or JsonValueKind.Null))
                return [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? double.NaN : v.GetDouble())];
            Problems.Add($"'{member}' must be an array of numbers, null where one is missing");
            return null;
        }

        public IReadOnlyList<string>? OptionalTimes(string member)
        {
            if (Find(member) is not { } value) return null;
            var times = AsTexts(member, value);
            if (times is null) return null;
            var sound = times.Count == 2 && times.All(time =>
                DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));
            if (!sound) Problems.Add($"'{member}' must be the first and the last time, in ISO 8601");
            return times;
        }

        private JsonElement? Find(string member) =>
            root.ValueKind == JsonValueKind.Object && root.TryGetProperty(member, out var value) && value.ValueKind != JsonValueKind.Null
                ? value : null;

        private JsonElement? Required(string member)
        {
            var value = Find(member);
            if (value is null) Problems.Add($"'{member}' is missing");
            return value;
        }

        private string AsText(string member, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text;
            Problems.Add($"'{member}' must be a text that is not empty");
            return "";
        }

        private List<string>? AsTexts(string member, JsonElement value)
        {
            if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            {
                return [.. value.EnumerateArray().Select(item => item.GetString()!)];
            }
            Problems.Add($"'{member}' must be an array of texts");
            return null;
        }
    }
}
