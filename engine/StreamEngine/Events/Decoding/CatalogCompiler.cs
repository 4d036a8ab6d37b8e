using StreamEngine.Configuration;
using StreamEngine.Events.Registry;
using StreamEngine.Events.Tables;

namespace StreamEngine.Events.Decoding;

/// <summary>Compiles all sources: first the shared fields, then each source against them.</summary>
internal sealed class CatalogCompiler(IReadOnlyList<string> purposes, ConfigNode purposesNode, ISchemaRegistry registry,
    string baseDirectory, ConfigErrors errors, Action<string>? say, TableSet tables)
{
    private readonly Dictionary<string, (Field Field, ConfigLocation At)> _fields = [];
    private readonly List<Field> _inOrder = [];
    private readonly ListCompiler _lists = new(errors, tables);
    private readonly HashSet<string> _unusable = [];
    private readonly SymbolTable _symbols = new();

    public EventCatalog Compile(IReadOnlyList<EventSourceOptions> sources)
    {
        CheckPurposes();
        CheckTwice(sources, s => s.Name, "", "the source name");
        CheckTwice(sources, s => s.Topic, "topic", "the topic");
        foreach (var source in sources)
            foreach (var field in source.Fields) Declare(source, field);
        for (var i = 0; i < _inOrder.Count; i++)
            if (_inOrder[i].Type == FieldType.List) _inOrder[i] = _inOrder[i] with { Items = _lists.ItemsOf(_inOrder[i].Name) };
        var catalog = new FieldCatalog(_inOrder) { Unusable = _unusable, Tables = tables.Shapes.Count };
        var bits = new Purposes([.. purposes.Take(Purposes.Max)]);
        var compiled = new List<EventSource>();
        var anyConsent = sources.Any(s => s.Consent is { Any: true });
        foreach (var source in sources)
            compiled.Add(new SourceCompiler(source, compiled.Count, catalog, bits, purposes, _symbols, tables, anyConsent, errors)
                .Compile(registry, baseDirectory, say ?? (_ => { })));
        return new EventCatalog(catalog, compiled);
    }

    private void Declare(EventSourceOptions source, FieldOptions options)
    {
        if (options.Name.Length == 0 || char.IsAsciiDigit(options.Name[0])
            || !options.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            errors.Add(options.Node, "", $"'{options.Name}' can't be used in an expression",
            "Use letters, digits and _, and give the record's own name as 'from'.");
        if (options.Name is "type" or "time")
            errors.Add(options.Node, "", $"a field named '{options.Name}' can't be reached: event.{options.Name} is the event's own "
                + options.Name, $"Use event.{options.Name} without a field, or declare the field under another name with "
                + $"'from: {options.From ?? options.Name}'.");
        var (type, scale, problem) = (FieldType.List, 0, "");
        if (options.Lookup is { } lookup)
        {
            if (LookupCompiler.FieldOf(lookup, ofItem: false, tables, options.Node, errors) is not { } from)
            {
                _unusable.Add(options.Name);
                return;
            }
            (type, scale) = (from.Type, from.Scale);
        }
        else if (ListCompiler.IsList(options))
        {
            if (!_lists.Declare(options))
            {
                _unusable.Add(options.Name);
                return;
            }
        }
        else if (!FieldTypeText.TryParse(options.Type, out type, out scale, out _, out problem))
        {
            errors.Add(options.Node, "type", problem, $"Types are {FieldTypeText.Valid}.");
            _unusable.Add(options.Name);
            return;
        }
        if (source.Fields.Count(f => f.Name == options.Name) > 1 && source.Fields.First(f => f.Name == options.Name) != options)
            errors.Add(options.Node, "", $"the field '{options.Name}' is declared twice in the source '{source.Name}'",
                "Keep one of them.");
        if (!_fields.TryGetValue(options.Name, out var known))
        {
            var field = new Field(_inOrder.Count, options.Name, type, scale);
            _inOrder.Add(field);
            _fields[options.Name] = (field, options.Node.At);
        }
        else if (known.Field.Type != type || known.Field.Scale != scale)
        {
            errors.Add(options.Node, "type", $"the field '{options.Name}' has another type at {known.At}",
                "Sources that declare the same name share the field: give both the same type, or another name with 'from'.");
        }
    }

    private void CheckPurposes()
    {
        if (purposes.Count > Purposes.Max)
            errors.Add(purposesNode.At, $"{purposes.Count} purposes are declared", $"At most {Purposes.Max} can be.");
        for (var i = 0; i < purposes.Count; i++)
        {
            // The list's items, as long as all of them could be read.
            var at = purposesNode.Items is { } items && items.Count == purposes.Count ? items[i].At : purposesNode.At;
            if (string.IsNullOrWhiteSpace(purposes[i])) errors.Add(at, "a purpose has no name", "Name it, or take it out.");
            else if (purposes.Take(i).Contains(purposes[i]))
                errors.Add(at, $"the purpose '{purposes[i]}' is declared twice", "Keep one of them.");
        }
    }

    private void CheckTwice(IReadOnlyList<EventSourceOptions> sources, Func<EventSourceOptions, string> of, string key, string what)
    {
        var seen = new Dictionary<string, EventSourceOptions>();
        foreach (var source in sources)
            if (of(source).Length > 0 && !seen.TryAdd(of(source), source))
                errors.Add(source.Node, key, $"{what} '{of(source)}' is used twice, first at {seen[of(source)].Node.At}",
                    "A source has a name and a topic of its own; several event types in one topic are told apart by 'type'.");
    }
}
