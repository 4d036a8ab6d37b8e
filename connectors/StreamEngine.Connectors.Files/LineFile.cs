namespace StreamEngine.Connectors.Files;

/// <summary>
/// Text records one a line: NDJSON, or CSV by RFC 4180, where a line break inside a quoted field belongs to the record. Empty lines are
/// skipped, CRLF and a byte order mark are taken off. A quote that never closes does not swallow the file: its first line becomes a record
/// for the decoder to reject. Of a record that is longer than the limit, the limit and one byte more are kept, enough to be told and
/// rejected as such; the rest of it, up to the next line break, is passed over unread.
/// </summary>
internal sealed class LineFile(Stream stream, bool csv, byte separator = (byte)',', int limit = LineFile.DefaultLimit) : IRecordFile
{
    /// <summary>The most bytes of a record where nothing else is said.</summary>
    public const int DefaultLimit = 1 << 20;

    private byte[] _buffer = new byte[1 << 17];
    private int _start, _end, _length, _next;
    private bool _ended, _begun;
    private long _lines;   // of what was framed last: blank lines too

    public ReadOnlySpan<byte> Record => _buffer.AsSpan(_start, _length);

    public long Number { get; private set; } = 1;

    public bool Read()
    {
        do
        {
            _start = _next;
            Number += _lines;
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
            // The break that ends a record of exactly the limit may be two bytes long.
            if (at - _start > limit + 2L) return firstBreak >= 0 ? Close(firstBreak, 1) : CutOff(at);
            var c = _buffer[at];
            if (c == '\n' && !quoted) return Close(at, 1);
            if (csv)
            {
                if (c == '\n' && firstBreak < 0) firstBreak = at;
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
        _lines = csv ? _buffer.AsSpan(_start, _next - _start).Count((byte)'\n') : 1;
        if (end > _start && _buffer[end - 1] == '\r') end--;
        _length = (int)Math.Min(end - _start, limit + 1L);
        return true;
    }

    /// <summary>The record is too long: its beginning stays where it is, behind it the file is passed over up to the next break.</summary>
    private bool CutOff(int at)
    {
        _length = limit + 1;
        _lines = 1;
        var kept = _start + _length;
        int end, none = -1;
        while ((end = _buffer.AsSpan(at, _end - at).IndexOf((byte)'\n')) < 0)
        {
            at = _end = kept;
            if (Fill(ref at, ref none)) continue;
            _next = _end;
            return true;
        }
        _next = at + end + 1;
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
            else Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        var n = stream.Read(_buffer.AsSpan(_end));
        _end += n;
        _ended = n == 0;
        return n > 0;
    }
}
