using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Runs a projection's steps over one record. No step throws, allocates or reads outside the record: each checks its bounds and a fault
/// ends the run. Immutable; any thread may run it.
/// </summary>
internal sealed class ProjectionProgram(Step[] steps, Purposes purposes, string? unresolved)
{
    /// <summary>Why the writer's schema can't be read as the reader's; null where it can.</summary>
    public string? Unresolved { get; } = unresolved;

    /// <summary>The steps, for tests.</summary>
    internal ReadOnlySpan<Step> Steps => steps;

    /// <summary>
    /// Reads the value at <paramref name="at"/>; returns the place behind it, or -1 where the bytes end early or can't be right.
    /// </summary>
    public int Run(byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults) =>
        Run(0, data, at, end, target, hidden, ref faults);

    [SkipLocalsInit]
    private int Run(int pc, byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults)
    {
        var mark = at;
        var n = 0L;
        while (true)
        {
            ref readonly var step = ref steps[pc++];
            switch (step.Op)
            {
                case Op.End:
                    return at;
                case Op.SkipNumbers:
                    for (var i = step.A; i > 0; i--)
                    {
                        at = Varint.Read(data, at, end, out n);
                        if (at < 0) return -1;
                    }
                    break;
                case Op.SkipTexts:
                    for (var i = step.A; i > 0; i--)
                    {
                        at = Varint.Read(data, at, end, out n);
                        if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
                        at += (int)n;
                    }
                    break;
                case Op.SkipBytes:
                    if (step.A > end - at) return -1;
                    at += step.A;
                    break;
                case Op.Skip:
                    n = Unsafe.As<AvroSkipper>(step.Data!).Length(data.AsSpan(at, end - at));
                    if (n < 0) return -1;
                    at += (int)n;
                    break;
                case Op.Union:
                    var table = Unsafe.As<int[]>(step.Data!);
                    at = Varint.Read(data, at, end, out n);
                    if (at < 0 || (ulong)n >= (ulong)table.Length) return -1;
                    pc = table[n];
                    break;
                case Op.Jump:
                    pc = step.A;
                    break;
                case Op.Mark:
                    mark = at;
                    break;
                case Op.Rewind:
                    at = mark;
                    break;
                case Op.Text:
                    at = Varint.Read(data, at, end, out n);
                    if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
                    if (!Utf8Text.IsValid(data.AsSpan(at, (int)n)))
                    {
                        faults |= Faults.BadUtf8;
                        target.Note(FaultKind.Utf8, step.A, null, 0, data, at, (int)n);
                    }
                    else hidden.Slot(target, step.A).Set(data, at, (int)n);
                    at += (int)n;
                    break;
                case Op.Enum:
                    var symbols = Unsafe.As<EnumSource>(step.Data!).Symbols;
                    at = Varint.Read(data, at, end, out n);
                    if (at < 0 || (ulong)n >= (ulong)symbols.Length) return -1;
                    if (symbols[n] is { } symbol) hidden.Slot(target, step.A).Set(symbol, 0, symbol.Length);
                    else faults |= Misfit(target, FaultKind.Structure, step.A, n);
                    break;
                case Op.Long:
                    at = Varint.Read(data, at, end, out n);
                    if (at < 0) return -1;
                    hidden.Slot(target, step.A).Set(n);
                    break;
                case Op.Millis:
                    at = Varint.Read(data, at, end, out n);
                    if (at < 0) return -1;
                    if (TimeText.InRange(n)) hidden.Slot(target, step.A).Set(n);
                    else faults |= Misfit(target, FaultKind.Integer, step.A, n);
                    break;
                case Op.Double:
                    if (end - at < 8) return -1;
                    var number = BinaryPrimitives.ReadDoubleLittleEndian(data.AsSpan(at, 8));
                    if (double.IsFinite(number)) hidden.Slot(target, step.A).Set(number);
                    else faults |= Misfit(target, FaultKind.Floating, step.A, BitConverter.DoubleToInt64Bits(number));
                    at += 8;
                    break;
                case Op.Convert:
                    at = ScalarReader.Read(Unsafe.As<ScalarSource>(step.Data!), data, at, end, target, hidden, ref faults);
                    if (at < 0) return -1;
                    break;
                case Op.Consent:
                    at = ConsentReader.Read(Unsafe.As<ConsentSource>(step.Data!), purposes, data, at, end, target);
                    if (at < 0) return -1;
                    break;
                case Op.Flag:
                    at = ConsentReader.ReadFlag(Unsafe.As<FlagSource>(step.Data!), data, at, end, target);
                    if (at < 0) return -1;
                    break;
                case Op.Items:
                    at = Items(Unsafe.As<ItemSource>(step.Data!), data, at, end, target, hidden, ref faults);
                    if (at < 0) return -1;
                    break;
                case Op.List:
                    at = List(Unsafe.As<ListSource>(step.Data!), data, at, end, target, hidden, ref faults);
                    if (at < 0) return -1;
                    break;
                case Op.Entries:
                    at = Entries(Unsafe.As<EntrySource>(step.Data!), data, at, end, target, hidden, ref faults);
                    if (at < 0) return -1;
                    break;
                case Op.Default:
                    var constant = Unsafe.As<byte[]>(step.Data!);
                    if (Run(step.A, constant, 0, constant.Length, target, hidden, ref faults) < 0) return -1;
                    break;
                case Op.Fault:
                    faults |= (Faults)step.A;
                    target.Note(FaultKind.Structure, int.MinValue, Unsafe.As<string>(step.Data));
                    break;
            }
        }
    }

    private static Faults Misfit(Event target, FaultKind kind, int slot, long number)
    {
        target.Note(kind, slot, null, number);
        return Faults.WrongType;
    }

    /// <summary>
    /// Goes over an array's items, reading the wanted ones; items behind the last wanted one are skipped block-wise where their size is
    /// known.
    /// </summary>
    private int Items(ItemSource source, byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults)
    {
        for (var index = 0L; ;)
        {
            at = Blocks.Head(data, at, end, out var count);
            if (at < 0 || count == 0) return at;
            for (; count > 0; count--, index++)
            {
                var wanted = Array.IndexOf(source.Indexes, (int)Math.Min(index, int.MaxValue));
                // Items of no size could be claimed without end: behind the small indexes that can be declared, they need no going over.
                if (wanted < 0 && source.Skipper.FixedSize == 0 && index > 1 << 16) break;
                if (wanted >= 0)
                {
                    at = Run(source.Programs[wanted], data, at, end, target, hidden, ref faults);
                }
                else
                {
                    var length = source.Skipper.Length(data.AsSpan(at, end - at));
                    at = length < 0 ? -1 : at + length;
                }
                if (at < 0) return -1;
            }
        }
    }

    /// <summary>Reads all of an array's items into a list. A null is no item; what is beyond the most items is passed over.</summary>
    private int List(ListSource source, byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults)
    {
        var (list, start, taken) = (source.List, target.Items.Used, 0);
        while (true)
        {
            at = Blocks.Head(data, at, end, out var count);
            if (at < 0) return -1;
            if (count == 0) break;
            for (; count > 0; count--)
            {
                if (source.Null >= 0 && Varint.Read(data, at, end, out var branch) is var behind and >= 0 && branch == source.Null)
                {
                    at = behind;
                    continue;
                }
                if (taken == list.Max)
                {
                    faults |= list.TooMany(target, source.Path);
                    // Items of no size could be claimed without end.
                    if (source.Skipper.FixedSize == 0) break;
                    var length = source.Skipper.Length(data.AsSpan(at, end - at));
                    if (length < 0) return -1;
                    at += length;
                    continue;
                }
                var row = list.Begin(target, hidden);
                at = Run(source.Program, data, at, end, target, hidden, ref faults);
                if (at < 0) return -1;
                taken += list.End(target, row);
            }
        }
        target.Fields[list.Slot].SetList(start, taken);
        return at;
    }

    private int Entries(EntrySource source, byte[] data, int at, int end, Event target, HiddenValues hidden, ref Faults faults)
    {
        while (true)
        {
            at = Blocks.Head(data, at, end, out var count);
            if (at < 0 || count == 0) return at;
            for (; count > 0; count--)
            {
                at = Varint.Read(data, at, end, out var n);
                if (at < 0 || (ulong)n > (ulong)(end - at)) return -1;
                var key = data.AsSpan(at, (int)n);
                at += (int)n;
                var wanted = source.Keys.Length - 1;
                while (wanted >= 0 && !key.SequenceEqual(source.Keys[wanted])) wanted--;
                if (wanted >= 0)
                {
                    at = Run(source.Programs[wanted], data, at, end, target, hidden, ref faults);
                }
                else
                {
                    var length = source.Skipper.Length(data.AsSpan(at, end - at));
                    at = length < 0 ? -1 : at + length;
                }
                if (at < 0) return -1;
            }
        }
    }
}
