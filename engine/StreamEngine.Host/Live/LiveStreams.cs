using System.Collections.Concurrent;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Live;

/// <summary>Where a process's live streams get what they tell.</summary>
/// <param name="Feed">What is committed about customers.</param>
/// <param name="Customers">How profiles are read.</param>
/// <param name="IsHere">Whether this process is told of a customer; always where a cluster finds it.</param>
/// <param name="Requested">How many decisions a profile keeps that requests asked for (<c>requests.remember</c>).</param>
/// <param name="Caused">How many others (<c>requests.recent</c>).</param>
internal sealed record LiveSources(ICustomerFeed Feed, ICustomerGateway Customers, Func<string, bool> IsHere, int Requested,
    int Caused);

/// <summary>
/// The live streams of a process: no more than there is room for, each with a mailbox of bounded size, and one timer that looks after all
/// of them.
/// </summary>
internal sealed class LiveStreams : IDisposable
{
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);

    private readonly LiveSources _sources;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<LiveListener, bool> _listeners = new();
    private readonly Dictionary<string, int> _perCustomer = [];
    private readonly Lock _counting = new();
    private readonly LiveMetrics _metrics;
    private readonly ITimer _timer;
    private int _count;
    private uint _opened;
    private volatile bool _isClosing;

    /// <param name="options">The config's section.</param>
    /// <param name="sources">Where they get what they tell.</param>
    /// <param name="secret">What tokens are signed with.</param>
    /// <param name="time">The clock.</param>
    public LiveStreams(LiveOptions options, LiveSources sources, byte[] secret, TimeProvider time)
    {
        (Options, _sources, _time) = (options, sources, time);
        Tokens = new LiveTokens(secret);
        _metrics = new LiveMetrics(() => Volatile.Read(ref _count));
        var tick = TimeSpan.FromTicks(Math.Min(LongestTick.Ticks, options.Heartbeat.Ticks / 2));
        _timer = time.CreateTimer(_ => Tick(), null, tick, tick);
    }

    /// <summary>The config's section.</summary>
    public LiveOptions Options { get; }

    /// <summary>The tokens of pages.</summary>
    public LiveTokens Tokens { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>A mailbox for a listener, or the limit by which there is none: <c>process</c> or <c>customer</c>.</summary>
    public (LiveListener? Listener, string Limit) Open(string customer, DateTimeOffset? until, Action abort)
    {
        var listener = new LiveListener(customer, until, Options.Buffer, _time) { Abort = abort };
        lock (_counting)
        {
            var same = _perCustomer.GetValueOrDefault(customer);
            var limit = _count >= Options.MaxListeners ? "process" : same >= Options.MaxPerCustomer ? "customer" : "";
            if (limit.Length > 0)
            {
                _metrics.Refused(limit);
                return (null, limit);
            }
            _perCustomer[customer] = same + 1;
            _count++;
        }
        _listeners[listener] = true;
        // Whoever comes while the process ends is not forgotten.
        if (_isClosing) listener.Finish(LiveEnd.Closing);
        return (listener, "");
    }

    /// <summary>Serves a listener until it goes or its stream has to end.</summary>
    /// <param name="listener">Its mailbox; it is given back.</param>
    /// <param name="sink">The way to it.</param>
    /// <param name="last">The id that it was told last; null where it was told nothing yet.</param>
    /// <param name="gone">It has gone.</param>
    public async Task ServeAsync(LiveListener listener, ILiveSink sink, string? last, CancellationToken gone)
    {
        var session = new LiveSession(listener, sink, _sources, _metrics, _time);
        var reason = "left";
        try
        {
            var end = await session.RunAsync(last, Retry(), () => _sources.Feed.Watch(listener.Customer, listener.Put), gone)
                .ConfigureAwait(false);
            reason = StreamEngine.Configuration.Spelling.Snake(end.ToString());
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Net.WebSockets.WebSocketException)
        {
            // The listener has gone, or did not read.
        }
        finally
        {
            Close(listener);
            _metrics.Ended(reason);
        }
    }

    /// <summary>Ends all streams, and those that are opened from now on: the process stops.</summary>
    public void Close()
    {
        _isClosing = true;
        foreach (var listener in _listeners.Keys) listener.Finish(LiveEnd.Closing);
    }

    public void Dispose()
    {
        Close();
        _timer.Dispose();
        _metrics.Dispose();
    }

    private void Close(LiveListener listener)
    {
        if (!_listeners.TryRemove(listener, out _)) return;
        lock (_counting)
        {
            _count--;
            if (--_perCustomer[listener.Customer] == 0) _perCustomer.Remove(listener.Customer);
        }
    }

    /// <summary>Between the config's time and twice as long, spread evenly over listeners that follow each other.</summary>
    private TimeSpan Retry()
    {
        const double GoldenRatio = 0.6180339887498949;
        var part = Interlocked.Increment(ref _opened) * GoldenRatio % 1;
        return Options.Retry * (1 + part);
    }

    private void Tick()
    {
        foreach (var listener in _listeners.Keys)
            listener.Tick(Options.Heartbeat, Options.Patience, _sources.IsHere(listener.Customer));
    }
}
