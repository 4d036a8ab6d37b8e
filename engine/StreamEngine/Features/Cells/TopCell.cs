using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// The strongest texts and what they weigh, in a fixed number of slots (Space-Saving: Metwally, Agrawal, El Abbadi, "Efficient computation
/// of frequent and top-k elements in data streams", 2005). A weight counts half as much after each half-life (the column's setting, ms; 0
/// for none).
/// </summary>
/// <remarks>
/// Weights are kept as of the beginning of an era of 64 half-lives, scaled forward: a weight of time t is multiplied by
/// 2^((t - era) / half-life). So time changes neither a kept weight nor the order of two, and the step to a later era divides all by a
/// power of two, which rounds nothing.
/// </remarks>
/// <typeparam name="TSlots">Room for the slots, a multiple of <see cref="TopSlots.Width"/> bytes.</typeparam>
internal struct TopCell<TSlots> : ICell<TopCell<TSlots>> where TSlots : unmanaged
{
    private TopHeader _header;
    private TSlots _slots;

    [UnscopedRef]
    private TopSlots Slots => new(ref _header, MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref _slots, 1)));

    public static void Clear(Span<TopCell<TSlots>> cells) => cells.Clear();

    public static void Add(ref TopCell<TSlots> cell, in Column column, in InputValue input, Event e)
    {
        if (cell.Slots.Add((ulong)input.Fixed, in e.Kept[input.Text], input.Value, e.Time, column.Setting)) e.NamesEvicted++;
    }

    public static void Merge(ref TopCell<TSlots> cell, in Column column, in TopCell<TSlots> other)
    {
        if (cell._header.Count == 0) cell = other;
        else if (other._header.Count > 0) cell.Slots.Merge(Unsafe.AsRef(in other).Slots);
    }

    /// <summary>What all events weigh.</summary>
    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows)
    {
        var all = column.Fold<TopCell<TSlots>>(ref profile, rows);
        return all._header.Count == 0 ? double.NaN : all.Slots.Read(rows.Now, column.Setting, default, default, 0);
    }

    /// <summary>Reads the strongest texts.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="column">The column.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="texts">Receives the texts, the strongest first, each in <see cref="KeptText.Places"/> places; cleared.</param>
    /// <param name="weights">Receives what they weigh, the default where there are fewer, and behind them what all events weigh.</param>
    /// <param name="missing">The weight where there is no text.</param>
    public static void Read(ref byte profile, in Column column, in RowRange rows, Span<double> texts, Span<double> weights, double missing)
    {
        if (rows.IsOne) weights[^1] = column.Cell<TopCell<TSlots>>(ref profile, rows.Start).Slots
            .Read(rows.Now, column.Setting, texts, weights[..^1], missing);
        else
        {
            var all = column.Fold<TopCell<TSlots>>(ref profile, rows);
            weights[^1] = all.Slots.Read(rows.Now, column.Setting, texts, weights[..^1], missing);
        }
    }
}

/// <summary>What stands before the slots.</summary>
internal struct TopHeader
{
    /// <summary>The number of the era that weights are as of, in eras since 1970.</summary>
    public long Era;

    /// <summary>How many slots are taken.</summary>
    public long Count;
}

/// <summary>Room for 8 texts.</summary>
[InlineArray(8 * TopSlots.Width / sizeof(ulong))]
internal struct Slots8
{
    private ulong _first;
}

/// <summary>Room for 16 texts.</summary>
[InlineArray(16 * TopSlots.Width / sizeof(ulong))]
internal struct Slots16
{
    private ulong _first;
}

/// <summary>Room for 32 texts.</summary>
[InlineArray(32 * TopSlots.Width / sizeof(ulong))]
internal struct Slots32
{
    private ulong _first;
}

/// <summary>Room for 64 texts.</summary>
[InlineArray(64 * TopSlots.Width / sizeof(ulong))]
internal struct Slots64
{
    private ulong _first;
}
