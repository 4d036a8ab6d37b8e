namespace StreamEngine.Events.Decoding;

/// <summary>
/// Decodes one CSV line per record (RFC 4180): fields in quotes may hold separators, line breaks and doubled quotes. An empty field is
/// absent. A quote inside an unquoted field stands for itself. Fewer or more fields than columns are malformed. Belongs to one thread.
/// </summary>
internal sealed class CsvEventDecoder : IEventDecoder
{
    private readonly EventShape _shape;
    private readonly PathNode?[] _columns;
    private readonly HiddenValues _hidden;
    private readonly byte _separator;

    /// <summary>Binds the declared paths to columns by their full name.</summary>
    public CsvEventDecoder(EventShape shape, IReadOnlyList<string> columns, byte separator)
    {
        _shape = shape;
        _separator = separator;
        _hidden = new HiddenValues(shape.HiddenCount);
        var nodes = new Dictionary<string, PathNode>();
        Collect(shape.Root, nodes);
        _columns = [.. columns.Select(c => nodes.GetValueOrDefault(c))];
    }

    /// <inheritdoc/>
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
    {
        var faults = _shape.Begin(buffer, key, target, _hidden);
        if (value.Length <= 0 || (ulong)(uint)value.Start + (uint)value.Length > (uint)buffer.Length)
            return target.Note(FaultKind.Empty);
        var line = new CsvLine(buffer, value.Start, value.Length, _separator);
        for (var i = 0; i < _columns.Length; i++)
        {
            var column = _columns[i];
            if (!line.Next(out var start, out var length, out var doubled))
                return line.AtEnd ? target.Note(FaultKind.Fields, i, _columns.Length) : target.Note(FaultKind.Quote, i + 1);
            if (column is null || length == 0) continue;
            var text = buffer;
            if (doubled) start = Undouble(target.Scratch, buffer.AsSpan(start, length), out text, out length);
            if (column.Consent)
            {
                target.Consent = _shape.Purposes.List(text.AsSpan(start, length));
                target.ConsentSaid.Set(text, start, length);
            }
            if (column.Flags != 0) ConsentWords.Read(column.Flags, text, start, length, target);
            if (column.List is { } list) faults |= ReadItems(list, column.Path, text, start, length, target);
            foreach (var wanted in column.Targets)
                faults |= Conversion.FromText(wanted, text, start, length, target, ref _hidden.Slot(target, wanted.Slot));
        }
        return line.AtEnd ? _shape.Finish(faults, target, _hidden) : TooMany(line, target);
    }

    /// <summary>Reads the items of a list within one field; what is empty between two separators is no item.</summary>
    private Faults ReadItems(ListTarget list, string path, byte[] text, int start, int length, Event target)
    {
        var (faults, first, count, end) = (Faults.None, target.Items.Used, 0, start + length);
        while (start <= end)
        {
            var to = Array.IndexOf(text, list.Separator, start, end - start);
            if (to < 0) to = end;
            if (to > start && count == list.Max) faults |= list.TooMany(target, path);
            else if (to > start)
            {
                var row = list.Begin(target, _hidden);
                var item = list.Item.Targets[0];
                faults |= Conversion.FromText(item, text, start, to - start, target, ref _hidden.Slot(target, item.Slot));
                count += list.End(target, row);
            }
            start = to + 1;
        }
        target.Fields[list.Slot].SetList(first, count);
        return faults;
    }

    private RejectReason TooMany(CsvLine line, Event target)
    {
        var fields = _columns.Length;
        while (!line.AtEnd && line.Next(out _, out _, out _)) fields++;
        return line.AtEnd ? target.Note(FaultKind.Fields, fields, _columns.Length) : target.Note(FaultKind.Quote, fields + 1);
    }

    private static int Undouble(ScratchBuffer scratch, ReadOnlySpan<byte> field, out byte[] buffer, out int length)
    {
        var start = scratch.Take(field.Length, out buffer);
        length = 0;
        for (var i = 0; i < field.Length; i++)
        {
            buffer[start + length++] = field[i];
            if (field[i] == '"') i++;
        }
        return start;
    }

    private static void Collect(PathNode node, Dictionary<string, PathNode> nodes)
    {
        nodes[node.Path.Replace("\\.", ".", StringComparison.Ordinal)] = node;
        foreach (var child in node.Children) Collect(child, nodes);
    }
}

/// <summary>Steps over the fields of one CSV line.</summary>
internal ref struct CsvLine
{
    private readonly ReadOnlySpan<byte> _line;
    private readonly int _offset;
    private readonly byte _separator;
    private int _at;

    public CsvLine(byte[] buffer, int start, int length, byte separator)
    {
        _separator = separator;
        _line = buffer.AsSpan(start, length);
        if (_line.EndsWith("\n"u8)) _line = _line[..^1];
        if (_line.EndsWith("\r"u8)) _line = _line[..^1];
        _offset = start;
    }

    /// <summary>Whether all fields were read.</summary>
    public readonly bool AtEnd => _at > _line.Length;

    /// <summary>The next field's place in the buffer, without its quotes; false where there is none, or its quotes are wrong.</summary>
    public bool Next(out int start, out int length, out bool doubled)
    {
        start = _offset + _at;
        length = 0;
        doubled = false;
        if (AtEnd) return false;
        if (_at == _line.Length || _line[_at] != '"')
        {
            length = _line[_at..].IndexOf(_separator);
            if (length < 0) length = _line.Length - _at;
            _at += length + 1;
            return true;
        }
        start++;
        var at = _at + 1;
        while (true)
        {
            var quote = _line[at..].IndexOf((byte)'"');
            if (quote < 0) return false;
            at += quote + 1;
            if (at == _line.Length || _line[at] != '"') break;
            doubled = true;
            at++;
        }
        length = _offset + at - 1 - start;
        if (at < _line.Length && _line[at] != _separator) return false;
        _at = at + 1;
        return true;
    }
}
