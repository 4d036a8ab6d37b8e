using System.Text;
using StreamEngine.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace StreamEngine.Host.Configuration;

/// <summary>
/// Reads YAML (JSON is YAML) into config nodes that know their place. Anchors and aliases work, as does the merge key <c>&lt;&lt;</c>;
/// a syntax error or a key given twice is a config error. What no config needs is refused before it can hurt: values nested too deep, and
/// aliases that multiply.
/// </summary>
internal sealed class YamlConfigReader
{
    /// <summary>How deep values may be nested.</summary>
    public const int MostLevels = 100;

    private const int MostValues = 2_000_000;
    private const int MostCharacters = 64 << 20;

    private readonly string _file;
    private readonly ConfigErrors _errors;
    private readonly Dictionary<string, (ConfigNode Node, int Values)> _anchors = [];
    private readonly Scanner _scanner;
    private readonly IParser _parser;
    private readonly string[] _lines;
    private int _level, _values;

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
            using var file = new StreamReader(path);
            var (text, block) = (new StringBuilder(), new char[1 << 16]);
            while (file.ReadBlock(block) is var n and > 0)
                if (text.Append(block, 0, n).Length > MostCharacters)
                    throw new IOException($"it is longer than {MostCharacters} characters");
            return Read(path, text.ToString(), errors);
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
        var at = _parser.Current!;
        if (++_values > MostValues)
            throw new YamlException(at.Start, at.End, $"there are more than {MostValues} values, aliases written out");
        if (++_level > MostLevels) throw new YamlException(at.Start, at.End, $"values are nested more than {MostLevels} levels deep");
        var node = Value(path);
        _level--;
        return node;
    }

    private ConfigNode Value(string path)
    {
        var before = _values;
        switch (_parser.Current)
        {
            case AnchorAlias alias:
                _parser.MoveNext();
                if (_anchors.TryGetValue(alias.Value.Value, out var anchored))
                {
                    _values = (int)Math.Min(int.MaxValue - 1L, (long)_values + anchored.Values);
                    return anchored.Node;
                }
                // Its name is not told: a password that begins with * reads as an alias.
                _errors.Add(Place(alias, path), "there is no anchor above for the alias here",
                    "Put & and its name before the value it means, or quote a text that begins with *");
                return new ConfigNode(Place(alias, path));
            case Scalar scalar:
                _parser.MoveNext();
                return Anchored(scalar, before,
                    new ConfigNode(Place(scalar, path)) { Scalar = IsNull(scalar) ? null : scalar.Value, TextAt = TextAt(scalar) });
            case SequenceStart start:
                return Anchored(start, before, Sequence(start, path));
            case MappingStart start:
                _parser.MoveNext();
                return Anchored(start, before, Mapping(start, path));
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
        var lines = new Dictionary<string, int>();
        var merged = new List<ConfigNode>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var key))
                throw new YamlException(_parser.Current!.Start, _parser.Current.End, "a name must be a single value");
            var below = path.Length == 0 ? key.Value : $"{path}.{key.Value}";
            var value = Node(below);
            if (key is { Value: "<<", IsQuotedImplicit: false }) merged.AddRange(value.Items ?? [value]);
            else if (!lines.TryAdd(key.Value, value.At.Line))
                _errors.Add(Place(key, below), $"'{key.Value}' is given twice, first in line {lines[key.Value]}",
                    "Remove or rename one of the two");
            else entries.Add(new(key.Value, value));
        }
        foreach (var node in merged)
            entries.AddRange((node.Entries ?? []).Where(e => lines.TryAdd(e.Key, e.Value.At.Line)));
        return new ConfigNode(Place(start, path)) { Entries = entries };
    }

    private ConfigNode Anchored(NodeEvent at, int before, ConfigNode node)
    {
        if (!at.Anchor.IsEmpty) _anchors[at.Anchor.Value] = (node, _values - before);
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
