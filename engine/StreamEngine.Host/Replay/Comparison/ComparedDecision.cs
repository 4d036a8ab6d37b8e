using System.Text;
using StreamEngine.Decisions;

namespace StreamEngine.Host.Replay.Comparison;

/// <summary>
/// What opened a decision, in words that both configs have in common. (A decision's id counts the decisions of an event, which another
/// config may have more of.)
/// </summary>
/// <param name="Offset">The event's place in the input; -1 for a timer, whose time tells.</param>
/// <param name="Trigger">The trigger.</param>
/// <param name="Placement">The placement.</param>
/// <param name="Customer">The customer.</param>
/// <param name="DecidedAt">Event time at which it was decided, ms.</param>
/// <param name="Repeat">Tells apart what is the same in all this, from 0.</param>
internal readonly record struct Opening(long Offset, string Trigger, string Placement, string Customer, long DecidedAt, int Repeat = 0);

/// <summary>A decision of one of the two policies, as far as the comparison needs it once it is counted.</summary>
internal sealed record ComparedDecision
{
    /// <summary>What opened it.</summary>
    public required Opening Opening { get; init; }

    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The offset of its cause, by which changes are put into order.</summary>
    public required long Cause { get; init; }

    /// <summary>How it ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What is shown; all empty where nothing is.</summary>
    public required string Offer { get; init; }

    /// <summary>How it is presented.</summary>
    public required string Treatment { get; init; }

    /// <summary>Where its action goes.</summary>
    public required string Channel { get; init; }

    /// <summary>P x C x V x L of the offer; 0 where nothing is shown.</summary>
    public required double Priority { get; init; }

    /// <summary>P x V of the offer.</summary>
    public required double ExpectedValue { get; init; }

    /// <summary>Whether the customer gets the same by both.</summary>
    public bool IsSame(ComparedDecision other) =>
        (Outcome, Offer, Treatment, Channel) == (other.Outcome, other.Offer, other.Treatment, other.Channel);

    /// <summary>Reads a decision record; null for a mark, which only recovery reads.</summary>
    /// <param name="value">The record's value.</param>
    /// <param name="names">The texts that come again and again.</param>
    /// <param name="record">The same record, as read: for its candidates.</param>
    /// <exception cref="InvalidDataException">The record can't be read.</exception>
    public static ComparedDecision? Read(ReadOnlySpan<byte> value, NameTable names, out LoggedDecision record)
    {
        record = default;
        if (!LoggedDecision.TryParse(value, ref record)) throw new InvalidDataException($"A decision can't be read: {record.Error}");
        if (record.Kind != DecisionKind.Decision) return null;
        var served = record.Outcome == Outcome.Served;
        var factors = new LoggedFactors(record.Factors.Of(value));
        return new ComparedDecision
        {
            Opening = new Opening(record.Origin == DecisionOrigin.Timer ? -1 : record.Offset, names.Of(record.Trigger.Of(value)),
                Text(record.Placement.Of(value)), Text(record.Customer.Of(value)), record.DecidedAt),
            Id = Text(record.Id.Of(value)),
            Cause = record.Offset,
            Outcome = record.Outcome,
            Offer = names.Of(record.Offer.Of(value)),
            Treatment = names.Of(record.Treatment.Of(value)),
            Channel = names.Of(record.Channel.Of(value)),
            Priority = served ? factors.Priority : 0,
            ExpectedValue = served ? factors.P * factors.V : 0,
        };
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
