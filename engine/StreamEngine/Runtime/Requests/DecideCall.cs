using System.Text;
using StreamEngine.Decisions;
using StreamEngine.Events;

namespace StreamEngine.Runtime.Requests;

/// <summary>A request for a decision, prepared for the loop: names are resolved and texts encoded already.</summary>
internal sealed class DecideCall(byte[] customer, long time, long deadline) : ShardRequest<DecideReply>(customer, time, deadline)
{
    /// <summary>The request's id, UTF-8.</summary>
    public required byte[] Id { get; init; }

    /// <summary>The hash under which profiles know the id.</summary>
    public required ulong IdHash { get; init; }

    /// <summary>Where the offer will be shown, UTF-8.</summary>
    public required byte[] Placement { get; init; }

    /// <summary>The event fields that it brings.</summary>
    public required FieldValue[] Fields { get; init; }

    /// <summary>The most offers wanted.</summary>
    public required int Offers { get; init; }

    /// <summary>(8) The decision was made: keeps what of it goes into the answer.</summary>
    public void Decided(DecisionPolicy policy, in DecisionRequest request, string decisionId, Decision decision)
    {
        var offers = new List<OfferedOffer>();
        if (decision.Chosen >= 0)
        {
            offers.Add(Offer(policy, decision.Chosen, decision.Treatments[decision.Chosen], decision.IsDefault));
            for (var place = 1; place < Offers; place++)
                for (var offer = 0; offer < decision.Rank.Length; offer++)
                    if (RecentDecisions.Place(decision, offer) == place)
                        offers.Add(Offer(policy, offer, decision.Treatments[offer], isDefault: false));
        }
        Made = Answer(decisionId, decision.Outcome, request.DecidedAt, offers, repeated: false);
    }

    /// <summary>The request had been decided before.</summary>
    /// <param name="policy">The config's decisions.</param>
    /// <param name="decisionId">The decision's id.</param>
    /// <param name="kept">The decision as it is kept.</param>
    /// <param name="profile">The customer's profile, where experiments are sticky; empty where none is.</param>
    public void Repeat(DecisionPolicy policy, string decisionId, in KeptDecision kept, byte[] profile)
    {
        var isDefault = kept.IsDefault;
        var offers = kept.Offers.Take(Offers).Select((offer, place) => offer < 0
            ? new OfferedOffer("", "", "", place == 0 && isDefault)
            : new OfferedOffer(policy.Offers[offer].Name, policy.TreatmentOf(offer, Customer, profile), policy.Offers[offer].Channel,
                place == 0 && isDefault));
        Made = Answer(decisionId, kept.Outcome, kept.DecidedAt, [.. offers], repeated: true);
    }

    private DecideReply Answer(string decisionId, Outcome outcome, long decidedAt, IReadOnlyList<OfferedOffer> offers, bool repeated) =>
        new()
        {
            RequestId = Encoding.UTF8.GetString(Id),
            DecisionId = decisionId,
            Outcome = outcome,
            DecidedAt = DateTimeOffset.FromUnixTimeMilliseconds(decidedAt),
            Offers = offers,
            Repeated = repeated,
        };

    /// <summary>An offer for anybody, with its own treatment.</summary>
    internal static OfferedOffer Offer(DecisionPolicy policy, int offer, bool isDefault) => Offer(policy, offer, 0, isDefault);

    /// <summary>An offer as whoever asks for a customer or watches one sees it.</summary>
    internal static OfferedOffer Offer(DecisionPolicy policy, int offer, int treatment, bool isDefault) =>
        new(policy.Offers[offer].Name, policy.Offers[offer].Treatments[treatment], policy.Offers[offer].Channel, isDefault);
}

/// <summary>A request for a profile, prepared for the loop.</summary>
internal sealed class ReadCall(byte[] customer, long time, long deadline) : ShardRequest<ProfileReply>(customer, time, deadline);
