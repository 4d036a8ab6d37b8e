using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>The texts of one feature, and their weights where it has some, computed from the column of a window's rows.</summary>
internal readonly record struct TextOutput
{
    /// <summary>The texts of a column.</summary>
    public TextOutput(Column column) => Column = column;

    /// <summary>The column.</summary>
    public Column Column { get; init; }

    /// <summary>The feature's place in the config.</summary>
    public int Feature { get; init; }

    /// <summary>How many texts it ranks; 0 for the single text of a moment.</summary>
    public int Names { get; init; }

    /// <summary>Where the weights begin in the vector; behind the last one stands what all weigh together.</summary>
    public int Weights { get; init; }

    /// <summary>Where the texts begin in the vector, each of <see cref="KeptText.Places"/> places.</summary>
    public int Place { get; init; }

    /// <summary>The weight of a rank that no text has.</summary>
    public double Default { get; init; }

    /// <summary>Reads the texts over some rows into a vector.</summary>
    public void Read(ref byte profile, in RowRange rows, Span<double> vector)
    {
        var texts = vector.Slice(Place, Math.Max(1, Names) * KeptText.Places);
        texts.Clear();
        if (Names == 0)
        {
            if (rows.IsEmpty) return;
            ref var text = ref KeptText.In(texts, 0);
            if (Column.Kind == ColumnKind.FirstText) TextMomentCell<Earliest>.Read(ref profile, Column, rows, ref text);
            else TextMomentCell<Latest>.Read(ref profile, Column, rows, ref text);
            return;
        }
        var weights = vector.Slice(Weights, Names + 1);
        weights.Fill(Default);
        weights[^1] = 0;
        if (rows.IsEmpty) return;
        switch (Column.Kind)
        {
            case ColumnKind.Top8: TopCell<Slots8>.Read(ref profile, Column, rows, texts, weights, Default); break;
            case ColumnKind.Top16: TopCell<Slots16>.Read(ref profile, Column, rows, texts, weights, Default); break;
            case ColumnKind.Top32: TopCell<Slots32>.Read(ref profile, Column, rows, texts, weights, Default); break;
            default: TopCell<Slots64>.Read(ref profile, Column, rows, texts, weights, Default); break;
        }
    }
}
