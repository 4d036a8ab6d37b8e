namespace StreamEngine.Connectors.Files;

/// <summary>
/// Text records one a line: NDJSON, or CSV by RFC 4180, where a line break inside a quoted field belongs to the record. Empty lines are
/// skipped, CRLF and a byte order mark are taken off. A quote that never closes does not swallow the file: its first line becomes a record
/// for the decoder to reject.
/// </summary>
internal sealed class LineFile(Stream stream, string path, bool csv, byte separator = (byte)',', int maxQuoted = 1 << 20) : IRecordFile
{
    private byte[] _buffer = new byte[1 << 17];
    private int _start, _end, _length, _next;
    private bool _ended, _begun;

    public ReadOnlySpan<byte> Record => _buffer.AsSpan(_start, _length);

    public bool Read()
    {
        do
        {
            _start = _next;
            if (!Frame()) return false;
        }
        while (_length == 0);
        return true;
    }

    public void Dispose() => stream.Dispose();

    /// <summary>Finds the end of the record at <see cref="_start"/>; false where nothing is left.</summary>
    private bool Frame()
    {
        if (!_begun) SkipMark();
        var (at, firstBreak) = (_start, -1);
        var (quoted, fieldStart, closed) = (false, true, false);
        while (true)
        {
            if (at == _end && !Fill(ref at, ref firstBreak))
            {
                if (_end == _start) return false;
                if (quoted && firstBreak >= 0) return Close(firstBreak, 1);
                return Close(_end, 0);
            }
            var c = _buffer[at];
            if (c == '\n' && !quoted) return Close(at, 1);
            if (csv)
            {
                if (c == '\n' && firstBreak < 0) firstBreak = at;
                if (quoted && firstBreak >= 0 && at - _start > maxQuoted) return Close(firstBreak, 1);
                // A doubled quote inside a quoted field closes and opens it again: the same in the end.
                var quote = c == '"' && (quoted || fieldStart || closed);
                closed = quote && quoted;
                if (quote) quoted = !quoted;
                fieldStart = c == separator && !quoted;
                at++;
            }
            else
            {
                var end = _buffer.AsSpan(at, _end - at).IndexOf((byte)'\n');
                at = end < 0 ? _end : at + end;
            }
        }
    }

    private bool Close(int end, int skip)
    {
        _next = end + skip;
        if (end > _start && _buffer[end - 1] == '\r') end--;
        _length = end - _start;
        return true;
    }

    private void SkipMark()
    {
        _begun = true;
        int at = 0, none = -1;
        while (_end < 3 && Fill(ref at, ref none)) { }
        if (_end >= 3 && _buffer.AsSpan(0, 3).SequenceEqual("\uFEFF"u8)) _start = _next = 3;
    }

    /// <summary>Gets more bytes behind <see cref="_end"/>, moving the open record to the front; false at the file's end.</summary>
    private bool Fill(ref int at, ref int firstBreak)
    {
        if (_ended) return false;
        if (_end == _buffer.Length)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (at, firstBreak, _end) = (at - _start, firstBreak < 0 ? -1 : firstBreak - _start, _end - _start);
                _start = 0;
            }
            else
            {
                if (_buffer.Length >= 1 << 30) throw new InvalidDataException($"{path}: a line is longer than 1 GiB.");
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
        }
        var n = stream.Read(_buffer.AsSpan(_end));
        _end += n;
        _ended = n == 0;
        return n > 0;
    }
}
