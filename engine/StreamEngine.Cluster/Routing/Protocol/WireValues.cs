using System.Diagnostics;
using Akka.Actor;

namespace StreamEngine.Cluster.Routing.Protocol;

/// <summary>How single values are written and read; the shapes of messages are in <see cref="WireFormat"/>.</summary>
internal static class WireValues
{
    private const int TraceLength = 16;
    private const int SpanLength = 8;

    private enum Kind : byte
    {
        Null,
        Text,
        False,
        True,
        Int32,
        Int64,
        Double,
        Decimal,
        Time,
    }

    /// <summary>Whether a value of a request's context has a type that can be written.</summary>
    public static bool CanWrite(object? value) =>
        value is null or string or bool or int or long or double or decimal or DateTimeOffset;

    public static void WriteValue(this BinaryWriter to, object? value)
    {
        switch (value)
        {
            case null: to.Write((byte)Kind.Null); break;
            case string text: to.Write((byte)Kind.Text); to.Write(text); break;
            case false: to.Write((byte)Kind.False); break;
            case true: to.Write((byte)Kind.True); break;
            case int number: to.Write((byte)Kind.Int32); to.Write7BitEncodedInt(number); break;
            case long number: to.Write((byte)Kind.Int64); to.Write7BitEncodedInt64(number); break;
            case double number: to.Write((byte)Kind.Double); to.Write(number); break;
            case decimal number: to.Write((byte)Kind.Decimal); to.Write(number); break;
            case DateTimeOffset time: to.Write((byte)Kind.Time); to.WriteTime(time); break;
            default: throw new ArgumentException($"a context's value can't be a {value.GetType().Name}", nameof(value));
        }
    }

    public static object? ReadValue(this BinaryReader from) => (Kind)from.ReadByte() switch
    {
        Kind.Null => null,
        Kind.Text => from.ReadString(),
        Kind.False => false,
        Kind.True => true,
        Kind.Int32 => from.Read7BitEncodedInt(),
        Kind.Int64 => from.Read7BitEncodedInt64(),
        Kind.Double => from.ReadDouble(),
        Kind.Decimal => from.ReadDecimal(),
        Kind.Time => from.ReadTime(),
        var kind => throw new FormatException($"{kind} is no kind of a context's value"),
    };

    public static void WriteTime(this BinaryWriter to, DateTimeOffset time)
    {
        to.Write(time.Ticks);
        to.Write((short)time.TotalOffsetMinutes);
    }

    public static DateTimeOffset ReadTime(this BinaryReader from) =>
        new(from.ReadInt64(), TimeSpan.FromMinutes(from.ReadInt16()));

    public static void WriteMaybe<T>(this BinaryWriter to, T? value, Action<BinaryWriter, T> write) where T : struct
    {
        to.Write(value.HasValue);
        if (value is { } there) write(to, there);
    }

    public static T? ReadMaybe<T>(this BinaryReader from, Func<BinaryReader, T> read) where T : struct =>
        from.ReadBoolean() ? read(from) : null;

    public static void WriteList<T>(this BinaryWriter to, IReadOnlyCollection<T> list, Action<BinaryWriter, T> write)
    {
        to.Write7BitEncodedInt(list.Count);
        foreach (var item in list) write(to, item);
    }

    /// <summary>An item takes a byte at least, so a count beyond what is left is damage, and nothing is allocated for it.</summary>
    public static T[] ReadList<T>(this BinaryReader from, Func<BinaryReader, T> read)
    {
        var count = from.Read7BitEncodedInt();
        var left = from.BaseStream.Length - from.BaseStream.Position;
        if (count < 0 || count > left) throw new FormatException($"a list of {count} items in {left} bytes");
        var list = new T[count];
        for (var i = 0; i < count; i++) list[i] = read(from);
        return list;
    }

    /// <summary>An enum's value, which has to be one that this version knows.</summary>
    public static T ReadEnum<T>(this BinaryReader from) where T : struct, Enum
    {
        var value = (T)Enum.ToObject(typeof(T), from.ReadByte());
        return Enum.IsDefined(value) ? value : throw new FormatException($"{value} is no {typeof(T).Name}");
    }

    public static void WriteAddress(this BinaryWriter to, Address address) => to.Write(address.ToString());

    public static Address ReadAddress(this BinaryReader from) => Address.Parse(from.ReadString());

    public static void WriteTrace(this BinaryWriter to, ActivityContext trace)
    {
        to.Write(trace != default);
        if (trace == default) return;
        Span<byte> bytes = stackalloc byte[TraceLength + SpanLength];
        trace.TraceId.CopyTo(bytes[..TraceLength]);
        trace.SpanId.CopyTo(bytes[TraceLength..]);
        to.Write(bytes);
        to.Write((byte)trace.TraceFlags);
    }

    public static ActivityContext ReadTrace(this BinaryReader from)
    {
        if (!from.ReadBoolean()) return default;
        Span<byte> bytes = stackalloc byte[TraceLength + SpanLength];
        from.BaseStream.ReadExactly(bytes);
        return new ActivityContext(ActivityTraceId.CreateFromBytes(bytes[..TraceLength]),
            ActivitySpanId.CreateFromBytes(bytes[TraceLength..]), (ActivityTraceFlags)from.ReadByte(), isRemote: true);
    }
}
