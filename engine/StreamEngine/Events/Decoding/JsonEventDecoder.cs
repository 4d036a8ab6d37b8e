using System.Text.Json;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Decodes one JSON object per record: only declared paths are read, everything else is checked as JSON and passed over. Of a repeated name
/// the last one counts. Belongs to one thread. (A record that is no JSON costs an exception inside: Utf8JsonReader has no other way to say
/// so.)
/// </summary>
internal sealed class JsonEventDecoder(EventShape shape) : IEventDecoder
{
    /// <summary>Objects and arrays may be nested this deep.</summary>
    public const int MaxDepth = 1_000;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };
    private readonly HiddenValues _hidden = new(shape.HiddenCount);
    private byte[] _buffer = [];
    private int _start;
    private Event _target = null!;
    private Faults _faults;

    /// <inheritdoc/>
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
    {
        _faults = shape.Begin(buffer, key, target, _hidden);
        if (value.Length <= 0 || (ulong)(uint)value.Start + (uint)value.Length > (uint)buffer.Length)
            return target.Note(FaultKind.Empty);
        (_buffer, _start, _target) = (buffer, value.Start, target);
        var reader = new Utf8JsonReader(buffer.AsSpan(value.Start, value.Length), Options);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return target.Note(FaultKind.NoObject);
            ReadObject(ref reader, shape.Root);
            if (reader.Read()) return target.Note(FaultKind.NoObject);
        }
        catch (JsonException)
        {
            // What stands first in the record is told, not a value's type: no value of it can be trusted.
            target.Fault.Kind = FaultKind.None;
            var open = reader.CurrentDepth + (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? 1 : 0);
            return open >= MaxDepth ? target.Note(FaultKind.Deep, 0, MaxDepth)
                : target.Note(FaultKind.Syntax, reader.BytesConsumed + 1);
        }
        return shape.Finish(_faults, target, _hidden);
    }

    private void ReadObject(ref Utf8JsonReader reader, PathNode node)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.ValueSpan;
            if (reader.ValueIsEscaped)
                name = Text(ref reader, out var buffer, out var start, out var length) ? buffer.AsSpan(start, length) : default;
            var child = node.Child(name);
            reader.Read();
            if (child is null) reader.Skip();
            else ReadValue(ref reader, child);
        }
    }

    private void ReadArray(ref Utf8JsonReader reader, PathNode node)
    {
        for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            if (node.Consent) _target.Consent |= ConsentList(ref reader);
            if (node.Child(index) is { } child) ReadValue(ref reader, child);
            else reader.Skip();
        }
    }

    /// <summary>Reads the items of a list. A null is no item, and an item of another kind than declared is a fault.</summary>
    private void ReadItems(ref Utf8JsonReader reader, PathNode node, ListTarget list)
    {
        var (start, count) = (_target.Items.Used, 0);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.Null) continue;
            if (count == list.Max)
            {
                _faults |= list.TooMany(_target, node.Path);
                reader.Skip();
                continue;
            }
            var row = list.Begin(_target, _hidden);
            if (list.IsSingle || reader.TokenType == JsonTokenType.StartObject) ReadValue(ref reader, list.Item);
            else
            {
                Structure(node);
                reader.Skip();
            }
            count += list.End(_target, row);
        }
        _target.Fields[list.Slot].SetList(start, count);
    }

    private void ReadValue(ref Utf8JsonReader reader, PathNode node)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                Forget(node);
                return;
            case JsonTokenType.StartObject:
                Forget(node);
                if (node.Targets.Count > 0 || node.List is not null) Structure(node);
                if (node.Children.Count > 0) ReadObject(ref reader, node);
                else if (node.Consent) ReadFlags(ref reader);
                else reader.Skip();
                return;
            case JsonTokenType.StartArray:
                Forget(node);
                if (node.Targets.Count > 0) Structure(node);
                if (node.List is { } list)
                {
                    // A reader is a value: what else is read of the array is read by the one that still stands at its beginning.
                    var items = reader;
                    ReadItems(ref items, node, list);
                    if (node.Children.Count == 0 && !node.Consent)
                    {
                        reader = items;
                        return;
                    }
                }
                ReadArray(ref reader, node);
                return;
        }
        if (node.Children.Count > 0 || node.List is not null) Structure(node);
        if (node.Consent) _target.Consent = ConsentList(ref reader);
        if (node.Flags != 0) ReadFlag(ref reader, node.Flags);
        foreach (var target in node.Targets) ReadScalar(ref reader, target);
    }

    private void Structure(PathNode node)
    {
        _faults |= Faults.WrongType;
        _target.Note(FaultKind.Structure, node.Targets.Count > 0 ? node.Targets[0].Slot : int.MinValue, node.Path);
    }

    /// <summary>The record has the name again: what its earlier value brought, further down too, no longer counts.</summary>
    private void Forget(PathNode node)
    {
        foreach (var target in node.Targets) _hidden.Slot(_target, target.Slot) = default;
        if (node.List is { } list) _target.Fields[list.Slot] = default;
        if (node.Consent) _target.Consent = 0;
        _target.Consent &= ~node.Flags;
        foreach (var child in node.Children) Forget(child);
    }

    private void ReadScalar(ref Utf8JsonReader reader, Target target)
    {
        ref var slot = ref _hidden.Slot(_target, target.Slot);
        if (reader.TokenType is JsonTokenType.True or JsonTokenType.False)
        {
            var fault = Conversion.FromBool(target, reader.TokenType == JsonTokenType.True, ref slot);
            _faults |= fault;
            if (fault != Faults.None)
                _target.Note(FaultKind.Flag, target.Slot, target.Path, reader.TokenType == JsonTokenType.True ? 1 : 0);
        }
        else if (Text(ref reader, out var buffer, out var start, out var length))
            _faults |= reader.TokenType == JsonTokenType.Number
                ? Conversion.FromPlainText(target, buffer, start, length, _target, ref slot)
                : Conversion.FromText(target, buffer, start, length, _target, ref slot);
        else
        {
            _faults |= Faults.BadUtf8;
            _target.Note(FaultKind.Utf8, target.Slot, target.Path, 0, _buffer, _start + (int)reader.TokenStartIndex + 1,
                reader.ValueSpan.Length);
        }
    }

    private ulong ConsentList(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String || !Text(ref reader, out var buffer, out var start, out var length)) return 0;
        _target.ConsentSaid.Set(buffer, start, length);
        return shape.Purposes.List(buffer.AsSpan(start, length));
    }

    /// <summary>The yes or no of a field to the purposes that it is for.</summary>
    private void ReadFlag(ref Utf8JsonReader reader, ulong purposes)
    {
        if (reader.TokenType is JsonTokenType.True or JsonTokenType.False)
            _target.SetConsent(purposes, reader.TokenType == JsonTokenType.True);
        else if (Text(ref reader, out var buffer, out var start, out var length))
            ConsentWords.Read(purposes, buffer, start, length, _target);
    }

    /// <summary>An object of purpose to true or false.</summary>
    private void ReadFlags(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var bit = 0UL;
            if (Text(ref reader, out var buffer, out var start, out var length))
            {
                bit = shape.Purposes.Bit(buffer.AsSpan(start, length));
                _target.ConsentSaid.Set(buffer, start, length);
            }
            reader.Read();
            _target.Consent &= ~bit;
            if (reader.TokenType == JsonTokenType.True) _target.Consent |= bit;
            reader.Skip();
        }
    }

    /// <summary>
    /// The token's text: a slice of the record, or of the scratch space where escapes had to be undone; false for half a surrogate pair.
    /// </summary>
    private bool Text(ref Utf8JsonReader reader, out byte[] buffer, out int start, out int length)
    {
        length = reader.ValueSpan.Length;
        buffer = _buffer;
        start = _start + (int)reader.TokenStartIndex + (reader.TokenType == JsonTokenType.Number ? 0 : 1);
        if (!reader.ValueIsEscaped) return true;
        var raw = reader.ValueSpan;
        start = _target.Scratch.Take(raw.Length, out buffer);
        length = JsonText.Unescape(raw, buffer.AsSpan(start, raw.Length));
        return length >= 0;
    }
}
