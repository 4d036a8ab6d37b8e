using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// The declared event-time timers. Each has a slot in the profile with the newest start, the newest cancel, the start it last fired for and
/// the time it waits for in the heap. Only maxima are kept, so any order of the same events arms the same timers; a cancel at the time of a
/// start wins.
/// </summary>
public sealed class TimerSet
{
    private const int None = -1;
    private readonly Timer[] _timers;
    private readonly int _declared;
    private readonly long _recheck;

    private sealed record Timer(string Name, BoolExpr Start, BoolExpr? Cancel, long After, Slot Slot);

    private struct State
    {
        public long Started, Cancelled, Fired, Waiting;
    }

    private TimerSet(Timer[] timers, int declared)
    {
        (_timers, _declared) = (timers, declared);
        _recheck = timers.Length > declared ? timers[^1].After : 0;
    }

    /// <summary>The declared timers' names in order.</summary>
    public IReadOnlyList<string> Names => [.. _timers.Take(_declared).Select(t => t.Name)];

    /// <summary>How many are declared.</summary>
    public int Count => _declared;

    /// <summary>Compiles the declared timers and reserves their slots.</summary>
    /// <param name="options">The timers.</param>
    /// <param name="scope">What their conditions see.</param>
    /// <param name="layout">The profile's layout.</param>
    /// <param name="errors">Takes the mistakes.</param>
    /// <param name="recheck">How often segments are looked at again, by a timer of its own; zero for never.</param>
    public static TimerSet Compile(IReadOnlyList<TimerOptions> options, Scope scope, StateLayout layout, ConfigErrors errors,
        TimeSpan recheck = default)
    {
        var timers = new List<Timer>();
        foreach (var o in options)
        {
            var start = ExpressionCompiler.Bool(o.Start, scope, errors);
            var cancel = o.Cancel is null ? null : ExpressionCompiler.Bool(o.Cancel, scope, errors);
            if (o.After <= TimeSpan.Zero)
                errors.Add(o.Node, "after", $"a timer can't fire after {o.After}", "Give a positive duration such as 30m.");
            var slot = layout.Reserve($"timer/{o.Name}", Unsafe.SizeOf<State>(), "timer",
                $"started by {o.Start.Text.Trim()}{(o.Cancel is null ? "" : $", cancelled by {o.Cancel.Text.Trim()}")}");
            timers.Add(new Timer(o.Name, start ?? (_ => false), cancel, (long)o.After.TotalMilliseconds, slot));
        }
        if (recheck > TimeSpan.Zero)
            timers.Add(new Timer("", _ => false, null, (long)recheck.TotalMilliseconds,
                layout.Reserve("audiences/recheck", Unsafe.SizeOf<State>(), "timer")));
        return new TimerSet([.. timers], options.Count);
    }

    /// <summary>Prepares a new profile.</summary>
    public void Initialize(Span<byte> profile)
    {
        foreach (var timer in _timers)
            At(profile, timer) = new State { Started = long.MinValue, Cancelled = long.MinValue, Fired = long.MinValue, Waiting = None };
    }

    /// <summary>Applies an event; a timer that must be waited for now (and is not yet) is scheduled with the profile's key.</summary>
    public void Update(Span<byte> profile, Event e, EvalContext context, TimerHeap heap)
    {
        for (var i = 0; i < _declared; i++)
        {
            var timer = _timers[i];
            ref var state = ref At(profile, timer);
            if (timer.Cancel is not null && e.Time > state.Cancelled && timer.Cancel(context)) state.Cancelled = e.Time;
            if (e.Time > state.Started && timer.Start(context)) state.Started = e.Time;
            if (state.Waiting != None || !Armed(state)) continue;
            state.Waiting = state.Started + timer.After;
            heap.Push(state.Waiting, i, e.Customer.Text);
        }
    }

    /// <summary>Whether and from when on the segments of a customer are to be looked at again.</summary>
    /// <param name="profile">The customer's profile.</param>
    /// <param name="at">When they were looked at, ms.</param>
    /// <param name="wanted">Whether it is a member of any.</param>
    /// <param name="heap">The timers that wait.</param>
    /// <param name="key">The profile's key.</param>
    internal void LookAgain(Span<byte> profile, long at, bool wanted, TimerHeap heap, ReadOnlySpan<byte> key)
    {
        if (_recheck == 0) return;
        ref var state = ref At(profile, _timers[_declared]);
        state.Started = wanted && at < long.MaxValue - _recheck ? Math.Max(at, state.Started) : long.MinValue;
        if (state.Waiting != None || !Armed(state)) return;
        state.Waiting = state.Started + _recheck;
        heap.Push(state.Waiting, _declared, key);
    }

    /// <summary>Schedules what a loaded profile waits for.</summary>
    public void Resume(Span<byte> profile, TimerHeap heap, ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < _timers.Length; i++)
        {
            var waiting = At(profile, _timers[i]).Waiting;
            if (waiting != None) heap.Push(waiting, i, key);
        }
    }

    /// <summary>The timers that wait, with the time at which each is due, ms.</summary>
    public IEnumerable<(string Name, long Due)> Waiting(byte[] profile)
    {
        foreach (var timer in _timers.Take(_declared))
        {
            var state = At(profile, timer);
            if (state.Waiting != None && Armed(state)) yield return (timer.Name, state.Started + timer.After);
        }
    }

    /// <summary>
    /// Lets a profile that was written under another <c>after</c> wait no longer than this one; a longer wait is found when the entry comes
    /// due.
    /// </summary>
    public void Rearm(Span<byte> profile)
    {
        foreach (var timer in _timers)
        {
            ref var state = ref At(profile, timer);
            if (state.Waiting != None && Armed(state)) state.Waiting = Math.Min(state.Waiting, state.Started + timer.After);
        }
    }

    /// <summary>
    /// A heap entry has come due: true where the timer fires now (marked as fired); otherwise it was cancelled, or its start moved on and
    /// it is scheduled anew for <paramref name="due"/>.
    /// </summary>
    public bool Fire(Span<byte> profile, int index, TimerHeap heap, ReadOnlySpan<byte> key, ref long due)
    {
        var timer = _timers[index];
        ref var state = ref At(profile, timer);
        if (state.Waiting != due) return false; // the entry of an older version of a loaded profile
        state.Waiting = None;
        if (!Armed(state)) return false;
        var real = state.Started + timer.After;
        if (real > due)
        {
            state.Waiting = due = real;
            heap.Push(real, index, key);
            return false;
        }
        state.Fired = state.Started;
        return true;
    }

    private static bool Armed(in State s) => s.Started > s.Cancelled && s.Started > s.Fired;

    private static ref State At(Span<byte> profile, Timer timer) =>
        ref Unsafe.As<byte, State>(ref MemoryMarshal.GetReference(timer.Slot.In(profile)));
}
