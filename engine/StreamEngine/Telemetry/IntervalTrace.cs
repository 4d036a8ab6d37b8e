using System.Diagnostics;
using System.Text;

namespace StreamEngine.Telemetry;

/// <summary>
/// One trace per sampled commit interval: a span from its first record or request to its confirmed commit, with a child for each step of
/// the loop in between, linked to the spans of the events (by their W3C <c>traceparent</c> header) and of the requests that it served.
/// Belongs to a worker's thread; of an interval that is not sampled nothing is kept.
/// </summary>
internal sealed class IntervalTrace(TimeProvider time, string worker)
{
    /// <summary>The most events that an interval's span is linked to.</summary>
    public const int MostLinks = 32;

    private Activity? _interval, _sealed;   // the one that is filled, and the one whose commit is under way
    private DateTimeOffset _sealedAt;
    private int _links;

    /// <summary>The interval's span as a W3C <c>traceparent</c> header; empty where it is not sampled.</summary>
    public byte[] Parent =>
        _interval is { Recorded: true, IdFormat: ActivityIdFormat.W3C } ? Encoding.ASCII.GetBytes(_interval.Id!) : [];

    /// <summary>Whether anybody listens at all.</summary>
    public static bool IsOn => EngineTraces.Source.HasListeners();

    /// <summary>Whether the interval is sampled and takes further links.</summary>
    public bool TakesLinks => _interval is not null && _links < MostLinks;

    /// <summary>Now, where anybody listens: what a step wants.</summary>
    public DateTimeOffset Now => IsOn ? time.GetUtcNow() : default;

    /// <summary>The interval began at a time; nothing happens where it had begun before.</summary>
    public void Begin(DateTimeOffset from)
    {
        if (_interval is not null || from == default) return;
        _interval = EngineTraces.Source.StartActivity("interval", ActivityKind.Consumer, default(ActivityContext), startTime: from);
        _interval?.SetTag("streamengine.worker", worker);
        _links = 0;
        Activity.Current = null; // the loop's thread has no current span: its steps name their parent
    }

    /// <summary>A step of the interval.</summary>
    /// <param name="name">The step.</param>
    /// <param name="from">What <see cref="Now"/> said when it began.</param>
    /// <param name="to">What it said at the end; now where absent.</param>
    public void Step(string name, DateTimeOffset from, DateTimeOffset? to = null) => Add(_interval, name, from, to);

    private void Add(Activity? interval, string name, DateTimeOffset from, DateTimeOffset? to = null)
    {
        if (interval is null || from == default) return;
        using var step = EngineTraces.Source.StartActivity(name, ActivityKind.Internal, interval.Context, startTime: from);
        step?.SetEndTime((to ?? time.GetUtcNow()).UtcDateTime);
    }

    /// <summary>The interval's commit begins; what comes now belongs to the next one.</summary>
    public void Seal()
    {
        (_sealed, _interval, _sealedAt) = (_interval, null, Now);
    }

    /// <summary>That commit ended, one way or the other.</summary>
    public void Committed() => Add(_sealed, "commit", _sealedAt);

    /// <summary>What was sealed is sent again, with what has come since: that one's trace goes on where there is one.</summary>
    public void Again()
    {
        if (_interval is null) _interval = _sealed;
        else End(_sealed, "sent-again", 0);
        _sealed = null;
    }

    /// <summary>Links the interval to an event's span.</summary>
    /// <param name="traceparent">The header, as W3C's Trace Context has it; what is none is passed over.</param>
    public void Link(ReadOnlySpan<byte> traceparent)
    {
        if (TakesLinks && ActivityContext.TryParse(Encoding.ASCII.GetString(traceparent), null, isRemote: true, out var context))
            Link(context);
    }

    /// <summary>Links the interval to another span.</summary>
    public void Link(ActivityContext context)
    {
        if (!TakesLinks || context == default) return;
        _interval!.AddLink(new ActivityLink(context));
        _links++;
    }

    /// <summary>What was sealed ended.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="records">Output records that it held.</param>
    public void End(string outcome, int records)
    {
        End(_sealed, outcome, records);
        _sealed = null;
    }

    private void End(Activity? interval, string outcome, int records)
    {
        if (interval is null) return;
        interval.SetTag("streamengine.outcome", outcome).SetTag("streamengine.outputs", records);
        interval.SetEndTime(time.GetUtcNow().UtcDateTime);
        interval.Dispose();
    }

    /// <summary>A shard was restored: a trace of its own.</summary>
    /// <param name="partition">The shard.</param>
    /// <param name="took">How long that took.</param>
    public void Restored(int partition, TimeSpan took)
    {
        using var span = IsOn ? EngineTraces.Source.StartActivity("restore", ActivityKind.Internal, default(ActivityContext),
            startTime: time.GetUtcNow() - took) : null;
        span?.SetTag("streamengine.partition", partition);
    }
}
