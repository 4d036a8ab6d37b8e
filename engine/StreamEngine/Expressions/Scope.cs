using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>The type of an expression.</summary>
public enum ExprType
{
    /// <summary>True or false.</summary>
    Bool,

    /// <summary>64-bit integer.</summary>
    Int,

    /// <summary>64-bit floating point.</summary>
    Double,

    /// <summary>UTF-8 text.</summary>
    String,

    /// <summary>A point in time of the years 1 to 9999, to 100 nanoseconds.</summary>
    Timestamp,

    /// <summary>A length of time of at most 292 years, to 100 nanoseconds.</summary>
    Duration,

    /// <summary>A list: together with the type of its items, e.g. <c>List | Int</c>.</summary>
    List = 0x10,
}

/// <summary>
/// The names an expression may use: <c>event.*</c> (fields, type, time), <c>features.*</c>, <c>consent.*</c>, and constants such as
/// <c>offer.*</c>, which are folded into the compiled code. What is null or empty here is not in scope, and using it is an error that says
/// so.
/// </summary>
public sealed record Scope
{
    /// <summary>The event's fields; null where there is no event.</summary>
    public FieldCatalog? Event { get; init; }

    /// <summary>
    /// What the event is called in expressions. Under another name than <c>event</c> it is a record of another kind, without
    /// <c>type</c> and <c>time</c>.
    /// </summary>
    public string EventName { get; init; } = "event";

    /// <summary>What <c>item</c> has, where an expression is asked of each item of a list; null elsewhere.</summary>
    public FieldCatalog? Items { get; init; }

    /// <summary>Feature names in vector order; null where features are not in scope.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>The texts among the features.</summary>
    public VectorTexts Texts { get; init; } = VectorTexts.None;

    /// <summary>Purposes in bit order; null where consent is not in scope.</summary>
    public IReadOnlyList<string>? Purposes { get; init; }

    /// <summary>Constants by full name, e.g. <c>offer.price</c>: long, double, bool or string.</summary>
    public IReadOnlyDictionary<string, object> Constants { get; init; } = new Dictionary<string, object>();
}
