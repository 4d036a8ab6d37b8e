using StreamEngine.Configuration;

namespace StreamEngine.Events.Avro;

/// <summary>Why a reader's schema can't read what was written with another one.</summary>
/// <param name="Path">Where: the fields from the top, with <c>[]</c> for items, <c>{}</c> for a map's values, <c>|type</c> for a union's
/// branch.</param>
/// <param name="Message">What does not fit.</param>
/// <param name="Remedy">What to do.</param>
public sealed record AvroIncompatibility(string Path, string Message, string Remedy);

/// <summary>
/// Whether records written with one schema can be read with another: the rules of schema resolution in Avro's specification (1.12), and
/// that logical types agree, since else the same bytes would mean something else. Every fault is told, not the first alone.
/// </summary>
public static class AvroCompatibility
{
    /// <summary>Checks one direction; empty where the reader can read everything that the writer may write.</summary>
    public static IReadOnlyList<AvroIncompatibility> Check(AvroSchema reader, AvroSchema writer)
    {
        var faults = new List<AvroIncompatibility>();
        Match(reader, writer, "", faults, new Seen());
        // A writer's names may be any text, and what is told goes to a terminal.
        return [.. faults.Select(f =>
            new AvroIncompatibility(Printable.Short(f.Path), Printable.Short(f.Message), Printable.Short(f.Remedy)))];
    }

    private static void Match(AvroSchema reader, AvroSchema writer, string path, List<AvroIncompatibility> faults,
        Seen seen)
    {
        if (!seen.Add((reader, writer))) return; // a schema may refer to itself
        if (writer.Kind == AvroKind.Union)
        {
            foreach (var branch in writer.Branches) Match(reader, branch, $"{path}|{branch.Name}", faults, seen);
        }
        else if (reader.Kind == AvroKind.Union)
        {
            if (!reader.Branches.Any(b => Fits(b, writer, path, seen)))
                faults.Add(new AvroIncompatibility(path, $"{writer} is no branch of the reader's union {reader}",
                    $"Add {writer} to the union"));
        }
        else MatchPlain(reader, writer, path, faults, seen);
    }

    private static void MatchPlain(
        AvroSchema reader, AvroSchema writer, string path, List<AvroIncompatibility> faults, Seen seen)
    {
        switch (reader.Kind, writer.Kind)
        {
            case (AvroKind.Record, AvroKind.Record):
                Names(reader, writer, path, faults);
                Fields(reader, writer, path, faults, seen);
                break;
            case (AvroKind.Enum, AvroKind.Enum):
                Names(reader, writer, path, faults);
                var unknown = writer.Symbols.Except(reader.Symbols).ToList();
                if (unknown.Count > 0 && reader.DefaultSymbol is null)
                    faults.Add(new AvroIncompatibility(path,
                        $"the reader's enum does not know {string.Join(", ", unknown)} and has no default symbol",
                        "Keep the symbols, or give the enum a 'default'"));
                break;
            case (AvroKind.Fixed, AvroKind.Fixed):
                Names(reader, writer, path, faults);
                if (reader.Size != writer.Size)
                    faults.Add(new AvroIncompatibility(path, $"a fixed of {writer.Size} bytes can't be read as one of {reader.Size}",
                        "Keep the size"));
                break;
            case (AvroKind.Array, AvroKind.Array):
                Match(reader.Element!, writer.Element!, path + "[]", faults, seen);
                break;
            case (AvroKind.Map, AvroKind.Map):
                Match(reader.Element!, writer.Element!, path + "{}", faults, seen);
                break;
            default:
                if (!Promotes(reader.Kind, writer.Kind))
                    faults.Add(new AvroIncompatibility(path, $"{writer} can't be read as {reader}",
                        "Keep the type, or add a field with a new name"));
                break;
        }
        if (Meaning(reader) != Meaning(writer))
            faults.Add(new AvroIncompatibility(path, $"{Meaning(writer)} would be read as {Meaning(reader)}",
                "Keep the logical type with its precision and scale"));
    }

    private static void Fields(
        AvroSchema reader, AvroSchema writer, string path, List<AvroIncompatibility> faults, Seen seen)
    {
        foreach (var field in reader.Fields)
        {
            var at = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            var written = writer.Field(field.Name) ?? field.Aliases.Select(writer.Field).FirstOrDefault(f => f is not null);
            if (written is not null) Match(field.Schema, written.Schema, at, faults, seen);
            else if (!field.HasDefault)
                faults.Add(new AvroIncompatibility(at, "the writer has no such field, and the reader's has no default",
                    "Give the field a default, or name the old field among its aliases"));
        }
    }

    private static void Names(AvroSchema reader, AvroSchema writer, string path, List<AvroIncompatibility> faults)
    {
        if (reader.Name == writer.Name || reader.Aliases.Contains(writer.FullName)
            || reader.Aliases.Any(a => a[(a.LastIndexOf('.') + 1)..] == writer.Name)) return;
        faults.Add(new AvroIncompatibility(path, $"{writer.FullName} is not {reader.FullName}",
            $"Keep the name, or add {writer.FullName} to the aliases"));
    }

    /// <summary>
    /// Whether a branch takes the writer's schema. What is being looked at further up is taken to fit: its own faults are told there.
    /// </summary>
    private static bool Fits(AvroSchema reader, AvroSchema writer, string path, Seen seen)
    {
        var (faults, before) = (new List<AvroIncompatibility>(), seen.Count);
        Match(reader, writer, path, faults, seen);
        if (faults.Count > 0) seen.Forget(before);
        return faults.Count == 0;
    }

    private static bool Promotes(AvroKind reader, AvroKind writer) => reader == writer || (reader, writer) switch
    {
        (AvroKind.Long, AvroKind.Int) => true,
        (AvroKind.Float, AvroKind.Int or AvroKind.Long) => true,
        (AvroKind.Double, AvroKind.Int or AvroKind.Long or AvroKind.Float) => true,
        (AvroKind.String, AvroKind.Bytes) or (AvroKind.Bytes, AvroKind.String) => true,
        _ => false,
    };

    private static string Meaning(AvroSchema schema) => schema.Logical switch
    {
        AvroLogical.None => "a plain value",
        AvroLogical.Decimal => $"a decimal({schema.Precision},{schema.Scale})",
        var logical => $"a {logical}",
    };

    /// <summary>The pairs looked at, in their order.</summary>
    private sealed class Seen
    {
        private readonly HashSet<(AvroSchema, AvroSchema)> _all = [];
        private readonly List<(AvroSchema, AvroSchema)> _inOrder = [];

        public int Count => _inOrder.Count;

        public bool Add((AvroSchema, AvroSchema) pair)
        {
            if (!_all.Add(pair)) return false;
            _inOrder.Add(pair);
            return true;
        }

        public void Forget(int from)
        {
            for (var i = from; i < _inOrder.Count; i++) _all.Remove(_inOrder[i]);
            _inOrder.RemoveRange(from, _inOrder.Count - from);
        }
    }
}
