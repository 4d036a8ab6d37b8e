using System.Reflection;

namespace StreamEngine.Configuration;

/// <summary>What kind of value a C# type takes in the config.</summary>
internal enum ShapeKind
{
    /// <summary>A scalar: text, number, boolean, enum, duration, size or time.</summary>
    Scalar,

    /// <summary>A list.</summary>
    List,

    /// <summary>A list of records written as a mapping.</summary>
    Keyed,

    /// <summary>A mapping of names to texts.</summary>
    Texts,

    /// <summary>One text, or a list of them.</summary>
    OneOrMore,

    /// <summary>One text, or a mapping of names to texts.</summary>
    OneOrNamed,

    /// <summary>A record of options.</summary>
    Record,
}

/// <summary>The shape of one option: read once from a record's property, used by the binder, the overrides and the schema alike.</summary>
internal sealed record OptionShape(ShapeKind Kind, Type Type, PropertyInfo? Property = null)
{
    /// <summary>The name in the config.</summary>
    public string Name => Spelling.Snake(Property!.Name);

    /// <summary>What it means.</summary>
    public string? Doc => Property?.GetCustomAttribute<DocAttribute>()?.Text;

    /// <summary>The bounds of its value.</summary>
    public BoundsAttribute? Bounds => Property?.GetCustomAttribute<BoundsAttribute>();

    /// <summary>Whether its number may be <c>.nan</c>.</summary>
    public bool MayBeMissing => Property?.IsDefined(typeof(MayBeMissingAttribute)) == true;

    /// <summary>The property that a bare scalar sets, for a record that has a shorthand.</summary>
    public PropertyInfo? Shorthand => Type.GetCustomAttribute<ShorthandAttribute>() is { } s ? Type.GetProperty(s.Property) : null;

    /// <summary>Whether a bare list is the shorthand too.</summary>
    public bool TakesList => Shorthand?.PropertyType == typeof(OneOrMore);

    /// <summary>The shape of a list's items.</summary>
    public OptionShape Item => Of(Type.GetGenericArguments()[0]);

    /// <summary>The shape of a property.</summary>
    public static OptionShape Of(PropertyInfo property)
    {
        var shape = Of(property.PropertyType);
        var keyed = property.IsDefined(typeof(KeyedAttribute));
        return shape with { Property = property, Kind = keyed ? ShapeKind.Keyed : shape.Kind };
    }

    /// <summary>The shape of a type.</summary>
    public static OptionShape Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var kind = ShapeKind.Scalar;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)) kind = ShapeKind.List;
        else if (type == typeof(IReadOnlyDictionary<string, string>)) kind = ShapeKind.Texts;
        else if (type == typeof(OneOrMore)) kind = ShapeKind.OneOrMore;
        else if (type == typeof(OneOrNamed)) kind = ShapeKind.OneOrNamed;
        else if (typeof(ILocated).IsAssignableFrom(type)) kind = ShapeKind.Record;
        return new OptionShape(kind, type);
    }

    /// <summary>
    /// A record's options in their declared order, those of the record it derives from first; without <c>name</c> where that is the
    /// entry's key.
    /// </summary>
    public static IReadOnlyList<OptionShape> Members(Type record, bool keyed) =>
        [.. record.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && p.Name != nameof(ILocated.Node) && !(keyed && p.Name == "Name"))
            .OrderBy(p => p.DeclaringType == record)
            .Select(Of)];
}
