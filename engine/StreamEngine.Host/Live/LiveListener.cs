using System.Threading.Channels;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Live;

/// <summary>Why a stream ends, in the words of the event that says so.</summary>
internal enum LiveEnd
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>The token that it was opened with has ended: the page needs a new one.</summary>
    Expired,

    /// <summary>The customer belongs to another process now, and there is no cluster that would tell.</summary>
    Moved,

    /// <summary>This process stops.</summary>
    Closing,
}

/// <summary>What waits for a listener.</summary>
internal sealed class LiveBatch
{
    /// <summary>Decisions, in their order, and when each was told, by the clock's timestamp.</summary>
    public List<(CustomerUpdate Update, long Told)> Decisions { get; } = [];

    /// <summary>The newest values of features that changed.</summary>
    public OrderedDictionary<string, double> Features { get; } = [];

    /// <summary>The newest texts of features that changed.</summary>
    public OrderedDictionary<string, string> Texts { get; } = [];

    /// <summary>The event time of the newest of them.</summary>
    public DateTimeOffset At { get; set; }

    /// <summary>Whether the watch began, or began anew: what was committed before was not told.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Decisions for which there was no room.</summary>
    public int Dropped { get; set; }

    /// <summary>Whether nothing was sent for so long that a sign of life is due.</summary>
    public bool IsBeatDue { get; set; }

    /// <summary>Whether the stream is to end, and why.</summary>
    public LiveEnd End { get; set; }

    /// <summary>Empties it for the next turn.</summary>
    public void Clear()
    {
        Decisions.Clear();
        Features.Clear();
        Texts.Clear();
        (IsComplete, Dropped, IsBeatDue) = (false, 0, false);
    }
}

/// <summary>
/// One listener's mailbox, of bounded size: features are merged into their newest values, and decisions for which there is no room are
/// dropped and counted, so that whoever reads slowly costs the engine neither time nor memory.
/// </summary>
/// <param name="customer">The customer.</param>
/// <param name="until">When the stream ends; null where nothing ends it.</param>
/// <param name="room">Decisions that may wait.</param>
/// <param name="time">The clock.</param>
internal sealed class LiveListener(string customer, DateTimeOffset? until, int room, TimeProvider time)
{
    private readonly Lock _filling = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        SingleReader = true,
    });

    private LiveBatch _waiting = new();
    private long _sentAt = time.GetTimestamp();
    private volatile bool _isSending;

    /// <summary>The customer that is listened to.</summary>
    public string Customer => customer;

    /// <summary>Closes the connection of a listener that does not read.</summary>
    public Action Abort { get; init; } = () => { };

    /// <summary>Takes an update; on a thread of the engine's.</summary>
    public void Put(CustomerUpdate update)
    {
        lock (_filling)
        {
            if (update.Decision is not null)
            {
                if (_waiting.Decisions.Count < room && _waiting.Dropped == 0) _waiting.Decisions.Add((update, time.GetTimestamp()));
                else
                {
                    // Those that wait go as well: the profile tells the newest of all of them, in their order.
                    _waiting.Dropped += 1 + _waiting.Decisions.Count;
                    _waiting.Decisions.Clear();
                }
            }
            foreach (var (name, value) in update.Features) _waiting.Features[name] = value;
            foreach (var (name, text) in update.Texts) _waiting.Texts[name] = text;
            _waiting.At = update.At;
            _waiting.IsComplete |= update.IsComplete;
        }
        Wake();
    }

    /// <summary>Looks whether a sign of life is due, the stream has to end, or its connection stands still.</summary>
    /// <param name="heartbeat">After how long without an event a sign of life is due.</param>
    /// <param name="patience">How long sending may take.</param>
    /// <param name="isHere">Whether this process is told of the customer.</param>
    public void Tick(TimeSpan heartbeat, TimeSpan patience, bool isHere)
    {
        var since = time.GetElapsedTime(Volatile.Read(ref _sentAt));
        if (_isSending && since > patience) Abort();
        else if (until <= time.GetUtcNow()) Finish(LiveEnd.Expired);
        else if (!isHere) Finish(LiveEnd.Moved);
        else if (!_isSending && since >= heartbeat)
        {
            lock (_filling) _waiting.IsBeatDue = true;
            Wake();
        }
    }

    /// <summary>Ends the stream, with what waits told before.</summary>
    public void Finish(LiveEnd end)
    {
        lock (_filling) _waiting.End = end;
        Wake();
    }

    /// <summary>Waits until there is something, and takes it.</summary>
    /// <param name="batch">Empty; becomes the mailbox.</param>
    /// <param name="cancel">The listener has gone.</param>
    /// <returns>What waited.</returns>
    public async ValueTask<LiveBatch> TakeAsync(LiveBatch batch, CancellationToken cancel)
    {
        await _wake.Reader.ReadAsync(cancel).ConfigureAwait(false);
        lock (_filling)
        {
            var taken = _waiting;
            (batch.End, _waiting) = (taken.End, batch);
            return taken;
        }
    }

    /// <summary>Adds what has come since, unless something is missing in it.</summary>
    public void TakeMore(LiveBatch batch)
    {
        lock (_filling)
        {
            if (_waiting.IsComplete || _waiting.Dropped > 0) return;
            batch.Decisions.AddRange(_waiting.Decisions);
            foreach (var (name, value) in _waiting.Features) batch.Features[name] = value;
            foreach (var (name, text) in _waiting.Texts) batch.Texts[name] = text;
            if (_waiting.At > batch.At) batch.At = _waiting.At;
            _waiting.Decisions.Clear();
            _waiting.Features.Clear();
            _waiting.Texts.Clear();
        }
    }

    /// <summary>Notes that something is being sent, from before it begins until the note is disposed.</summary>
    public Note Sending()
    {
        Volatile.Write(ref _sentAt, time.GetTimestamp());
        _isSending = true;
        return new Note(this);
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Sent()
    {
        Volatile.Write(ref _sentAt, time.GetTimestamp());
        _isSending = false;
    }

    /// <summary>Notes by its end that something was sent.</summary>
    public readonly struct Note(LiveListener listener) : IDisposable
    {
        /// <summary>It was sent.</summary>
        public void Dispose() => listener.Sent();
    }
}
