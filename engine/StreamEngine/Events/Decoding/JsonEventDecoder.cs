using System.Text.Json;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Decodes one JSON object per record: only declared paths are read, everything else is checked as JSON and passed over. Of a repeated name
/// the last one counts. Belongs to one thread. (A record that is no JSON costs an exception inside: Utf8JsonReader has no other way to say
/// so.)
/// </summary>
internal sealed class JsonEventDecoder(EventShape shape) : IEventDecoder
{
    private readonly HiddenValues _hidden = new(shape.HiddenCount);
    private byte[] _buffer = [];
    private int _start;
    private Event _target = null!;
    private Faults _faults;

    /// <inheritdoc/>
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target)
    {
        _faults = shape.Begin(buffer, key, target, _hidden);
        if (value.Length <= 0 || (ulong)(uint)value.Start + (uint)value.Length > (uint)buffer.Length) return RejectReason.Malformed;
        (_buffer, _start, _target) = (buffer, value.Start, target);
        var reader = new Utf8JsonReader(buffer.AsSpan(value.Start, value.Length));
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return RejectReason.Malformed;
            ReadObject(ref reader, shape.Root);
            if (reader.Read()) return RejectReason.Malformed;
        }
        catch (JsonException)
        {
            return RejectReason.Malformed;
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
            if (node.Consent) _target.Consent |= Consent(ref reader);
            if (node.Child(index) is { } child) ReadValue(ref reader, child);
            else reader.Skip();
        }
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
                if (node.Targets.Count > 0) _faults |= Faults.WrongType;
                if (node.Children.Count > 0) ReadObject(ref reader, node);
                else if (node.Consent) ReadFlags(ref reader);
                else reader.Skip();
                return;
            case JsonTokenType.StartArray:
                Forget(node);
                if (node.Targets.Count > 0) _faults |= Faults.WrongType;
                ReadArray(ref reader, node);
                return;
        }
        if (node.Children.Count > 0) _faults |= Faults.WrongType;
        if (node.Consent) _target.Consent = Consent(ref reader);
        foreach (var target in node.Targets) ReadScalar(ref reader, target);
    }

    /// <summary>The record has the name again: what its earlier value brought, further down too, no longer counts.</summary>
    private void Forget(PathNode node)
    {
        foreach (var target in node.Targets) _hidden.Slot(_target, target.Slot) = default;
        if (node.Consent) _target.Consent = 0;
        foreach (var child in node.Children) Forget(child);
    }

    private void ReadScalar(ref Utf8JsonReader reader, Target target)
    {
        ref var slot = ref _hidden.Slot(_target, target.Slot);
        if (reader.TokenType is JsonTokenType.True or JsonTokenType.False)
            _faults |= Conversion.FromBool(target, reader.TokenType == JsonTokenType.True, ref slot);
        else if (Text(ref reader, out var buffer, out var start, out var length))
            _faults |= Conversion.FromText(target, buffer, start, length, ref slot);
        else _faults |= Faults.BadUtf8;
    }

    private ulong Consent(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && Text(ref reader, out var buffer, out var start, out var length)
            ? shape.Purposes.List(buffer.AsSpan(start, length))
            : 0;

    /// <summary>An object of purpose to true or false.</summary>
    private void ReadFlags(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var bit = Text(ref reader, out var buffer, out var start, out var length)
                ? shape.Purposes.Bit(buffer.AsSpan(start, length)) : 0;
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
