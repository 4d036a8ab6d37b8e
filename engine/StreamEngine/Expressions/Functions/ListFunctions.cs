using StreamEngine.Events;

namespace StreamEngine.Expressions.Functions;

/// <summary>Lists: their literals, operators and macros.</summary>
internal static class ListFunctions
{
    [Cel("size"), Cel("size", IsMethod = true)]
    public static long Size(ListValue list) => list.Count;

    [Cel("math.greatest", Elements = ExprType.Int)]
    public static long GreatestInt(ListValue list)
    {
        var best = Any(list) ? list.Cells[0].Bits : 0;
        foreach (ref var cell in list.Cells) best = Math.Max(best, cell.Bits);
        return best;
    }

    [Cel("math.greatest", Elements = ExprType.Double)]
    public static double GreatestDouble(ListValue list)
    {
        var best = Any(list) ? list.Cells[0].Double : 0;
        foreach (ref var cell in list.Cells) best = Math.Max(best, cell.Double);
        return best;
    }

    [Cel("math.least", Elements = ExprType.Int)]
    public static long LeastInt(ListValue list)
    {
        var best = Any(list) ? list.Cells[0].Bits : 0;
        foreach (ref var cell in list.Cells) best = Math.Min(best, cell.Bits);
        return best;
    }

    [Cel("math.least", Elements = ExprType.Double)]
    public static double LeastDouble(ListValue list)
    {
        var best = Any(list) ? list.Cells[0].Double : 0;
        foreach (ref var cell in list.Cells) best = Math.Min(best, cell.Double);
        return best;
    }

    /// <summary>The items of a field of the event.</summary>
    public static ListValue ItemsOf(in FieldValue list, ItemCells items) => new(items.Cells, list.Start, list.Length);

    /// <summary>The items of a field of the event that are decimals, as doubles.</summary>
    public static ListValue DecimalsOf(in FieldValue list, ItemCells items, double divisor)
    {
        var result = Scratch.List(list.Length);
        for (var i = 0; i < list.Length; i++) result.Cells[i].Set(items.Cells[list.Start + i].Bits / divisor);
        return result;
    }

    /// <summary>A literal: room for its items, which <see cref="With"/> fills in.</summary>
    public static ListValue Start(int count) => Scratch.List(count);

    public static ListValue With(ListValue list, int index, FieldValue item)
    {
        list.Cells[index] = item;
        return list;
    }

    public static FieldValue Item(bool value) => Item(value ? 1 : 0);

    public static FieldValue Item(long value)
    {
        FieldValue item = default;
        item.Set(value);
        return item;
    }

    public static FieldValue Item(double value)
    {
        FieldValue item = default;
        item.Set(value);
        return item;
    }

    public static FieldValue Item(ReadOnlySpan<byte> value) => Scratch.Copy(value);

    public static FieldValue Item(DateTime value) => Item(value.Ticks);

    public static FieldValue Item(TimeSpan value) => Item(value.Ticks);

    /// <summary>An item; a cell of zeros where the index is out of range.</summary>
    public static FieldValue At(ListValue list, long index)
    {
        if ((ulong)index < (ulong)list.Count) return list.Cells[(int)index];
        ExprFault.Raise("the index is out of range");
        return default;
    }

    public static bool AsBool(FieldValue item) => item.Bits != 0;

    public static long AsInt(FieldValue item) => item.Bits;

    public static double AsDouble(FieldValue item) => item.Double;

    public static ReadOnlySpan<byte> AsString(FieldValue item) => item.Text;

    /// <summary>The zero of a timestamp is 1970-01-01.</summary>
    public static DateTime AsTimestamp(FieldValue item) => item.Present ? new DateTime(item.Bits, DateTimeKind.Utc) : DateTime.UnixEpoch;

    public static TimeSpan AsDuration(FieldValue item) => new(item.Bits);

    public static ListValue Concat(ListValue a, ListValue b)
    {
        var both = Scratch.List(a.Count + b.Count);
        a.Cells.CopyTo(both.Cells);
        b.Cells.CopyTo(both.Cells[a.Count..]);
        return both;
    }

    public static bool Same(ListValue a, ListValue b, bool doubles)
    {
        if (a.Count != b.Count) return false;
        for (var i = 0; i < a.Count; i++)
            if (!Same(a.Cells[i], b.Cells[i], doubles)) return false;
        return true;
    }

    public static bool In(FieldValue item, ListValue list, bool doubles)
    {
        foreach (ref var cell in list.Cells)
            if (Same(item, cell, doubles)) return true;
        return false;
    }

    public static bool Exists(ListValue list, EvalContext context, int variable, BoolExpr test)
    {
        for (var i = 0; i < list.Count; i++)
            if (Test(list, i, context, variable, test)) return true;
        return false;
    }

    public static bool All(ListValue list, EvalContext context, int variable, BoolExpr test)
    {
        for (var i = 0; i < list.Count; i++)
            if (!Test(list, i, context, variable, test)) return false;
        return true;
    }

    public static bool ExistsOne(ListValue list, EvalContext context, int variable, BoolExpr test)
    {
        var count = 0;
        for (var i = 0; i < list.Count; i++)
            if (Test(list, i, context, variable, test)) count++;
        return count == 1;
    }

    public static ListValue Filter(ListValue list, EvalContext context, int variable, BoolExpr test)
    {
        var (kept, count) = (Scratch.List(list.Count), 0);
        for (var i = 0; i < list.Count; i++)
            if (Test(list, i, context, variable, test)) kept.Cells[count++] = list.Cells[i];
        return kept.First(count);
    }

    public static ListValue Map(ListValue list, EvalContext context, int variable, ItemExpr item)
    {
        var made = Scratch.List(list.Count);
        for (var i = 0; i < list.Count; i++)
        {
            context.Variables[variable] = list.Cells[i];
            made.Cells[i] = item(context);
        }
        return made;
    }

    private static bool Test(ListValue list, int index, EvalContext context, int variable, BoolExpr test)
    {
        context.Variables[variable] = list.Cells[index];
        return test(context);
    }

    private static bool Same(in FieldValue a, in FieldValue b, bool doubles) =>
        doubles ? a.Double == b.Double : a.Bits == b.Bits && a.Text.SequenceEqual(b.Text);

    private static bool Any(ListValue list)
    {
        if (list.Count > 0) return true;
        ExprFault.Raise("the list is empty");
        return false;
    }
}
