using StreamEngine.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace StreamEngine.Host.Configuration;

/// <summary>
/// Reads YAML (JSON is YAML) into config nodes that know their place. Anchors and aliases work, as does the merge key <c>&lt;&lt;</c>;
/// a syntax error or a key given twice is a config error.
/// </summary>
internal sealed class YamlConfigReader
{
    private readonly string _file;
    private readonly ConfigErrors _errors;
    private readonly Dictionary<string, ConfigNode> _anchors = [];
    private readonly Scanner _scanner;
    private readonly IParser _parser;
    private readonly string[] _lines;

    private YamlConfigReader(string file, string text, ConfigErrors errors)
    {
        _file = file;
        _errors = errors;
        _lines = text.Split('\n');
        _scanner = new Scanner(new StringReader(text), skipComments: true);
        _parser = new Parser(_scanner);
    }

    /// <summary>Reads a file; null where it can't be read or is no YAML, which the errors then tell.</summary>
    public static ConfigNode? ReadFile(string path, ConfigErrors errors)
    {
        try
        {
            return Read(path, File.ReadAllText(path), errors);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new ConfigLocation(path, 0, 0, "config"), e is FileNotFoundException or DirectoryNotFoundException
                ? "there is no such file" : $"the file can't be read: {e.Message}", "Name an existing config file with --config");
            return null;
        }
    }

    /// <summary>Reads text; <paramref name="file"/> is its name in messages.</summary>
    public static ConfigNode? Read(string file, string text, ConfigErrors errors)
    {
        var reader = new YamlConfigReader(file, text, errors);
        try
        {
            return reader.Document();
        }
        catch (YamlException e)
        {
            Wrong(e.Start, (e.InnerException as YamlException ?? e).Message);
        }
        catch (InvalidOperationException)
        {
            Wrong(reader._scanner.CurrentPosition, "a bracket, a quote or an indentation does not fit"); // the scanner has lost its place
        }
        return null;

        void Wrong(Mark at, string message) =>
            errors.Add(new ConfigLocation(file, Math.Max(1, (int)at.Line), Math.Max(1, (int)at.Column), "syntax"),
                $"this is no YAML: {message.Trim()}", "Check indentation, quotes and brackets at and above this line");
    }

    private ConfigNode Document()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _)) return new ConfigNode(new ConfigLocation(_file, 1, 1, "")) { Entries = [] };
        var root = Node("");
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
            _errors.Add(Place(second, ""), "a second document starts here", "Keep one document in the file: remove the line '---'");
        return root;
    }

    private ConfigNode Node(string path)
    {
        switch (_parser.Current)
        {
            case AnchorAlias alias:
                _parser.MoveNext();
                if (_anchors.TryGetValue(alias.Value.Value, out var anchored)) return anchored;
                _errors.Add(Place(alias, path), $"the alias '*{alias.Value}' has no anchor above it",
                    $"Put &{alias.Value} before the value it means");
                return new ConfigNode(Place(alias, path));
            case Scalar scalar:
                _parser.MoveNext();
                return Anchored(scalar,
                    new ConfigNode(Place(scalar, path)) { Scalar = IsNull(scalar) ? null : scalar.Value, TextAt = TextAt(scalar) });
            case SequenceStart start:
                return Anchored(start, Sequence(start, path));
            case MappingStart start:
                _parser.MoveNext();
                return Anchored(start, Mapping(start, path));
            default:
                throw new YamlException(_scanner.CurrentPosition, _scanner.CurrentPosition, "a value is missing");
        }
    }

    private ConfigNode Sequence(SequenceStart start, string path)
    {
        _parser.MoveNext();
        var items = new List<ConfigNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(Node($"{path}.{items.Count}"));
        return new ConfigNode(Place(start, path)) { Items = items };
    }

    private ConfigNode Mapping(MappingStart start, string path)
    {
        var entries = new List<KeyValuePair<string, ConfigNode>>();
        var merged = new List<ConfigNode>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var key))
                throw new YamlException(_parser.Current!.Start, _parser.Current.End, "a name must be a single value");
            var below = path.Length == 0 ? key.Value : $"{path}.{key.Value}";
            var value = Node(below);
            if (key is { Value: "<<", IsQuotedImplicit: false }) merged.AddRange(value.Items ?? [value]);
            else if (entries.FindIndex(e => e.Key == key.Value) is >= 0 and var first)
                _errors.Add(Place(key, below), $"'{key.Value}' is given twice, first in line {entries[first].Value.At.Line}",
                    "Remove or rename one of the two");
            else entries.Add(new(key.Value, value));
        }
        foreach (var node in merged)
            entries.AddRange((node.Entries ?? []).Where(e => !entries.Exists(own => own.Key == e.Key)).ToList());
        return new ConfigNode(Place(start, path)) { Entries = entries };
    }

    private ConfigNode Anchored(NodeEvent at, ConfigNode node)
    {
        if (!at.Anchor.IsEmpty) _anchors[at.Anchor.Value] = node;
        return node;
    }

    /// <summary>Where a scalar's own text begins: behind its quote, or in the first line below a block's indicator.</summary>
    private (int Line, int Column) TextAt(Scalar scalar)
    {
        var (line, column) = ((int)scalar.Start.Line, (int)scalar.Start.Column);
        if (scalar.Style is ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted) return (line, column + 1);
        if (scalar.Style is not (ScalarStyle.Literal or ScalarStyle.Folded)) return (line, column);
        var below = line; // lines count from 1, the array from 0: this is the next one
        while (below < _lines.Length - 1 && string.IsNullOrWhiteSpace(_lines[below])) below++;
        return below < _lines.Length ? (below + 1, _lines[below].TakeWhile(c => c == ' ').Count() + 1) : (line, column);
    }

    private static bool IsNull(Scalar scalar) => scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };

    private ConfigLocation Place(ParsingEvent at, string path) => new(_file, (int)at.Start.Line, (int)at.Start.Column, path);
}
