using System.Text;

namespace StreamEngine.Decisions;

/// <summary>A shared number as a mark has it. No values: the number is not there any more.</summary>
internal readonly record struct SharedNumber(string Name, double[] Values);

/// <summary>
/// The shared numbers that a shard decides by: those of the newest marks in its log. Each mark has what differs from the marks before it,
/// so the log alone tells by what a decision was made. Belongs to the shard's thread.
/// </summary>
/// <param name="scope">Which numbers it can decide by.</param>
internal sealed class SharedView(SharedScope scope)
{
    private readonly Dictionary<string, double[]> _numbers = new(StringComparer.Ordinal), _followed = new(StringComparer.Ordinal);
    private readonly List<SharedNumber> _news = [];

    /// <summary>Grows with every change: whoever keeps something that was made from the numbers makes it anew then.</summary>
    public int Generation { get; private set; }

    /// <summary>The version of the snapshot that the newest change is of; 0 before the first.</summary>
    public long Version { get; private set; }

    /// <summary>The watermark from which on the same snapshot differs otherwise: periods of budgets are over by then.</summary>
    public long Until { get; private set; } = long.MaxValue;

    /// <summary>The numbers by name. Marks of another config may have brought some that nothing is decided by.</summary>
    public IReadOnlyDictionary<string, double[]> Numbers => _numbers;

    /// <summary>A number's values; empty where there is none of that name.</summary>
    public ReadOnlySpan<double> Find(string name) => _numbers.GetValueOrDefault(name);

    /// <summary>What a shard would decide by in a snapshot and does not yet. Valid until the next call.</summary>
    /// <param name="now">The snapshot.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="watermark">Its watermark, ms.</param>
    public IReadOnlyList<SharedNumber> Difference(SharedNumbers now, int shard, long watermark)
    {
        _news.Clear();
        Until = scope.Select(now.Common, now.Of(shard), watermark, _followed);
        foreach (var (name, values) in _followed)
            if (!_numbers.TryGetValue(name, out var known)
                || (!ReferenceEquals(known, values) && !known.AsSpan().SequenceEqual(values)))
                _news.Add(new SharedNumber(name, values));
        foreach (var name in _numbers.Keys)
            if (!_followed.ContainsKey(name)) _news.Add(new SharedNumber(name, []));
        // The order of names, so that the same news make the same mark.
        _news.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return _news;
    }

    /// <summary>Takes a part of a mark: the numbers are as it says from now on.</summary>
    public void Take(long version, ReadOnlySpan<SharedNumber> numbers)
    {
        (Version, Generation) = (version, Generation + 1);
        foreach (var (name, values) in numbers)
            if (values.Length == 0) _numbers.Remove(name);
            else _numbers[name] = values;
    }

    /// <summary>The same, from a mark or a checkpoint as <see cref="Encode"/> makes it; nothing where that is empty.</summary>
    public void Take(long version, ReadOnlySpan<byte> encoded) => Take(version, Read(encoded).ToArray());

    /// <summary>
    /// Everything that is followed at a watermark, as a checkpoint has it; empty where there is nothing. It is one record, so what marks of
    /// another config have left must not be in it.
    /// </summary>
    public byte[] Encoded(long watermark)
    {
        scope.Select(_numbers, _numbers, watermark, _followed);
        return _followed.Count == 0 ? []
            : Encode([.. _followed.Select(n => new SharedNumber(n.Key, n.Value)).OrderBy(n => n.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Numbers as Avro's array of name and values.</summary>
    public static byte[] Encode(ReadOnlySpan<SharedNumber> numbers)
    {
        var size = 2 * SpanWriter.MaxLong;
        foreach (var number in numbers) size += MostBytes(number);
        var block = new byte[size];
        var writer = new SpanWriter(block);
        if (numbers.Length > 0) writer.Long(numbers.Length);
        foreach (var (name, values) in numbers)
        {
            writer.Bytes(Encoding.UTF8.GetBytes(name));
            if (values.Length > 0) writer.Long(values.Length);
            foreach (var value in values) writer.Double(value);
            writer.Long(0);
        }
        writer.Long(0);
        return block[..writer.Length];
    }

    /// <summary>Reads what <see cref="Encode"/> made.</summary>
    public static List<SharedNumber> Read(ReadOnlySpan<byte> encoded)
    {
        var numbers = new List<SharedNumber>();
        var cursor = new AvroCursor(encoded);
        for (var left = encoded.IsEmpty ? 0 : cursor.Items("numbers"); left > 0; left = left > 1 ? left - 1 : cursor.Items("numbers"))
        {
            var name = Encoding.UTF8.GetString(cursor.Bytes("name").Of(encoded));
            var values = new List<double>();
            for (var more = cursor.Items("values"); more > 0; more = more > 1 ? more - 1 : cursor.Items("values"))
                values.Add(cursor.Double("values"));
            if (cursor.Error is null) numbers.Add(new SharedNumber(name, [.. values]));
        }
        return numbers;
    }

    /// <summary>The most bytes that a number takes in an array.</summary>
    public static int MostBytes(in SharedNumber number) =>
        Encoding.UTF8.GetMaxByteCount(number.Name.Length) + 3 * SpanWriter.MaxLong + sizeof(double) * number.Values.Length;
}
