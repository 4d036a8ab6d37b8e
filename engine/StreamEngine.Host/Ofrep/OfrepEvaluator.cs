using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Ofrep;

/// <summary>
/// Evaluates flags. An experiment is computed from the customer id, and leaves nothing behind. A placement is a decision, which is logged
/// and counts as shown: whoever evaluates it again while it holds, by whichever form and at whichever node, asks with the same request id
/// and gets the same decision, so that a client that polls eats no caps.
/// </summary>
internal sealed class OfrepEvaluator : IDisposable
{
    /// <summary>A flag that could not be evaluated now, and may be later.</summary>
    public const string General = "GENERAL";

    /// <summary>How many placements of one customer are evaluated at the same time: side by side they wait for the same commit.</summary>
    public const int MostAtOnce = 4;

    private readonly ICustomerGateway _customers;
    private readonly CompiledEngine _engine;
    private readonly OfrepOptions _options;
    private readonly TimeProvider _time;
    private readonly int _atOnce;
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Counter<long> _evaluations;

    /// <param name="customers">Where requests go.</param>
    /// <param name="engine">The compiled config.</param>
    /// <param name="options">The config's section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="room">How many requests of one customer are let in at once; a further one would be answered with busy.</param>
    public OfrepEvaluator(ICustomerGateway customers, CompiledEngine engine, OfrepOptions options, TimeProvider time,
        int room = MostAtOnce)
    {
        (_customers, _engine, _options, _time, _atOnce) = (customers, engine, options, time, Math.Clamp(room, 1, MostAtOnce));
        _evaluations = _meter.CreateCounter<long>("streamengine.ofrep.evaluations", "{flag}",
            "Flags that were evaluated by OpenFeature's protocol, by kind and by reason or error code.");
    }

    /// <summary>The declared event fields.</summary>
    public FieldCatalog Fields => _engine.Events.Fields;

    /// <summary>All flags.</summary>
    public IEnumerable<string> Keys => _options.Placements.Concat(_engine.Policy.Experiments.Where(e => e.Sticky is null)
        .Select(e => e.Name));

    /// <summary>Evaluates a flag; null where there is none of this key.</summary>
    public async Task<OfrepFlag?> EvaluateAsync(string key, OfrepContext context, CancellationToken cancel)
    {
        var experiment = _engine.Policy.Experiments.FirstOrDefault(e => e.Name == key && e.Sticky is null);
        if (experiment is null && !_options.Placements.Contains(key)) return null;
        var flag = experiment is not null ? Assigned(experiment, context.Customer)
            : Told(key, await _customers.DecideAsync(new DecideRequest
            {
                Customer = context.Customer,
                Id = RequestId(key, context),
                Placement = key,
                Context = context.Fields,
            }, cancel).ConfigureAwait(false));
        _evaluations.Add(1, new("kind", experiment is null ? "placement" : "experiment"),
            new("reason", (flag.ErrorCode ?? flag.Reason!).ToLowerInvariant()));
        return flag;
    }

    /// <summary>Evaluates all flags, in their order, a few at a time.</summary>
    public async Task<IReadOnlyList<OfrepFlag>> EvaluateAllAsync(OfrepContext context, CancellationToken cancel)
    {
        string[] keys = [.. Keys];
        var flags = new OfrepFlag[keys.Length];
        var limit = new ParallelOptions { MaxDegreeOfParallelism = _atOnce, CancellationToken = cancel };
        await Parallel.ForAsync(0, keys.Length, limit, async (i, stop) =>
            flags[i] = (await EvaluateAsync(keys[i], context, stop).ConfigureAwait(false))!).ConfigureAwait(false);
        return flags;
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>
    /// The id of the decision that holds now. Each customer's times begin at moments of their own, so that not all are decided at once.
    /// </summary>
    private string RequestId(string placement, OfrepContext context)
    {
        if (context.RequestId is { } given) return $"{given}/{placement}";
        var hold = (long)_options.Hold.TotalMilliseconds;
        var begins = (long)(Hash64.Of(Encoding.UTF8.GetBytes(context.Customer)) % (ulong)hold);
        return string.Create(CultureInfo.InvariantCulture,
            $"ofrep/{placement}/{hold}/{(_time.GetUtcNow().ToUnixTimeMilliseconds() + begins) / hold}");
    }

    private static OfrepFlag Assigned(Experiment experiment, string customer)
    {
        var variation = experiment.Assign(Encoding.UTF8.GetBytes(customer));
        if (variation < 0) return new OfrepFlag { Key = experiment.Name, Reason = "DEFAULT" };
        var name = experiment.Variations[variation].Name;
        return new OfrepFlag { Key = experiment.Name, Value = name, Variant = name, Reason = "SPLIT" };
    }

    private static OfrepFlag Told(string placement, DecideReply reply)
    {
        if (reply.IsFallback)
        {
            var stand = reply.Offers[0];
            return new OfrepFlag
            {
                Key = placement,
                Value = stand.Offer,
                Variant = stand.Offer,
                Reason = "DEFAULT",
                Metadata = new Dictionary<string, object>
                {
                    ["fallback"] = true,
                    ["status"] = Spelling.Snake(reply.Status.ToString()),
                    ["treatment"] = stand.Treatment,
                    ["channel"] = stand.Channel,
                },
            };
        }
        if (reply.Status != RequestStatus.Done)
            return OfrepFlag.Failed(placement, reply.Status == RequestStatus.Invalid ? "INVALID_CONTEXT" : General,
                reply.Status != RequestStatus.Forgotten ? reply.Message
                    : "The decision that holds is not kept any more, as other requests came since: raise requests.remember.");
        var metadata = new Dictionary<string, object>
        {
            ["decision_id"] = reply.DecisionId,
            ["outcome"] = Spelling.Snake(reply.Outcome.ToString()),
        };
        if (reply.Offers is not [var chosen, ..])
            return new OfrepFlag
            {
                Key = placement,
                Variant = reply.Outcome == Outcome.Holdout ? "holdout" : null,
                Reason = reply.Outcome switch
                {
                    Outcome.Holdout => "SPLIT",
                    Outcome.NoConsent or Outcome.SwitchedOff => "DISABLED",
                    _ => "DEFAULT",
                },
                Metadata = metadata,
            };
        (metadata["treatment"], metadata["channel"], metadata["is_default"]) = (chosen.Treatment, chosen.Channel, chosen.IsDefault);
        return new OfrepFlag
        {
            Key = placement,
            Value = chosen.Offer,
            Variant = chosen.Offer,
            Reason = chosen.IsDefault ? "DEFAULT" : "TARGETING_MATCH",
            Metadata = metadata,
        };
    }
}
