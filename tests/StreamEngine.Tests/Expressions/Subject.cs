using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>The scope and the context that the expression tests share.</summary>
internal static class Subject
{
    public static readonly FieldCatalog Catalog = new([
        new(0, "placement", FieldType.String),
        new(1, "value", FieldType.Decimal, 2),
        new(2, "quantity", FieldType.Int),
        new(3, "score", FieldType.Double),
        new(4, "returning", FieldType.Bool),
        new(5, "seen", FieldType.Timestamp),
        new(6, "coupon", FieldType.String),
        new(7, "discount", FieldType.Decimal, 2),
        new(8, "stock", FieldType.Int),
        new(9, "gift", FieldType.Bool),
        new(10, "name", FieldType.String),
    ]);

    public static readonly Scope Scope = new()
    {
        Event = Catalog,
        Features = ["views_1h", "revenue_24h", "zero", "nan"],
        Purposes = ["analytics", "ads"],
        Constants = new Dictionary<string, object>
        {
            ["offer.price"] = 20L,
            ["offer.margin"] = 0.25,
            ["offer.brand"] = "acme",
            ["offer.new"] = true
        },
    };

    /// <summary>A purchase in the cart; coupon, discount, stock and gift are absent.</summary>
    public static EvalContext Context()
    {
        var fields = new FieldValue[Catalog.Count];
        Set(ref fields[0], "cart");
        fields[1].Set(1999);
        fields[2].Set(3);
        fields[3].Set(0.75);
        fields[4].Set(1);
        fields[5].Set(1_700_000_000_000);
        Set(ref fields[10], "Zoë 🚀");
        var context = new EvalContext
        {
            Fields = fields,
            Time = 1_700_000_100_000,
            Consent = 0b10,
            Features = [-1, 5, 40.5, 0, double.NaN],
            FeatureBase = 1
        };
        Set(ref context.Type, "purchase");
        return context;
    }

    public static void Set(ref FieldValue field, string text)
    {
        // Not at the start of its buffer, so that a forgotten offset shows.
        var bytes = Encoding.UTF8.GetBytes("<" + text + ">");
        field.Set(bytes, 1, bytes.Length - 2);
    }

    public static object Evaluate(string expression, ExprType type) => type switch
    {
        ExprType.Bool => Compiled(ExpressionCompiler.Bool, expression)(Context()),
        ExprType.String => Encoding.UTF8.GetString(Compiled(ExpressionCompiler.String, expression)(Context())),
        _ => Compiled(ExpressionCompiler.Double, expression)(Context()),
    };

    public static T Compiled<T>(Func<ExprText, Scope, ConfigErrors, T?> compile, string expression) where T : Delegate
    {
        var errors = new ConfigErrors();
        var compiled = compile(expression, Scope, errors);
        Assert.True(compiled is not null && !errors.Any, $"{expression}: {string.Join("; ", errors.All)}");
        return compiled;
    }
}
