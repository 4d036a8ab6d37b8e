namespace StreamEngine.Events;

/// <summary>A declared field of the events: its name in expressions (<c>event.NAME</c>) and its type.</summary>
/// <param name="Index">The slot in <see cref="Event.Fields"/>.</param>
/// <param name="Name">The name in expressions.</param>
/// <param name="Type">The declared type.</param>
/// <param name="Scale">Digits after the point, for <see cref="FieldType.Decimal"/>.</param>
public sealed record Field(int Index, string Name, FieldType Type, int Scale = 0)
{
    /// <summary>What one unscaled unit is worth: 10^-Scale.</summary>
    public double Unit { get; } = Math.Pow(10, -Scale);

    /// <summary>
    /// What an item of a <see cref="FieldType.List"/> has: its fields, or one field without a name where items are single values. Null for
    /// a field that is no list.
    /// </summary>
    public FieldCatalog? Items { get; init; }

    /// <summary>Whether it is a list of records.</summary>
    public bool IsRecords => Items is { IsSingle: false };
}

/// <summary>
/// All declared fields over all event sources; sources that declare the same name share the field and must agree on its type.
/// </summary>
public sealed class FieldCatalog(IReadOnlyList<Field> fields)
{
    private readonly Dictionary<string, Field> _byName = fields.ToDictionary(f => f.Name);

    /// <summary>
    /// Names that are declared, but with a type that can't be used: that was told, and an expression over them is no mistake of its own.
    /// </summary>
    public IReadOnlySet<string> Unusable { get; init; } = new HashSet<string>();

    /// <summary>How many tables there are from which fields can be looked up.</summary>
    internal int Tables { get; init; }

    /// <summary>The fields in slot order.</summary>
    public IReadOnlyList<Field> Fields { get; } = fields;

    /// <summary>Whether these are the items of a list of single values.</summary>
    public bool IsSingle => Fields is [{ Name: "" }];

    /// <summary>How many slots an event has.</summary>
    public int Count => Fields.Count;

    /// <summary>The field of that name, or null.</summary>
    public Field? Find(string name) => _byName.GetValueOrDefault(name);
}
