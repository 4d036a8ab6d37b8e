namespace StreamEngine.Expressions;

/// <summary>A compiled expression of type bool.</summary>
public delegate bool BoolExpr(EvalContext context);

/// <summary>A compiled expression of type double (an int expression is widened).</summary>
public delegate double DoubleExpr(EvalContext context);

/// <summary>A compiled expression of type string: UTF-8 text, valid as long as the batch.</summary>
public delegate ReadOnlySpan<byte> StringExpr(EvalContext context);
