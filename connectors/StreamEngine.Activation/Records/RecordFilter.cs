using System.Text;
using System.Text.Json;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;

namespace StreamEngine.Activation.Records;

/// <summary>The compiled <c>where</c> of a connector. Of one thread.</summary>
internal sealed class RecordFilter
{
    private static readonly (string Name, FieldType Type, string Path)[] Action =
    [
        ("action_id", FieldType.String, "action_id"), ("event_id", FieldType.String, "event_id"),
        ("customer_id", FieldType.String, "customer_id"), ("channel", FieldType.String, "channel"),
        ("placement", FieldType.String, "placement"), ("offer", FieldType.String, "offer"),
        ("treatment", FieldType.String, "treatment"), ("priority", FieldType.Double, "priority"),
        ("probability", FieldType.Double, "probability"), ("trigger", FieldType.String, "trigger"),
    ];

    private static readonly (string Name, FieldType Type, string Path)[] Decision =
    [
        ("decision_id", FieldType.String, "decision_id"), ("customer_id", FieldType.String, "customer_id"),
        ("trigger", FieldType.String, "trigger"), ("placement", FieldType.String, "placement"),
        ("outcome", FieldType.String, "outcome"), ("origin", FieldType.String, "origin"),
        ("channel", FieldType.String, "chosen.channel"), ("offer", FieldType.String, "chosen.offer"),
        ("treatment", FieldType.String, "chosen.treatment"), ("priority", FieldType.Double, "chosen.priority"),
        ("probability", FieldType.Double, "chosen.p"), ("is_default", FieldType.Bool, "chosen.is_default"),
        ("selection_probability", FieldType.Double, "selection_probability"),
    ];

    private static readonly (string Name, FieldType Type, string Path)[] Outcome =
    [
        ("outcome_id", FieldType.String, "outcome_id"), ("decision_id", FieldType.String, "decision_id"),
        ("kind", FieldType.String, "kind"), ("status", FieldType.String, "status"), ("attribution", FieldType.String, "attribution"),
        ("customer_id", FieldType.String, "customer_id"), ("event_id", FieldType.String, "event_id"),
        ("delay_ms", FieldType.Int, "delay_ms"), ("offer", FieldType.String, "offer"), ("placement", FieldType.String, "placement"),
        ("selection_probability", FieldType.Double, "selection_probability"), ("value", FieldType.Double, "value"),
    ];

    private static readonly (string Name, FieldType Type, string Path)[] Audience =
    [
        ("audience_id", FieldType.String, "audience_id"), ("segment", FieldType.String, "segment"),
        ("change", FieldType.String, "change"), ("cause", FieldType.String, "cause"), ("customer_id", FieldType.String, "customer_id"),
    ];

    private readonly BoolExpr _expression;
    private readonly (string Name, FieldType Type, string Path)[] _fields;
    private readonly EvalContext _context;

    private RecordFilter(BoolExpr expression, (string Name, FieldType Type, string Path)[] fields)
    {
        (_expression, _fields) = (expression, fields);
        _context = new EvalContext { Fields = new FieldValue[fields.Length] };
    }

    /// <summary>Compiles an expression; null where it has mistakes, which are told.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="kind">What it is asked of.</param>
    /// <param name="identifiers">By what partners know customers, which records of outcomes and audiences have too.</param>
    /// <param name="errors">Takes the mistakes.</param>
    public static RecordFilter? Compile(ExprText text, RecordKind kind, IReadOnlyList<string> identifiers, ConfigErrors errors)
    {
        var fields = kind switch
        {
            RecordKind.Action => Action,
            RecordKind.Decision => Decision,
            RecordKind.Outcome => Outcome,
            _ => Audience,
        };
        if (kind is RecordKind.Outcome or RecordKind.Audience)
        {
            var own = fields;
            fields = [.. own, .. identifiers.Where(i => !own.Any(f => f.Name == i)).Select(i => (i, FieldType.String, $"identifiers.{i}"))];
        }
        var scope = new Scope
        {
            Event = new FieldCatalog([.. fields.Select((f, i) => new Field(i, f.Name, f.Type))]),
            EventName = kind.Word(),
        };
        return ExpressionCompiler.Bool(text, scope, errors) is { } expression ? new RecordFilter(expression, fields) : null;
    }

    /// <summary>Whether the record is to be delivered.</summary>
    public bool Takes(ActivationRecord record)
    {
        for (var i = 0; i < _fields.Length; i++)
        {
            ref var value = ref _context.Fields[i];
            value = default;
            if (record.Field(_fields[i].Path) is not { } field) continue;
            switch (_fields[i].Type)
            {
                case FieldType.Double when field.ValueKind == JsonValueKind.Number: value.Set(field.GetDouble()); break;
                case FieldType.Int when field.TryGetInt64(out var number): value.Set(number); break;
                case FieldType.Bool when field.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    value.Set(field.GetBoolean() ? 1L : 0L);
                    break;
                case FieldType.String when field.ValueKind == JsonValueKind.String:
                    var text = Encoding.UTF8.GetBytes(field.GetString()!);
                    value.Set(text, 0, text.Length);
                    break;
            }
        }
        return _expression(_context);
    }
}
