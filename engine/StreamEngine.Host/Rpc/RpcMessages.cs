using Google.Protobuf.WellKnownTypes;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Rpc;

/// <summary>From the gateway's requests and replies to gRPC's messages.</summary>
internal static class RpcMessages
{
    private const double LargestWhole = 1L << 53;

    /// <summary>A decision, or the config's stand-in for one.</summary>
    public static V1.DecideResponse Of(DecideReply reply)
    {
        var response = new V1.DecideResponse { RequestId = reply.RequestId, Fallback = reply.IsFallback };
        response.Offers.AddRange(reply.Offers.Select(o =>
            new V1.Offer { Offer_ = o.Offer, Treatment = o.Treatment, Channel = o.Channel, IsDefault = o.IsDefault }));
        if (reply.IsFallback)
        {
            (response.Status, response.Message) = (Spelling.Snake(reply.Status.ToString()), reply.Message);
            return response;
        }
        (response.DecisionId, response.Outcome, response.Repeated) = (reply.DecisionId, Of(reply.Outcome), reply.Repeated);
        response.DecidedAt = Of(reply.DecidedAt);
        return response;
    }

    /// <summary>What is known of a customer.</summary>
    public static V1.Customer Of(string customer, ProfileReply reply)
    {
        var response = new V1.Customer
        {
            Customer_ = customer,
            Found = reply.Found,
            At = Of(reply.At),
            NewestEvent = reply.NewestEvent is { } newest ? Of(newest) : null,
        };
        foreach (var (name, value) in reply.Features) response.Features[name] = value;
        foreach (var (name, text) in reply.Texts) response.Texts[name] = text;
        response.Consents.AddRange(reply.Consents);
        response.Caps.AddRange(reply.Caps.Select(c => new V1.CapUse { Cap = c.Cap, Offer = c.Offer, Used = c.Used, Max = c.Max }));
        foreach (var (name, due) in reply.Timers) response.Timers[name] = Of(due);
        response.Decisions.AddRange(reply.Decisions.Select(d => new V1.KeptDecision
        {
            DecisionId = d.DecisionId,
            DecidedAt = Of(d.DecidedAt),
            Outcome = Of(d.Outcome),
            Offer = d.Offer,
            ByRequest = d.ByRequest,
        }));
        return response;
    }

    /// <summary>How a decision ended.</summary>
    public static V1.Outcome Of(Outcome outcome) => outcome switch
    {
        Outcome.Served => V1.Outcome.Served,
        Outcome.Holdout => V1.Outcome.Holdout,
        Outcome.NoConsent => V1.Outcome.NoConsent,
        Outcome.NoOffer => V1.Outcome.NoOffer,
        Outcome.SwitchedOff => V1.Outcome.SwitchedOff,
        _ => V1.Outcome.Unspecified,
    };

    /// <summary>
    /// A field's value. Protobuf's numbers are all doubles: whole ones are taken for integers, as JSON's are that are written without a
    /// point.
    /// </summary>
    public static object? Of(string name, Value value, List<string> faults)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue:
                return value.StringValue;
            case Value.KindOneofCase.BoolValue:
                return value.BoolValue;
            case Value.KindOneofCase.NumberValue:
                var number = value.NumberValue;
                return number == Math.Floor(number) && Math.Abs(number) <= LargestWhole ? (long)number : number;
            case Value.KindOneofCase.NullValue:
                return null;
            default:
                faults.Add($"context.{name}: a list, an object or nothing is no field's value");
                return null;
        }
    }

    private static Timestamp Of(DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);
}
