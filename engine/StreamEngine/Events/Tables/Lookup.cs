namespace StreamEngine.Events.Tables;

/// <summary>
/// One look into a table for each event, or for each item of one of its lists: the row of a key, and the fields that take their values from
/// it. Immutable; any thread may run it.
/// </summary>
internal sealed class Lookup
{
    private readonly LookupTable? _file;
    private readonly int _table, _list, _width, _key;
    private readonly LookedUp[] _fields;

    /// <param name="file">The table's rows; null where they are those of a topic, which the event brings along.</param>
    /// <param name="table">The table's place in the config.</param>
    /// <param name="list">The list whose items it is for; -1 where it is for the event.</param>
    /// <param name="width">Cells of an item.</param>
    /// <param name="key">The field of the event, or of an item, that has the key.</param>
    /// <param name="fields">What takes values.</param>
    public Lookup(LookupTable? file, int table, int list, int width, int key, IEnumerable<LookedUp> fields) =>
        (_file, _table, _list, _width, _key, _fields) = (file, table, list, width, key, [.. fields]);

    /// <summary>Looks up for an event that was decoded.</summary>
    public void Apply(Event e)
    {
        if (_list < 0)
        {
            Fill(e.Fields, 0, e.LookupsMissed, e.Tables);
            return;
        }
        ref readonly var list = ref e.Fields[_list];
        for (var item = 0; item < list.Length; item++) Fill(e.Items.Cells, list.Start + item * _width, e.LookupsMissed, e.Tables);
    }

    /// <summary>Looks up for fields that stand for an event's and were set without a record; what they have already stays.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="tables">The topics' rows.</param>
    /// <param name="defaults">Whether a field for which the table has no value takes its default.</param>
    public void Complete(FieldValue[] fields, TableViews tables, bool defaults)
    {
        if (_list < 0) Fill(fields, 0, [], tables, defaults);
    }

    private void Fill(FieldValue[] values, int first, int[] missed, TableViews tables, bool defaults = true)
    {
        ref readonly var key = ref values[first + _key];
        if (!key.Present) return;
        var view = _file is null ? tables[_table] : null;
        var row = _file?.Find(key) ?? view?.Find(key) ?? -1;
        if (row < 0 && missed.Length > 0) missed[_table]++;
        foreach (ref readonly var field in _fields.AsSpan())
        {
            ref var to = ref values[first + field.Slot];
            if (to.Present) continue;
            var found = row >= 0 && (_file?.TryGet(row, field.Column, ref to) ?? view!.TryGet(row, field.Column, ref to));
            if (!found && defaults) to = field.Default;
        }
    }
}

/// <summary>A field that takes its value from a table.</summary>
/// <param name="Slot">The field of the event, or of an item.</param>
/// <param name="Column">The table's field.</param>
/// <param name="Default">What it is where the table has no value; absent where nothing is declared.</param>
internal readonly record struct LookedUp(int Slot, int Column, FieldValue Default);
