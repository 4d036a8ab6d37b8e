using System.Buffers;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;

namespace StreamEngine.Events.Masking;

/// <summary>Masks CSV columns: what is a number becomes 0, any other text ***; an empty field stays empty.</summary>
internal sealed class CsvMasker(IReadOnlyList<string> columns, byte separator, IReadOnlyList<string> paths) : IMasker
{
    /// <inheritdoc/>
    public bool TryMask(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> output)
    {
        var line = value.ToArray();
        var cursor = new CsvLine(line, 0, line.Length, separator);
        for (var i = 0; i < columns.Count; i++)
        {
            if (!cursor.Next(out var start, out var length, out _)) return false;
            if (i > 0) output.Write([separator]);
            var field = line.AsSpan(start, length);
            if (length > 0 && paths.Contains(columns[i]))
            {
                output.Write(DecimalMath.TryParse(field, 0, out _, out _) ? "0"u8 : MaskPaths.Mask);
                continue;
            }
            // The field as it was: with its quotes where it had them (its text is still doubled inside).
            var quoted = start > 0 && line[start - 1] == '"';
            if (quoted) output.Write("\""u8);
            output.Write(field);
            if (quoted) output.Write("\""u8);
        }
        return columns.Count > 0 && cursor.AtEnd;
    }
}
