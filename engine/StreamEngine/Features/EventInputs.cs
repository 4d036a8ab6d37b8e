using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Features;

/// <summary>Which events a column takes, and with what value.</summary>
/// <param name="Where">Index of the condition, -1 for all events.</param>
/// <param name="Operand">The value; an event without it doesn't count.</param>
/// <param name="Part">0 for events; of items, the number of their list, from 1.</param>
internal readonly record struct EventInput(int Where, Operand Operand, int Part = 0);

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

/// <summary>A list that features go over.</summary>
/// <param name="Field">The event's field.</param>
/// <param name="Width">Cells of an item.</param>
internal readonly record struct ItemList(int Field, int Width);

/// <summary>
/// Everything that features ask of an event and of the items of its lists, each asked once: conditions are shared by their text, operands
/// by condition and text.
/// </summary>
internal sealed class EventInputs
{
    private readonly (BoolExpr[] Wheres, (int Input, EventInput Of)[] Inputs)[] _parts;
    private readonly int _kept;
    private readonly EventInput[] _inputs;

    /// <summary>Binds the collected inputs.</summary>
    /// <param name="wheres">
    /// The conditions, each with the part that it is asked in; <see cref="EventInput.Where"/> counts all of them.
    /// </param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="lists">The lists, from part 1 on.</param>
    public EventInputs(IReadOnlyList<(BoolExpr Where, int Part)> wheres, EventInput[] inputs, ItemList[] lists)
    {
        (_inputs, Lists) = (inputs, lists);
        _kept = inputs.Select(i => i.Operand.Keep + 1).DefaultIfEmpty().Max();
        _parts = new (BoolExpr[], (int, EventInput)[])[lists.Length + 1];
        for (var part = 0; part < _parts.Length; part++)
        {
            var asked = Enumerable.Range(0, wheres.Count).Where(w => wheres[w].Part == part).ToList();
            _parts[part] = ([.. asked.Select(w => wheres[w].Where)],
                [.. inputs.Select((input, i) => (i, input with { Where = asked.IndexOf(input.Where) })).Where(i => i.Item2.Part == part)]);
        }
    }

    /// <summary>How many inputs there are.</summary>
    public int Count => _inputs.Length;

    /// <summary>The lists that features go over; that of part n is at n - 1.</summary>
    public ItemList[] Lists { get; }

    /// <summary>A window's columns by what they take: those of events, then those of the items of each list.</summary>
    public Column[][] Split(IReadOnlyList<Column> columns) =>
        [.. Enumerable.Range(0, _parts.Length).Select(part => columns.Where(c => _inputs[c.Input].Part == part).ToArray())];

    /// <summary>Evaluates all inputs of one part.</summary>
    /// <param name="part">0 for the event; else the item that the context points at, of that part's list.</param>
    /// <param name="e">The event.</param>
    /// <param name="context">Points at the event.</param>
    /// <param name="values">Room for <see cref="Count"/> values, of which those of the part are set.</param>
    public void Evaluate(int part, Event e, EvalContext context, Span<InputValue> values)
    {
        if (e.Kept.Length < _kept) e.Kept = new KeptText[_kept];
        var (wheres, inputs) = _parts[part];
        Span<bool> matches = stackalloc bool[wheres.Length];
        for (var i = 0; i < matches.Length; i++) matches[i] = wheres[i](context);
        foreach (ref readonly var input in inputs.AsSpan())
        {
            ref var value = ref values[input.Input];
            value.Counts = (input.Of.Where < 0 || matches[input.Of.Where]) && input.Of.Operand.Read(e, context, ref value);
        }
    }
}
