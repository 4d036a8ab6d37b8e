using System.Text;
using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Oracle;

/// <summary>What the oracle knows of a customer: everything, unbounded.</summary>
internal sealed class Customer(string id, JobDefinition job)
{
    private readonly List<ShopEvent> _applied = [];
    private readonly Dictionary<string, long> _seen = [];
    private readonly long[] _started = Enumerable.Repeat(long.MinValue, job.Timers.Length).ToArray();
    private readonly long[] _cancelled = Enumerable.Repeat(long.MinValue, job.Timers.Length).ToArray();
    private readonly long[] _fired = Enumerable.Repeat(long.MinValue, job.Timers.Length).ToArray();

    /// <summary>The customer id.</summary>
    public string Id { get; } = id;

    /// <summary>The id's bytes, for the order of timers.</summary>
    public byte[] Key { get; } = Encoding.UTF8.GetBytes(id);

    /// <summary>Offers shown: which, and when they were decided.</summary>
    public List<(string Offer, long At)> Shown { get; } = [];

    /// <summary>The newest applied event's time.</summary>
    public long Newest { get; private set; } = long.MinValue;

    /// <summary>
    /// The purposes that the newest word consents to, also that of an event rejected for want of consent; of two at the same time, what
    /// both have.
    /// </summary>
    public IReadOnlyList<string> Consent { get; private set; } = [];

    private long _heard = long.MinValue;

    /// <summary>Whether nothing was applied yet.</summary>
    public bool Unknown => _applied.Count == 0;

    /// <summary>The features as of a time.</summary>
    public Vector Features(long now) => Vector.Of(_applied, now);

    /// <summary>Applies an event; false for a repeat within the horizon.</summary>
    public bool Apply(ShopEvent e)
    {
        if (job.DuplicateHorizon > 0)
        {
            if (_seen.TryGetValue(e.Id, out var seen) && seen >= Math.Max(Newest, e.Time) - job.DuplicateHorizon) return false;
            _seen[e.Id] = e.Time;
        }
        _applied.Add(e);
        Newest = Math.Max(Newest, e.Time);
        Hear(e);
        for (var i = 0; i < job.Timers.Length; i++)
        {
            if (job.Timers[i].Cancel(e)) _cancelled[i] = Math.Max(_cancelled[i], e.Time);
            if (job.Timers[i].Start(e)) _started[i] = Math.Max(_started[i], e.Time);
        }
        return true;
    }

    /// <summary>Takes an event's word on consent, whatever becomes of the event.</summary>
    public void Hear(ShopEvent e)
    {
        if (e.Time > _heard) (_heard, Consent) = (e.Time, e.Consent);
        else if (e.Time == _heard) Consent = Consent.Intersect(e.Consent).ToArray();
    }

    /// <summary>When a timer is due; null where it is not armed.</summary>
    public long? Due(int timer) => _started[timer] > _cancelled[timer] && _started[timer] > _fired[timer]
        ? _started[timer] + job.Timers[timer].After : null;

    /// <summary>A timer fired for its newest start.</summary>
    public void Fire(int timer) => _fired[timer] = _started[timer];

    /// <summary>The drop reason of the first cap that forbids an offer at a time; null where none does.</summary>
    public string? Capped(string offer, long now)
    {
        foreach (var cap in job.Caps)
        {
            if (cap.Offers is not null && !cap.Offers.Contains(offer)) continue;
            var shown = Shown.Count(s => s.At > now - cap.Window
                && (cap.PerCustomer ? cap.Offers is null || cap.Offers.Contains(s.Offer) : s.Offer == offer));
            if (shown >= cap.Max) return $"{(cap.PerCustomer ? "customer" : "offer")}_cap:{cap.Name}";
        }
        return null;
    }
}
