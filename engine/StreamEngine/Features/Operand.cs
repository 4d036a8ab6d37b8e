using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>How an operand is read from an event.</summary>
internal enum OperandKind
{
    /// <summary>There is none: the event itself counts, as 1.</summary>
    None,

    /// <summary>A field of type double.</summary>
    DoubleField,

    /// <summary>A field whose bits are an integer: int, timestamp, or a decimal in its smallest unit.</summary>
    IntegerField,

    /// <summary>A text, taken as its hash.</summary>
    Text,

    /// <summary>An expression.</summary>
    Expression,
}

/// <summary>An operand of features: a field, or an expression.</summary>
/// <param name="Kind">How it is read.</param>
/// <param name="Field">The field's slot.</param>
/// <param name="Divisor">For an integer field, 10^scale of the field.</param>
/// <param name="Expression">The expression.</param>
/// <param name="Factor">10^scale of fixed-point sums; 0 where sums are in double precision.</param>
internal sealed record Operand(OperandKind Kind, int Field, double Divisor, DoubleExpr? Expression, double Factor)
{
    /// <summary>The text, for an operand that is one; of a plain field, <see cref="Field"/> tells whether the event has it.</summary>
    public StringExpr? Text { get; init; }

    /// <summary>Where the event keeps the text, for cells that show it; -1 where its hash is enough.</summary>
    public int Keep { get; init; } = -1;

    /// <summary>What a text weighs, a number; null for 1.</summary>
    public Operand? Weight { get; init; }

    /// <summary>Whether an empty text counts.</summary>
    public bool TakesEmpty { get; init; } = true;

    /// <summary>Whether the number is taken as its hash.</summary>
    public bool Hashed { get; init; }

    /// <summary>Whether <see cref="Field"/> is one of the item's, not of the event's.</summary>
    public bool IsOfItem { get; init; }

    /// <summary>The most that a text may weigh: sums of it stay finite however far they are scaled.</summary>
    private const double LargestWeight = 1e100;

    /// <summary>2^63: a double of as many units has no place in an integer of 64 bits.</summary>
    private const double Largest = 9_223_372_036_854_775_808.0;

    /// <summary>
    /// Reads the operand; false where the event doesn't have it, it isn't a finite number, or it is to be added and has 2^63 units or more.
    /// An integer field that is taken in its own units always counts.
    /// </summary>
    public bool Read(Event e, EvalContext context, ref InputValue value)
    {
        if (Kind == OperandKind.Text) return ReadText(e, context, ref value);
        if (!ReadNumber(e, context, ref value)) return false;
        // An integer keeps all its digits; of the two zeros of a double, one is taken.
        if (Hashed) value.Fixed = (long)Hash64.Of(Kind == OperandKind.IntegerField ? value.Fixed
            : BitConverter.DoubleToInt64Bits(value.Value + 0.0), 0);
        return true;
    }

    private bool ReadText(Event e, EvalContext context, ref InputValue value)
    {
        if (Field >= 0 && !Cell(e, context).Present) return false;
        var text = Text!(context);
        if (text.IsEmpty && !TakesEmpty) return false;
        value.Fixed = (long)Hash64.Of(text);
        if (Keep < 0) return true;
        // Kept before the weight is computed: an expression's text is valid until the next expression runs.
        e.Kept[Keep].Set(text);
        value.Text = Keep;
        if (Weight is null)
        {
            value.Value = 1;
            return true;
        }
        var hash = value.Fixed;
        if (!Weight.ReadNumber(e, context, ref value) || !(value.Value > 0)) return false;
        value.Fixed = hash;
        if (value.Value <= LargestWeight) return true;
        e.NotAdded++;
        return false;
    }

    private bool ReadNumber(Event e, EvalContext context, ref InputValue value)
    {
        switch (Kind)
        {
            case OperandKind.None:
                value.Value = 1;
                return true;
            case OperandKind.IntegerField:
                ref var whole = ref Cell(e, context);
                value.Value = whole.Bits / Divisor;
                value.Fixed = whole.Bits;
                return whole.Present && (Divisor == Factor || Scale(e, ref value));
            case OperandKind.DoubleField:
                ref var field = ref Cell(e, context);
                value.Value = field.Double;
                if (!field.Present) return false;
                break;
            default:
                value.Value = Expression!(context);
                break;
        }
        if (!double.IsFinite(value.Value)) return false;
        return Factor == 0 || Scale(e, ref value);
    }

    /// <summary>The field of the event, or of the item that the context points at.</summary>
    private ref FieldValue Cell(Event e, EvalContext context) =>
        ref IsOfItem ? ref e.Items.Cells[context.Item + Field] : ref e.Fields[Field];

    private bool Scale(Event e, ref InputValue value)
    {
        var units = Math.Round(value.Value * Factor);
        value.Fixed = (long)units;
        if (units is < Largest and >= -Largest) return true;
        e.NotAdded++;
        return false;
    }
}
