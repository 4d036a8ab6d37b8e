using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Events.Tables;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// Prepares requests for the loop, on the asker's thread: checks them, resolves field names, encodes texts. Every mistake is told at once.
/// </summary>
internal sealed class RequestCompiler(CompiledEngine engine)
{
    private static readonly bool[] Twice = [false, true];

    private readonly RequestOptions _options = engine.Options.Requests;

    /// <summary>Prepares a request for a decision; null where it is at fault.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="time">When, ms.</param>
    /// <param name="deadline">Until when somebody waits, a timestamp of the engine's clock.</param>
    /// <param name="faults">Takes every mistake.</param>
    public DecideCall? Compile(DecideRequest request, long time, long deadline, List<string> faults)
    {
        var customer = Id("customer", request.Customer, faults);
        var id = Id("id", request.Id, faults);
        var placement = Encoding.UTF8.GetBytes(request.Placement);
        if (placement.Length > Shard.MaxIdBytes) faults.Add($"placement: {placement.Length} bytes are more than {Shard.MaxIdBytes}");
        if (request.Offers < 1 || request.Offers > _options.MaxOffers)
            faults.Add($"offers: {request.Offers} is not from 1 to {_options.MaxOffers} (requests.max_offers)");
        var fields = new FieldValue[engine.Events.Fields.Count];
        foreach (var (name, value) in request.Context) Set(fields, name, value, faults);
        // A request belongs to no source: whatever one of them looks up by a field that the request brings is looked up for it.
        // A value that any source finds goes before the default of another one.
        if (!engine.HasTopicTables) Complete(engine, fields, TableViews.None);
        return faults.Count > 0 ? null : new DecideCall(customer, time, deadline)
        {
            Id = id,
            IdHash = RecentDecisions.HashOfRequest(id),
            Placement = placement,
            Fields = fields,
            Offers = request.Offers,
        };
    }

    /// <summary>Prepares a request for a profile; null where it is at fault.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="time">As of when, ms.</param>
    /// <param name="deadline">Until when somebody waits, a timestamp of the engine's clock.</param>
    /// <param name="faults">Takes every mistake.</param>
    public ReadCall? Compile(ReadRequest request, long time, long deadline, List<string> faults)
    {
        var customer = Id("customer", request.Customer, faults);
        return faults.Count > 0 ? null : new ReadCall(customer, time, deadline);
    }

    /// <summary>Looks up what the sources would by the fields that a request brings.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="fields">The request's fields.</param>
    /// <param name="tables">The tables that are topics: where there are some, it is looked up when the request is served.</param>
    public static void Complete(CompiledEngine engine, FieldValue[] fields, TableViews tables)
    {
        foreach (var defaults in Twice)
            foreach (var source in engine.Events.Sources)
                foreach (var lookup in source.Lookups) lookup.Complete(fields, tables, defaults);
    }

    private static byte[] Id(string what, string text, List<string> faults)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length == 0) faults.Add($"{what}: it is empty");
        else if (bytes.Length > Shard.MaxIdBytes) faults.Add($"{what}: {bytes.Length} bytes are more than {Shard.MaxIdBytes}");
        return bytes;
    }

    private void Set(FieldValue[] fields, string name, object? value, List<string> faults)
    {
        if (engine.Events.Fields.Find(name) is not { } field)
        {
            var known = engine.Events.Fields.Fields.Select(f => f.Name).ToList();
            faults.Add($"context.{name}: no event field is declared under that name ({KnownNames.Hint(name, known, "fields")})");
            return;
        }
        if (value is null) return;
        if (!TrySet(ref fields[field.Index], field, value)) faults.Add($"context.{name}: '{Show(value)}' is no {Word(field)}");
    }

    private static bool TrySet(ref FieldValue to, Field field, object value)
    {
        switch (field.Type, value)
        {
            case (FieldType.String, string text):
                var bytes = Encoding.UTF8.GetBytes(text);
                if (bytes.Length > Shard.MaxIdBytes) return false;
                to.Set(bytes, 0, bytes.Length);
                return true;
            case (FieldType.Bool, bool flag):
                to.Set(flag ? 1L : 0L);
                return true;
            case (FieldType.Int, long number):
                to.Set(number);
                return true;
            case (FieldType.Int, double number) when number == Math.Floor(number) && Math.Abs(number) <= 1L << 53:
                to.Set((long)number);
                return true;
            case (FieldType.Double, double or long):
                to.Set(Convert.ToDouble(value, CultureInfo.InvariantCulture));
                return true;
            case (FieldType.Decimal, long or double or decimal):
                return TrySetDecimal(ref to, field, value);
            case (FieldType.Timestamp, DateTimeOffset at):
                to.Set(at.ToUnixTimeMilliseconds());
                return true;
            case (FieldType.Timestamp, long ms):
                to.Set(ms);
                return true;
            case (FieldType.Timestamp, string text)
                when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at):
                to.Set(at.ToUnixTimeMilliseconds());
                return true;
            default:
                return false;
        }
    }

    /// <summary>Rounded to the field's scale, half to even, as a decimal field of an event is.</summary>
    private static bool TrySetDecimal(ref FieldValue to, Field field, object value)
    {
        if (value is double number && !(Math.Abs(number) < 1e18)) return false;
        var scaled = Convert.ToDecimal(value, CultureInfo.InvariantCulture);
        for (var i = 0; i < field.Scale && Math.Abs(scaled) < long.MaxValue; i++) scaled *= 10;
        if (Math.Abs(scaled) >= long.MaxValue) return false;
        to.Set((long)Math.Round(scaled, MidpointRounding.ToEven));
        return true;
    }

    private static string Word(Field field) => field.Type switch
    {
        FieldType.String => $"text of at most {Shard.MaxIdBytes} bytes",
        FieldType.Bool => "true or false",
        FieldType.Int => "whole number",
        FieldType.Timestamp => "time: ISO 8601 or milliseconds since 1970",
        _ => "number that fits",
    };

    private static string Show(object value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.Length > 40 ? text[..40] + "..." : text;
    }
}
