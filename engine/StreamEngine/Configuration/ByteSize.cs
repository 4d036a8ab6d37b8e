namespace StreamEngine.Configuration;

/// <summary>A size in bytes; the config writes <c>512kb</c>, <c>64mb</c>, <c>2gb</c> (powers of 1,024) or a plain number.</summary>
public readonly record struct ByteSize(long Bytes)
{
    /// <summary>A size of so many mebibytes.</summary>
    public static ByteSize Mb(long n) => new(n << 20);

    /// <inheritdoc/>
    public override string ToString() =>
        Bytes % (1L << 30) == 0 ? $"{Bytes >> 30}gb" : Bytes % (1L << 20) == 0 ? $"{Bytes >> 20}mb" : Bytes % 1024 == 0 ? $"{Bytes >> 10}kb"
            : $"{Bytes}";
}
