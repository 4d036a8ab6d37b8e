using StreamEngine.Configuration;
using StreamEngine.Events.Masking;
using StreamEngine.Events.Registry;
using StreamEngine.Events.Tables;

namespace StreamEngine.Events.Decoding;

/// <summary>Compiles one source: its paths, its schema, its masks. Every mistake is reported at the option that made it.</summary>
internal sealed class SourceCompiler(
    EventSourceOptions options, int index, FieldCatalog catalog, Purposes bits, IReadOnlyList<string> purposes, SymbolTable symbols,
        TableSet tables, bool anyConsent, ConfigErrors errors)
{
    private readonly PathNode _root = new("", "");
    private readonly Dictionary<string, (ConfigNode Node, string Key)> _declared = [];
    private readonly LookupCompiler _lookups = new(options, catalog, tables, errors);
    private readonly TextRules? _rules = options.Nulls.Count == 0 && !options.DecimalComma ? null
        : new TextRules([.. options.Nulls.Select(System.Text.Encoding.UTF8.GetBytes)], options.DecimalComma);
    private TimeZoneInfo? _zone;
    private int _hidden;
    private int _itemSlots;
    private int? _keySlot;

    public EventSource Compile(ISchemaRegistry registry, string baseDirectory, Action<string> say)
    {
        CheckTexts();
        CheckLookedUp();
        SayOldWords(say);
        foreach (var field in options.Fields) AddField(field);
        var customers = AddOneOf(options.Customer, Target.CustomerSlot, RecordPart.Key, options.Node, "customer", FieldType.String);
        var times = AddTime();
        if (options.Type is { Length: > 0 } type) Want(type, Target.TypeSlot, options.Node, "type", FieldType.String);
        AddConsent();
        var hash = AddHash();
        var ids = AddOneOf(new OneOrMore([.. options.Id.All.Where(id => EventSourceOptions.HashParts(id) is null).Select(i => i.Trim())]),
            Target.IdSlot, null, options.Node, "id", FieldType.String, several: options.Id.All.Count > 1);
        var shape = new EventShape
        {
            Source = index,
            Root = _root,
            FixedType = options.Type is { Length: > 0 } ? null : symbols.Of(options.Name),
            KeySlot = _keySlot,
            TimeIsRecords = options.Time.Field.All.Contains(RecordPart.Timestamp),
            Customers = customers,
            Ids = ids,
            Times = times,
            Normalize = options.Normalize == TextNormalization.Nfc,
            SpokenConsent = anyConsent ? Spoken() : ulong.MaxValue,
            UnsaidConsent = anyConsent ? 0 : ulong.MaxValue,
            HashSlots = hash,
            HiddenCount = _hidden,
            Purposes = bits,
            Symbols = symbols,
            Lookups = _lookups.Compiled,
        };
        new PiiCheck(options, errors).Check();
        if (options.Format == RecordFormat.Csv) CheckColumns();
        if (options.SeparatorByte == '"')
            errors.Add(options.Node, "separator", $"'{options.Separator}' can't separate fields",
                "Write one ASCII character that is no quote or line break, such as ';' or '|', or '\\t' for a tab.");
        else if (options.Format != RecordFormat.Csv && options.Separator != ",")
            errors.Add(options.Node, "separator", "only CSV has a separator", "Take it out, or set format: csv.");
        var avro = options.Format == RecordFormat.Avro ? new SchemaChecker(options, shape, _declared, errors)
            .Compile(registry, baseDirectory, say) : null;
        return new EventSource(options, shape, avro, RequiredConsent(), Masker(avro));
    }

    /// <summary>Words that meant a part of the record before such parts had a spelling of their own: they name a field now.</summary>
    private void SayOldWords(Action<string> say)
    {
        if (!options.Customer.IsList && options.Customer.All[0] == "key") Say("customer", "key", options.Node);
        if (options.Time is { Format: null, Field: { IsList: false } field } && field.All[0] == "timestamp")
            Say("time", "timestamp", options.Time.Node == ConfigNode.InCode ? options.Node : options.Time.Node);

        void Say(string option, string word, ConfigNode node) => say($"{(node[option] ?? node).At}: events.{options.Name}.{option}: "
            + $"'{word}' is read as the field of that name. It meant {RecordPart.Meaning("$" + word)} once, which is now written "
            + $"${word}; write [{word}] where the field is meant, and this is said no more");
    }

    private void CheckTexts()
    {
        if (options.Zone is { Length: > 0 } name && (_zone = TimeZones.Find(name)) is null)
            errors.Add(options.Node, "zone", $"the time zone '{name}' is not known here",
                "Write an IANA name such as Europe/Berlin; where none is known, install the system's tzdata.");
        if (options.Format != RecordFormat.Avro) return;
        foreach (var (given, key) in new[] { (options.Nulls.Count > 0, "nulls"), (options.DecimalComma, "decimal_comma"),
            (options.Encoding != TextEncoding.Utf8, "encoding") })
            if (given) errors.Add(options.Node, key, $"Avro has no {key}", "Take it out: it is of CSV and JSON.");
    }

    /// <summary>What an event is, and whose, is told by its record alone: it must not change with a table.</summary>
    private void CheckLookedUp()
    {
        var time = options.Time.Node;
        Check(options.Id.All.Select(i => i.Trim()), options.Node, "id", "id");
        Check([options.Type ?? ""], options.Node, "type", "type");
        Check(options.Customer.All, options.Node, "customer", "customer");
        Check(options.Time.Field.All, time == ConfigNode.InCode ? options.Node : time, "field", "time");

        void Check(IEnumerable<string> paths, ConfigNode node, string key, string what)
        {
            foreach (var path in paths.Where(p => options.Fields.Any(f => f.Name == p && f.Lookup is not null)))
                errors.Add(node, key, $"'{path}' is looked up in a table, so it can't be the {what}", "Name a field that the record has.");
        }
    }

    private void AddField(FieldOptions field)
    {
        if (field.Lookup is not null)
        {
            _lookups.Add(field);
            return;
        }
        if (field.Default is not null)
            errors.Add(field.Node, "default", "only a field that is looked up has a default", "Take it out, or write a 'lookup'.");
        if (catalog.Find(field.Name) is { Items: { } items } list)
        {
            AddList(field, list, items);
            return;
        }
        if (catalog.Find(field.Name) is not { } slot
            || !FieldTypeText.TryParse(field.Type, out var type, out var scale, out var time, out _, _zone)) return;
        var path = field.From ?? field.Name;
        if (!Declare(path, field.Node, field.From is null ? "" : "from")) return;
        _root.At(path).Targets.Add(new Target(slot.Index, path, type, scale, time, _rules));
    }

    private void AddList(FieldOptions field, Field slot, FieldCatalog items)
    {
        CheckList(field);
        var path = field.From ?? field.Name;
        if (!ListCompiler.IsList(field) || !Declare(path, field.Node, field.From is null ? "" : "from")) return;
        var node = _root.At(path);
        if (node.List is not null)
            errors.Add(field.Node, "from", $"the list at '{path}' is taken by another field",
                "Let one field have it, and name all that is read of its items under 'items'.");
        var item = new PathNode("", node.Path + "[]");
        var separator = field.Separator is [.., var last] ? (byte)last : default;
        node.List = new ListTarget(slot.Index, item, items.Count, _itemSlots, field.MaxItems, items.IsSingle, separator);
        if (items.IsSingle) AddItem(item, "", FieldTypeText.ItemsOf(field.Type) ?? "", "", field.Node, "type", items);
        else
            foreach (var of in field.Items)
                if (of.Lookup is not null) _lookups.Add(slot, field, of);
                else AddItem(item, of.Name, of.Type, of.From ?? of.Name, of.Node, of.From is null ? "" : "from", items);
        _itemSlots += items.Count;
    }

    private void AddItem(PathNode item, string name, string text, string path, ConfigNode node, string key, FieldCatalog items)
    {
        if (items.Find(name) is not { } field
            || !FieldTypeText.TryParse(text, out var type, out var scale, out var time, out _, _zone)) return;
        if (path.Length > 0 && PathNode.Fault(path) is { } fault)
        {
            errors.Add(node, key, fault.Message, fault.Remedy);
            return;
        }
        var at = path.Length == 0 ? item : item.At(path);
        // A CSV column is no path, and its items have none of their own.
        if (options.Format == RecordFormat.Avro) _declared.TryAdd(at.Path, (node, key));
        at.Targets.Add(new Target(Target.ItemSlot - _itemSlots - field.Index, at.Path, type, scale, time, _rules));
    }

    private void CheckList(FieldOptions field)
    {
        var isCsv = options.Format == RecordFormat.Csv;
        if (isCsv && field.Items.Count > 0)
            errors.Add(field.Node, "items", $"a CSV column holds no records, so '{field.Name}' can't be a list of them",
                "Declare a list of single values, such as list(string), or read the data as JSON or Avro.");
        if (!isCsv && field.Separator != "|")
            errors.Add(field.Node, "separator", "only in CSV does one text hold a list", "Take it out.");
        if (field.Separator is [var c] && char.IsAscii(c) && c is not ('"' or '\r' or '\n')) return;
        errors.Add(field.Node, "separator", $"'{field.Separator}' can't separate items",
            "Write one ASCII character that is no quote or line break, such as '|' or ';'.");
    }

    private int[]? AddTime()
    {
        var (time, node) = (options.Time, options.Time.Node);
        var format = TimeFormat.Compile(time.Format, out var problem, _zone);
        if (format is null)
            errors.Add(node, "format", $"the time format '{time.Format}' can't be used: {problem}",
                "Write millis, seconds, micros, iso, or a .NET pattern such as 'yyyy-MM-dd HH:mm:ss'.");
        else if (time.Format is not null && time.Field.All is [RecordPart.Timestamp])
            errors.Add(node, "format", "the record's own time has no format", "Take it out.");
        return AddOneOf(time.Field, Target.TimeSlot, RecordPart.Timestamp, node, "field", FieldType.Timestamp, format);
    }

    /// <summary>One field has all purposes: one that it does not name is a no.</summary>
    private ulong Spoken() => options.Consent is not { Any: true } consent ? 0 : consent.One.Length > 0 ? ulong.MaxValue
        : consent.Named.Aggregate(0UL, (all, named) => all | bits.Bit(named.Key));

    private void AddConsent()
    {
        if (options.Consent is not { Any: true } consent) return;
        if (consent.One.Length > 0 && Declare(consent.One, options.Node, "consent")) _root.At(consent.One).Consent = true;
        var node = options.Node["consent"] ?? options.Node;
        foreach (var (purpose, path) in consent.Named)
        {
            CheckPurpose(purpose, node, purpose);
            if (Declare(path, node, purpose)) _root.At(path).Flags |= bits.Bit(purpose);
        }
    }

    /// <summary>For hash(...), the slots that are hashed: declared fields by their name, anything else by its path.</summary>
    private int[]? AddHash()
    {
        if (options.Id.All.FirstOrDefault(i => EventSourceOptions.HashParts(i) is not null) is not { } id) return null;
        if (id != options.Id.All[^1]) Unreached(id, options.Node, "id");
        var parts = EventSourceOptions.HashParts(id)!;
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
                if (field.Type == FieldType.List)
                    errors.Add(options.Node, "id", $"the list '{parts[i]}' can't be part of a hash", "Name a single value.");
                if (options.Fields.Any(f => f.Name == parts[i] && f.Lookup is not null))
                    errors.Add(options.Node, "id", $"'{parts[i]}' is looked up in a table, so it can't be part of a hash",
                        "Name fields that the record has: an event's id must not change with a table.");
                slots[i] = field.Index;
                continue;
            }
            slots[i] = Target.HiddenSlot - _hidden++;
            if (Declare(parts[i], options.Node, "id"))
                _root.At(parts[i]).Targets.Add(new Target(slots[i], parts[i], FieldType.String, 0, TimeFormat.Auto, _rules,
                    Natural: true));
        }
        return slots;
    }

    /// <summary>
    /// Wants a value that one of several paths has; returns the paths' slots, or null where there is one path, whose value goes to its own
    /// slot at once.
    /// </summary>
    /// <param name="paths">The paths in order.</param>
    /// <param name="own">The value's own slot.</param>
    /// <param name="part">The part of a record that may stand for a path; null where none may.</param>
    /// <param name="node">Where they are written.</param>
    /// <param name="key">The option there.</param>
    /// <param name="type">What the value is.</param>
    /// <param name="time">How times are written.</param>
    /// <param name="several">Whether there may be a value beside those of the paths.</param>
    private int[]? AddOneOf(OneOrMore paths, int own, string? part, ConfigNode node, string key, FieldType type, TimeFormat? time = null,
        bool several = false)
    {
        several |= paths.All.Count > 1;
        var slots = new List<int>();
        foreach (var path in paths.All)
        {
            if (path == RecordPart.Timestamp && path == part)
            {
                if (path != paths.All[^1]) Unreached(path, node, key);
                continue;
            }
            var slot = several ? Target.HiddenSlot - _hidden++ : own;
            slots.Add(slot);
            if (path == part) _keySlot = slot;
            else Want(path, slot, node, key, type, time, several);
        }
        return several ? [.. slots] : null;
    }

    private void Unreached(string path, ConfigNode node, string key) =>
        errors.Add(node, key, $"what stands behind '{path}' is never read", "Write it last.");

    private void Want(string path, int slot, ConfigNode node, string key, FieldType type, TimeFormat? time = null, bool isOneOf = false)
    {
        if (Declare(path, node, key))
            _root.At(path).Targets.Add(new Target(slot, path, type, 0, time ?? TimeFormat.Auto, _rules, IsOneOf: isOneOf));
    }

    /// <summary>Remembers where a path was written, so that a later mistake is shown there.</summary>
    private bool Declare(string path, ConfigNode node, string key)
    {
        if (PathNode.Fault(path) is { } fault)
        {
            errors.Add(node, key, fault.Message, fault.Remedy);
            return false;
        }
        _declared.TryAdd(_root.At(path).Path, (node, key));
        return true;
    }

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
        foreach (var path in options.Pii.Select(RecordPart.Unescaped))
            if (!options.Columns.Contains(path))
                errors.Add(options.Node, "pii", $"the column '{path}' is not in 'columns'{KnownNames.DidYouMean(path, options.Columns)}",
                    $"Columns are {string.Join(", ", options.Columns)}.");
    }

    private ulong RequiredConsent()
    {
        if (options.Requires.Count > 0 && options.Consent is not { Any: true })
            errors.Add(options.Node, "requires", "purposes are required, but no field has the consent",
                "Name the field with the list of purposes as 'consent'.");
        var required = 0UL;
        foreach (var purpose in options.Requires)
        {
            CheckPurpose(purpose, options.Node, "requires");
            if (options.Consent is { Named.Count: > 0 } consent && !consent.Named.Any(n => n.Key == purpose))
                errors.Add(options.Node, "requires", $"the purpose '{purpose}' is required, but 'consent' names no field for it",
                    $"Write consent: {{ {purpose}: the field that says it, ... }}.");
            required |= bits.Bit(purpose);
        }
        return required;
    }

    private void CheckPurpose(string purpose, ConfigNode node, string key)
    {
        if (!purposes.Contains(purpose))
            errors.Add(node, key, $"the purpose '{purpose}' is not declared{KnownNames.DidYouMean(purpose, purposes)}",
                purposes.Count == 0 ? "Declare it under 'purposes'." : $"Purposes are {string.Join(", ", purposes)}.");
    }

    private IMasker? Masker(AvroSource? avro)
    {
        if (options.Pii.Count == 0) return null;
        return options.Format switch
        {
            RecordFormat.Json => new JsonMasker(MaskPaths.Tree(options.Pii)),
            RecordFormat.Csv => new CsvMasker(options.Columns, options.SeparatorByte, [.. options.Pii.Select(RecordPart.Unescaped)]),
            _ => new AvroMasker(avro!, MaskPaths.Tree(options.Pii)),
        };
    }
}
