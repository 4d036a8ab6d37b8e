using StreamEngine.Configuration;
using StreamEngine.Events.Masking;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events.Decoding;

/// <summary>Compiles one source: its paths, its schema, its masks. Every mistake is reported at the option that made it.</summary>
internal sealed class SourceCompiler(
    EventSourceOptions options, int index, FieldCatalog catalog, Purposes bits, IReadOnlyList<string> purposes, SymbolTable symbols,
        ConfigErrors errors)
{
    private readonly PathNode _root = new("", "");
    private readonly Dictionary<string, (ConfigNode Node, string Key)> _declared = [];
    private readonly TextRules? _rules = options.Nulls.Count == 0 && !options.DecimalComma ? null
        : new TextRules([.. options.Nulls.Select(System.Text.Encoding.UTF8.GetBytes)], options.DecimalComma);
    private TimeZoneInfo? _zone;
    private int _hidden;

    public EventSource Compile(ISchemaRegistry registry, string baseDirectory, Action<string> problem)
    {
        CheckTexts();
        foreach (var field in options.Fields) AddField(field);
        var customerIsKey = options.Customer == "key";
        var timeIsRecords = options.Time.Field == "timestamp";
        if (!customerIsKey) Want(options.Customer, Target.CustomerSlot, options.Node, "customer");
        if (!timeIsRecords) AddTime();
        if (options.Type is { Length: > 0 } type) Want(type, Target.TypeSlot, options.Node, "type");
        if (options.Consent is { Length: > 0 } consent && Declare(consent, options.Node, "consent")) _root.At(consent).Consent = true;
        var hash = AddId();
        var shape = new EventShape
        {
            Source = index,
            Root = _root,
            FixedType = options.Type is { Length: > 0 } ? null : symbols.Of(options.Name),
            CustomerIsKey = customerIsKey,
            TimeIsRecords = timeIsRecords,
            HasConsent = options.Consent is { Length: > 0 },
            HashSlots = hash,
            HiddenCount = _hidden,
            Purposes = bits,
            Symbols = symbols,
        };
        CheckPii();
        if (options.Format == RecordFormat.Csv) CheckColumns();
        if (options.SeparatorByte == '"')
            errors.Add(options.Node, "separator", $"'{options.Separator}' can't separate fields",
                "Write one ASCII character that is no quote or line break, such as ';' or '|', or '\\t' for a tab.");
        else if (options.Format != RecordFormat.Csv && options.Separator != ",")
            errors.Add(options.Node, "separator", "only CSV has a separator", "Take it out, or set format: csv.");
        var avro = options.Format == RecordFormat.Avro ? new SchemaChecker(options, shape, _declared, errors)
            .Compile(registry, baseDirectory, problem) : null;
        return new EventSource(options, shape, avro, RequiredConsent(), Masker(avro));
    }

    private void CheckTexts()
    {
        if (options.Zone is { Length: > 0 } name && !TimeZoneInfo.TryFindSystemTimeZoneById(name, out _zone))
            errors.Add(options.Node, "zone", $"the time zone '{name}' is not known here",
                "Write an IANA name such as Europe/Berlin; where none is known, install the system's tzdata.");
        if (options.Format != RecordFormat.Avro) return;
        foreach (var (given, key) in new[] { (options.Nulls.Count > 0, "nulls"), (options.DecimalComma, "decimal_comma"),
            (options.Encoding != TextEncoding.Utf8, "encoding") })
            if (given) errors.Add(options.Node, key, $"Avro has no {key}", "Take it out: it is of CSV and JSON.");
    }

    private void AddField(FieldOptions field)
    {
        if (catalog.Find(field.Name) is not { } slot
            || !FieldTypeText.TryParse(field.Type, out var type, out var scale, out var time, out _, _zone)) return;
        var path = field.From ?? field.Name;
        if (!Declare(path, field.Node, field.From is null ? "" : "from")) return;
        _root.At(path).Targets.Add(new Target(slot.Index, path, type, scale, time, _rules));
    }

    private void AddTime()
    {
        var format = TimeFormat.Compile(options.Time.Format, out var problem, _zone);
        if (format is null)
            errors.Add(options.Time.Node, "format", $"the time format '{options.Time.Format}' can't be used: {problem}",
                "Write millis, seconds, micros, iso, or a .NET pattern such as 'yyyy-MM-dd HH:mm:ss'.");
        if (Declare(options.Time.Field, options.Time.Node, "field"))
            _root.At(options.Time.Field).Targets.Add(new Target(Target.TimeSlot, options.Time.Field, FieldType.Timestamp, 0, format
                ?? TimeFormat.Auto, _rules));
    }

    /// <summary>
    /// The id's path; for hash(...), the slots that are hashed: declared fields by their name, anything else by its path.
    /// </summary>
    private int[]? AddId()
    {
        var id = options.Id.Trim();
        if (!id.StartsWith("hash(", StringComparison.Ordinal))
        {
            Want(id, Target.IdSlot, options.Node, "id");
            return null;
        }
        var parts = id.EndsWith(')') ? id[5..^1].Split(',', StringSplitOptions.TrimEntries) : [""];
        if (parts.Any(p => p.Length == 0))
        {
            errors.Add(options.Node, "id", $"'{id}' is not well formed", "Write a field, or hash(field, field, ...).");
            return [];
        }
        var slots = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (options.Fields.Any(f => f.Name == parts[i]) && catalog.Find(parts[i]) is { } field)
            {
                slots[i] = field.Index;
                continue;
            }
            slots[i] = Target.HashSlot - _hidden++;
            if (Declare(parts[i], options.Node, "id"))
                _root.At(parts[i]).Targets.Add(new Target(slots[i], parts[i], FieldType.String, 0, TimeFormat.Auto, _rules,
                    Natural: true));
        }
        return slots;
    }

    private void Want(string path, int slot, ConfigNode node, string key)
    {
        if (Declare(path, node, key)) _root.At(path).Targets.Add(new Target(slot, path, FieldType.String, 0, TimeFormat.Auto, _rules));
    }

    /// <summary>Remembers where a path was written, so that a later mistake is shown there.</summary>
    private bool Declare(string path, ConfigNode node, string key)
    {
        if (path.Length == 0 || PathNode.Parts(path).Any(p => p.Length == 0))
        {
            errors.Add(node, key, $"'{path}' is no path", "Write names joined by dots, such as order.total or items.0.sku.");
            return false;
        }
        _declared.TryAdd(path, (node, key));
        return true;
    }

    private void CheckPii()
    {
        foreach (var path in options.Pii)
        {
            var clash = options.Fields.FirstOrDefault(f => Within(f.From ?? f.Name, path));
            if (clash is not null)
                errors.Add(clash.Node, "", $"the field '{clash.Name}' is personal data by 'pii: {path}', which is never kept",
                    "Drop the field, or take the path out of 'pii'.");
            foreach (var (key, kept) in KeptPaths())
                if (Within(kept, path))
                    errors.Add(options.Node, "pii",
                        $"'{kept}' is personal data by 'pii: {path}', but the {key} stands in the state, in keys and in what is written",
                        "Let the producer send a hash of it in a field of its own and name that here, or take the path out of 'pii'.");
        }
    }

    /// <summary>The paths whose values, or hashes, are kept beside the fields, each with its option.</summary>
    private IEnumerable<(string Key, string Path)> KeptPaths()
    {
        if (options.Customer != "key") yield return ("customer", options.Customer);
        if (options.Type is { Length: > 0 } type) yield return ("type", type);
        var id = options.Id.Trim();
        if (!id.StartsWith("hash(", StringComparison.Ordinal)) yield return ("id", id);
        else
            // A declared field among them was told as such.
            foreach (var part in id[5..].TrimEnd(')').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                if (!options.Fields.Any(f => f.Name == part)) yield return ("id", part);
    }

    private static bool Within(string path, string area) => path == area || path.StartsWith(area + ".", StringComparison.Ordinal);

    private void CheckColumns()
    {
        if (options.Columns.Count == 0) return;
        foreach (var column in options.Columns.Where(c => options.Columns.Count(o => o == c) > 1 && _declared.ContainsKey(c)).Distinct())
            errors.Add(options.Node, "columns", $"the column '{column}' is there more than once, and is read",
                "Give each column that is read a name of its own.");
        foreach (var (path, (node, key)) in _declared)
            if (!options.Columns.Contains(path))
                errors.Add(node, key, $"the column '{path}' is not in 'columns'{KnownNames.DidYouMean(path, options.Columns)}",
                    $"Columns are {string.Join(", ", options.Columns)}.");
        foreach (var path in options.Pii)
            if (!options.Columns.Contains(path))
                errors.Add(options.Node, "pii", $"the column '{path}' is not in 'columns'{KnownNames.DidYouMean(path, options.Columns)}",
                    $"Columns are {string.Join(", ", options.Columns)}.");
    }

    private ulong RequiredConsent()
    {
        if (options.Requires.Count > 0 && string.IsNullOrEmpty(options.Consent))
            errors.Add(options.Node, "requires", "purposes are required, but no field has the consent",
                "Name the field with the list of purposes as 'consent'.");
        var required = 0UL;
        foreach (var purpose in options.Requires)
        {
            if (!purposes.Contains(purpose))
                errors.Add(options.Node, "requires", $"the purpose '{purpose}' is not declared{KnownNames.DidYouMean(purpose, purposes)}",
                    purposes.Count == 0 ? "Declare it under 'purposes'." : $"Purposes are {string.Join(", ", purposes)}.");
            required |= bits.Bit(purpose);
        }
        return required;
    }

    private IMasker? Masker(AvroSource? avro)
    {
        if (options.Pii.Count == 0) return null;
        return options.Format switch
        {
            RecordFormat.Json => new JsonMasker(MaskPaths.Tree(options.Pii)),
            RecordFormat.Csv => new CsvMasker(options.Columns, options.SeparatorByte, options.Pii),
            _ => new AvroMasker(avro!, MaskPaths.Tree(options.Pii)),
        };
    }
}
