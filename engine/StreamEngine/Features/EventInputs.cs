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
        if (Field >= 0 && !e.Fields[Field].Present) return false;
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
                ref var whole = ref e.Fields[Field];
                value.Value = whole.Bits / Divisor;
                value.Fixed = whole.Bits;
                return whole.Present && (Divisor == Factor || Scale(e, ref value));
            case OperandKind.DoubleField:
                ref var field = ref e.Fields[Field];
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

    private bool Scale(Event e, ref InputValue value)
    {
        var units = Math.Round(value.Value * Factor);
        value.Fixed = (long)units;
        if (units is < Largest and >= -Largest) return true;
        e.NotAdded++;
        return false;
    }
}

/// <summary>Which events a column takes, and with what value.</summary>
/// <param name="Where">Index of the condition, -1 for all events.</param>
/// <param name="Operand">The value; an event without it doesn't count.</param>
internal readonly record struct EventInput(int Where, Operand Operand);

/// <summary>An input evaluated for one event.</summary>
internal struct InputValue
{
    /// <summary>Whether the event counts.</summary>
    public bool Counts;

    /// <summary>Which of <see cref="Event.Kept"/> the text is, for an operand that is kept.</summary>
    public int Text;

    /// <summary>The operand; of a kept text its weight.</summary>
    public double Value;

    /// <summary>The operand in units of 10^-scale, where a scale is known; or its hash.</summary>
    public long Fixed;
}

/// <summary>
/// Everything that features ask of an event, each asked once: conditions are shared by their text, operands by condition and text.
/// </summary>
internal sealed class EventInputs(BoolExpr[] wheres, EventInput[] inputs)
{
    private readonly BoolExpr[] _wheres = wheres;
    private readonly EventInput[] _inputs = inputs;
    private readonly int _kept = inputs.Select(i => i.Operand.Keep + 1).DefaultIfEmpty().Max();

    /// <summary>How many inputs there are.</summary>
    public int Count => _inputs.Length;

    /// <summary>Evaluates all inputs.</summary>
    /// <param name="e">The event.</param>
    /// <param name="context">Points at the event.</param>
    /// <param name="values">Receives <see cref="Count"/> values; zero-filled.</param>
    public void Evaluate(Event e, EvalContext context, Span<InputValue> values)
    {
        if (e.Kept.Length < _kept) e.Kept = new KeptText[_kept];
        Span<bool> matches = stackalloc bool[_wheres.Length];
        for (var i = 0; i < matches.Length; i++) matches[i] = _wheres[i](context);
        for (var i = 0; i < values.Length; i++)
        {
            ref readonly var input = ref _inputs[i];
            if (input.Where < 0 || matches[input.Where]) values[i].Counts = input.Operand.Read(e, context, ref values[i]);
        }
    }
}
