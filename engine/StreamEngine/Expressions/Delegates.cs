using StreamEngine.Events;

namespace StreamEngine.Expressions;

/// <summary>A compiled expression of type bool.</summary>
public delegate bool BoolExpr(EvalContext context);

/// <summary>A compiled expression of type double (an int expression is widened).</summary>
public delegate double DoubleExpr(EvalContext context);

/// <summary>A compiled expression of type string: UTF-8 text, valid until the thread's next expression runs.</summary>
public delegate ReadOnlySpan<byte> StringExpr(EvalContext context);

/// <summary>A compiled expression of type int.</summary>
internal delegate long IntExpr(EvalContext context);

/// <summary>A compiled expression of type timestamp, in UTC.</summary>
internal delegate DateTime TimestampExpr(EvalContext context);

/// <summary>A compiled expression of type duration.</summary>
internal delegate TimeSpan DurationExpr(EvalContext context);

/// <summary>A compiled expression of a list's type: valid until the thread's next expression runs.</summary>
internal delegate ListValue ListExpr(EvalContext context);

/// <summary>A compiled expression of any type, as an item of a list.</summary>
internal delegate FieldValue ItemExpr(EvalContext context);
