using StreamEngine.Configuration;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime.Requests;

/// <summary>
/// Puts the config's stand-in into a reply that has no decision because none could be had in time, so that a page has something to show.
/// The reply keeps its status and is marked.
/// </summary>
/// <param name="inner">Asks.</param>
/// <param name="engine">The compiled config: offers and <c>requests.fallbacks</c>.</param>
/// <param name="metrics">Counts stand-ins.</param>
public sealed class FallbackGateway(ICustomerGateway inner, CompiledEngine engine, EngineMetrics metrics) : ICustomerGateway
{
    /// <summary>The placements that have no fallback of their own.</summary>
    public const string AnyPlacement = "*";

    /// <summary>How a request ends that a later one may not.</summary>
    internal static readonly RequestStatus[] Causes =
        [RequestStatus.TimedOut, RequestStatus.Busy, RequestStatus.Moved, RequestStatus.Restoring];

    private readonly Dictionary<string, OfferedOffer> _fallbacks = engine.Options.Requests.Fallbacks.ToDictionary(f => f.Key,
        f => DecideCall.Offer(engine.Policy, engine.Policy.Offers.Index().First(o => o.Item.Name == f.Value).Index, isDefault: true));

    /// <inheritdoc/>
    public async ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
    {
        var reply = await inner.DecideAsync(request, cancel).ConfigureAwait(false);
        if (!Causes.Contains(reply.Status)
            || !_fallbacks.TryGetValue(request.Placement, out var offer) && !_fallbacks.TryGetValue(AnyPlacement, out offer)) return reply;
        metrics.FellBack(reply.Status);
        return reply with { Offers = [offer], IsFallback = true };
    }

    /// <inheritdoc/>
    public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) => inner.ReadAsync(request, cancel);

    /// <summary>Every fallback must be an offer that may be shown in its placement.</summary>
    internal static void Check(RequestOptions options, IReadOnlyList<OfferOptions> offers, ConfigErrors errors)
    {
        foreach (var (placement, name) in options.Fallbacks)
        {
            var node = options.Node["fallbacks"] ?? options.Node;
            if (offers.FirstOrDefault(o => o.Name == name) is not { } offer)
                errors.Add(node, placement, $"there is no offer '{name}'",
                    KnownNames.Hint(name, [.. offers.Select(o => o.Name)], "offers"));
            else if (offer.Placements.Count > 0 && !offer.Placements.Contains(placement))
                errors.Add(node, placement, placement == AnyPlacement
                    ? $"offer '{name}' is for some placements only, and '*' stands for all"
                    : $"offer '{name}' is not for placement '{placement}'",
                    $"Its placements are: {string.Join(", ", offer.Placements)}. Name an offer that may be shown there");
        }
    }
}
