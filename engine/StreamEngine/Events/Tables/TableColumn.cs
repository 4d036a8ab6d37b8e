namespace StreamEngine.Events.Tables;

/// <summary>
/// One column of a table: numbers as the eight bytes that an event's field holds, texts as the numbers of different texts. Any thread may
/// read the rows that it was told of while one thread adds further ones.
/// </summary>
internal sealed class TableColumn(FieldType type)
{
    private const int FirstLength = 16;

    private readonly TextSet? _texts = type == FieldType.String ? new TextSet() : null;
    private int[] _textOf = [];         // of each row the number of its text, from 1; 0 where it has none
    private long[] _numbers = [];
    private ulong[] _absent = [];       // a bit for each row without a number, up to the last such row
    private int _rows;

    /// <summary>Bytes of memory.</summary>
    public long Memory => sizeof(int) * _textOf.LongLength + sizeof(long) * (_numbers.LongLength + _absent.LongLength)
        + (_texts?.Memory ?? 0);

    /// <summary>Adds the value of the next row.</summary>
    public void Add(in FieldValue value)
    {
        var row = _rows++;
        if (_texts is not null)
        {
            if (row == _textOf.Length) Array.Resize(ref _textOf, Math.Max(FirstLength, 2 * row));
            _textOf[row] = value.Present ? _texts.Add(value.Text, out _) + 1 : 0;
            return;
        }
        if (row == _numbers.Length) Array.Resize(ref _numbers, Math.Max(FirstLength, 2 * row));
        _numbers[row] = value.Bits;
        if (value.Present) return;
        if (row / 64 >= _absent.Length) Array.Resize(ref _absent, Math.Max(row / 64 + 1, 2 * _absent.Length));
        _absent[row / 64] |= 1UL << row;
    }

    /// <summary>Gives spare room back.</summary>
    public void Close()
    {
        if (_texts is null) Array.Resize(ref _numbers, _rows);
        else Array.Resize(ref _textOf, _rows);
        _texts?.Close(indexed: false);
    }

    /// <summary>Sets a field to the value of a row; false, with nothing set, where the row has none.</summary>
    public bool TryGet(int row, ref FieldValue to)
    {
        if (_texts is not null)
        {
            var number = _textOf[row] - 1;
            if (number < 0) return false;
            var text = _texts[number];
            to.Set(_texts.Bytes, text.Start, text.Length);
            return true;
        }
        if (row / 64 < _absent.Length && (_absent[row / 64] & 1UL << row) != 0) return false;
        to.Set(_numbers[row]);
        return true;
    }
}
