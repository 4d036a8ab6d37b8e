using System.Text.Encodings.Web;
using System.Text.Json;
using Fluid;
using Fluid.Values;
using StreamEngine.Activation.Records;

namespace StreamEngine.Activation.Webhook;

/// <summary>
/// A body made by a Liquid template. What the template puts in is escaped for the content type, so that no customer's data can change the
/// body's structure.
/// </summary>
internal sealed class BodyTemplate
{
    private static readonly FluidParser Parser = new();
    private static readonly TemplateOptions Options = Make();

    private readonly IFluidTemplate _template;
    private readonly string _root;
    private readonly TextEncoder _encoder;

    private BodyTemplate(IFluidTemplate template, string root, TextEncoder encoder) =>
        (_template, _root, _encoder) = (template, root, encoder);

    /// <summary>Parses a template.</summary>
    /// <param name="text">Liquid.</param>
    /// <param name="kind">What the record is called in it.</param>
    /// <param name="contentType">The body's content type.</param>
    /// <param name="fault">Why it is none.</param>
    public static BodyTemplate? Parse(string text, RecordKind kind, string contentType, out string fault)
    {
        if (!Parser.TryParse(text, out var template, out fault)) return null;
        var encoder = IsJson(contentType) ? JavaScriptEncoder.UnsafeRelaxedJsonEscaping
            : contentType.Contains("x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) ? UrlEncoder.Default
            : contentType.Contains("xml", StringComparison.OrdinalIgnoreCase)
                || contentType.Contains("html", StringComparison.OrdinalIgnoreCase) ? HtmlEncoder.Default
            : (TextEncoder)NullEncoder.Default;
        return new BodyTemplate(template, kind.Word(), encoder);
    }

    /// <summary>Whether a body of this type is JSON.</summary>
    public static bool IsJson(string contentType)
    {
        var type = contentType.Split(';')[0].Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// A value that a column has in the place of a field's: the field, and behind <c>|</c> the filters that it goes through.
    /// </summary>
    public static BodyTemplate? ParseValue(string path, RecordKind kind, out string fault) =>
        Parse($"{{{{ {kind.Word()}.{path} }}}}", kind, "text/plain", out fault);

    /// <summary>The body for a record.</summary>
    public async Task<string> RenderAsync(ActivationRecord record) =>
        await _template.RenderAsync(Context(record), _encoder).ConfigureAwait(false);

    /// <summary>The text for a record.</summary>
    public string Render(ActivationRecord record) => _template.Render(Context(record), _encoder);

    /// <summary>The body for many records, a list that is called by the plural of what each is.</summary>
    public async Task<string> RenderAsync(IReadOnlyList<ActivationRecord> records, string idempotencyKey)
    {
        var context = new TemplateContext(Options);
        context.SetValue(_root + "s", new ArrayValue([.. records.Select(r => Value(r.Fields))]));
        context.SetValue("idempotency_key", idempotencyKey);
        return await _template.RenderAsync(context, _encoder).ConfigureAwait(false);
    }

    private TemplateContext Context(ActivationRecord record)
    {
        var context = new TemplateContext(Options);
        context.SetValue(_root, Value(record.Fields));
        context.SetValue("idempotency_key", record.IdempotencyKey);
        return context;
    }

    private static TemplateOptions Make()
    {
        // A body may be of ten thousand records, with some steps for each.
        var options = new TemplateOptions { MaxSteps = 5_000_000, MaxRecursion = 32 };
        IdentifierFilters.AddTo(options.Filters);
        return options;
    }

    private static FluidValue Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new DictionaryValue(new FluidValueDictionaryFluidIndexable(
            element.EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value)))),
        JsonValueKind.Array => new ArrayValue([.. element.EnumerateArray().Select(Value)]),
        JsonValueKind.String => new StringValue(element.GetString()!),
        JsonValueKind.Number => NumberValue.Create(element.AsDecimal()),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        _ => NilValue.Instance,
    };
}

/// <summary>Numbers as Liquid has them.</summary>
file static class JsonNumbers
{
    /// <summary>Liquid's numbers are decimals: a double that none can hold becomes the nearest end of their range.</summary>
    public static decimal AsDecimal(this JsonElement number) => number.TryGetDecimal(out var exact) ? exact
        : number.GetDouble() > 0 ? decimal.MaxValue : decimal.MinValue;
}
