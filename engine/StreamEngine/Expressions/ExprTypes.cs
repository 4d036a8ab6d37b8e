namespace StreamEngine.Expressions;

/// <summary>What the compiler asks of a type.</summary>
internal static class ExprTypes
{
    /// <summary>The type of <c>[]</c>, which is a list of anything.</summary>
    public const ExprType EmptyList = ExprType.List | (ExprType)0xF;

    public static bool IsList(this ExprType type) => (type & ExprType.List) != 0;

    public static ExprType Element(this ExprType list) => list & ~ExprType.List;

    /// <summary>Whether a value of this type may stand where that type is asked for.</summary>
    public static bool Fits(this ExprType type, ExprType asked) =>
        type == asked || asked.IsList() && type.IsList() && (type == EmptyList || asked == ExprType.List);

    public static string Name(this ExprType type) => type switch
    {
        ExprType.Bool => "bool",
        ExprType.Int => "int",
        ExprType.Double => "double",
        ExprType.String => "string",
        ExprType.Timestamp => "timestamp",
        ExprType.Duration => "duration",
        ExprType.List or EmptyList => "list",
        _ => $"list({type.Element().Name()})",
    };

    /// <summary>The type of a parameter or result of a method that expressions call.</summary>
    public static ExprType Of(Type type, ExprType elements) =>
        type == typeof(bool) ? ExprType.Bool
        : type == typeof(long) ? ExprType.Int
        : type == typeof(double) ? ExprType.Double
        : type == typeof(DateTime) ? ExprType.Timestamp
        : type == typeof(TimeSpan) ? ExprType.Duration
        : type == typeof(ListValue) ? ExprType.List | elements
        : ExprType.String;
}
