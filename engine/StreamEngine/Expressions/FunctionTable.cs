using System.Collections.Frozen;
using System.Reflection;
using System.Text.RegularExpressions;
using StreamEngine.Expressions.Functions;

namespace StreamEngine.Expressions;

/// <summary>One form of a function: what it takes and gives, and the method that computes it.</summary>
internal sealed record Overload(string Name, bool IsMethod, MethodInfo Code, ExprType Result, ExprType[] Parameters)
{
    /// <summary>Whether a parameter is compiled when the config is read, and therefore must be a constant text.</summary>
    public bool IsPattern(int parameter) => Code.GetParameters()[parameter].ParameterType == typeof(Regex);

    /// <summary>Whether a parameter names a time zone, which is looked up when the config is read.</summary>
    public bool IsZone(int parameter) => Code.GetParameters()[parameter].ParameterType == typeof(TimeZoneInfo);
}

/// <summary>All functions of expressions, found by their <see cref="CelAttribute"/>.</summary>
internal static class FunctionTable
{
    private static readonly FrozenDictionary<(string Name, bool IsMethod), Overload[]> All =
        new[] { typeof(TextFunctions), typeof(ConversionFunctions), typeof(TimeFunctions), typeof(ListFunctions), typeof(MathFunctions) }
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static))
            .SelectMany(m => m.GetCustomAttributes<CelAttribute>().Select(a => new Overload(a.Name, a.IsMethod, m,
                ExprTypes.Of(m.ReturnType, a.Elements), [.. m.GetParameters().Select(p => ExprTypes.Of(p.ParameterType, a.Elements))])))
            .GroupBy(o => (o.Name, o.IsMethod)).ToFrozenDictionary(g => g.Key, g => g.ToArray());

    /// <summary>The namespaces of functions, e.g. <c>math</c>.</summary>
    public static FrozenSet<string> Namespaces { get; } =
        All.Keys.Where(k => k.Name.Contains('.')).Select(k => k.Name[..k.Name.IndexOf('.')]).ToFrozenSet();

    /// <summary>The forms of a function; none where there is no such function.</summary>
    public static Overload[] Find(string name, bool isMethod) => All.GetValueOrDefault((name, isMethod)) ?? [];

    /// <summary>The names of all functions, or of all methods.</summary>
    public static IEnumerable<string> Names(bool methods) => All.Keys.Where(k => k.IsMethod == methods).Select(k => k.Name).Order();
}
