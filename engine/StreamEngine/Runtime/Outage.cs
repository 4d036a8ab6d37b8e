using System.Globalization;
using StreamEngine.Configuration;

namespace StreamEngine.Runtime;

/// <summary>
/// Something that the loop depends on and that is away: since when, and why. Told in the log at once, again at widening intervals, and when
/// it is over; <c>/healthz</c> and the metrics read it. One thread tells, any may read.
/// </summary>
/// <param name="dependency">Its name, as in <c>the schema registry</c> without the article.</param>
/// <param name="time">Measures how long.</param>
/// <param name="report">Takes the lines for the log.</param>
public sealed class Outage(string dependency, TimeProvider time, Action<WorkerEvent> report)
{
    private static readonly TimeSpan FirstAgain = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MostBetween = TimeSpan.FromMinutes(10);

    private volatile State? _state;
    private TimeSpan _again;

    /// <summary>What is away, in words.</summary>
    public string Dependency => dependency;

    /// <summary>The same as a label of the metric.</summary>
    public string Label { get; } = Spelling.Kebab(dependency.Replace(' ', '-'));

    /// <summary>For how long it has been away; null where it is not.</summary>
    public TimeSpan? Lasts => _state is { } state ? time.GetElapsedTime(state.Since) : null;

    /// <summary>Why, as last told; empty where it is not away.</summary>
    public string Reason => _state?.Reason ?? "";

    /// <summary>It is away, for this reason, and this waits for it.</summary>
    public void Away(string reason, string waits)
    {
        if (_state is not { } state)
        {
            _state = new State(time.GetTimestamp(), reason);
            _again = FirstAgain;
            report(new WorkerEvent(true, $"The {dependency} does not answer: {reason.TrimEnd('.')}. {waits}"));
            return;
        }
        if (state.Reason != reason) _state = state with { Reason = reason };
        var lasts = time.GetElapsedTime(state.Since);
        if (lasts < _again) return;
        _again = lasts * 3 < lasts + MostBetween ? lasts * 3 : lasts + MostBetween;
        report(new WorkerEvent(true, $"The {dependency} has not answered for {Text(lasts)}: {reason.TrimEnd('.')}. {waits}"));
    }

    /// <summary>It answers; nothing waits for it any more.</summary>
    public void Back()
    {
        if (_state is not { } state) return;
        _state = null;
        report(new WorkerEvent(false, $"The {dependency} answers again after {Text(time.GetElapsedTime(state.Since))}; what waited for it "
            + "goes on."));
    }

    private static string Text(TimeSpan lasts) => string.Create(CultureInfo.InvariantCulture, $"{lasts.TotalSeconds:0} s");

    private sealed record State(long Since, string Reason);
}
