using StreamEngine.Events;

namespace StreamEngine.Host.Collector;

/// <summary>An event's id, as the engine tells duplicates: by customer and id; and by source.</summary>
internal readonly record struct EventId(ulong Customer, ulong Id)
{
    /// <summary>The id of a decoded event.</summary>
    public static EventId Of(Event e) => new(Hash64.Of(e.Customer.Text, (ulong)e.Source + 1), e.IdHash);
}

/// <summary>
/// Remembers the ids of written events for a while, and those that are being written: so an event that is sent again is not written again,
/// and is not said to be there before it is. Bounded; what it has forgotten the engine finds itself (<c>duplicates.horizon</c>).
/// Thread-safe.
/// </summary>
internal sealed class RepeatFilter(TimeSpan window, int most, TimeProvider time)
{
    private readonly Dictionary<EventId, EventBatch?> _known = [];
    private readonly Queue<(EventId Id, long At)> _written = [];
    private readonly Lock _gate = new();

    /// <summary>How many ids are known.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _known.Count;
        }
    }

    /// <summary>Takes an id for a batch; false where it is known already.</summary>
    /// <param name="id">The id.</param>
    /// <param name="batch">Who wants to write it.</param>
    /// <param name="writer">The batch that is writing it, which may be the same one; null where it is in the log.</param>
    public bool TryClaim(EventId id, EventBatch batch, out EventBatch? writer)
    {
        writer = null;
        if (window == TimeSpan.Zero) return true;
        lock (_gate)
        {
            Forget();
            if (_known.TryGetValue(id, out writer)) return false;
            _known[id] = batch;
            batch.Claimed.Add(id);
            return true;
        }
    }

    /// <summary>Notes that a batch has ended: its ids are written, or free again.</summary>
    public void End(EventBatch batch, bool written)
    {
        if (batch.Claimed.Count == 0) return;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            foreach (var id in batch.Claimed)
            {
                if (!written) _known.Remove(id);
                else
                {
                    _known[id] = null;
                    _written.Enqueue((id, now));
                }
            }
            batch.Claimed.Clear();
            Forget();
        }
    }

    private void Forget()
    {
        while (_written.TryPeek(out var oldest) && (_written.Count > most || time.GetElapsedTime(oldest.At) >= window))
        {
            _written.Dequeue();
            _known.Remove(oldest.Id);
        }
    }
}
