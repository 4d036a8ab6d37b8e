using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// The fold of decisions that wait for the end of quiet hours into a shard's state: one that could show nothing is put into its customer's
/// profile, and the watermark that passes the end takes it out, to be made anew. Each step is called with the profile at hand.
/// </summary>
internal sealed class DeferralFold(ShardState shard, DeferredDecisions deferred)
{
    /// <summary>What these waits are called among timers.</summary>
    public const int Timer = int.MaxValue - 1;

    /// <summary>A decision that was just made waits.</summary>
    public void Defer(Span<byte> profile, in DecisionRequest request, Decision decision) =>
        Defer(profile, request.CustomerId, deferred.TriggerHash(request.Trigger), decision.Placement, decision.DeferredUntil, writes: true);

    /// <summary>The same for a decision that the log holds.</summary>
    public void Defer(Span<byte> profile, in LoggedDecision logged, ReadOnlySpan<byte> value, bool writes) =>
        Defer(profile, logged.Customer.Of(value), Events.Hash64.Of(logged.Trigger.Of(value)), logged.Placement.Of(value),
            logged.DeferredUntil, writes);

    /// <summary>Whether this is the look that a profile waits for.</summary>
    public bool IsDue(Span<byte> profile, long due) => deferred.IsDue(profile, due);

    /// <summary>
    /// Takes out the next decision whose end has come; where there is none any more, the profile waits for the next end.
    /// </summary>
    /// <param name="profile">The customer's profile.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="due">The end that has come, ms.</param>
    /// <param name="writes">Whether it is counted.</param>
    /// <param name="trigger">The trigger that opened it; -1 where the config has it no more, and it is not made.</param>
    /// <param name="placement">Where its offer will be shown.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(Span<byte> profile, ReadOnlySpan<byte> customer, long due, bool writes, out int trigger, out byte[] placement)
    {
        if (!deferred.TryTake(profile, due, out trigger, out placement))
        {
            Schedule(profile, customer);
            return false;
        }
        shard.Counters.DeferredNow--;
        Count(trigger < 0 ? DeferralFate.Expired : DeferralFate.Decided, writes);
        return true;
    }

    /// <summary>A profile of a checkpoint takes the place of what was there.</summary>
    public void Unloaded(ReadOnlySpan<byte> profile) => shard.Counters.DeferredNow -= deferred.Count(profile);

    /// <summary>A profile of a checkpoint is there: what it waits for is waited for.</summary>
    public void Loaded(Span<byte> profile, ReadOnlySpan<byte> customer)
    {
        shard.Counters.DeferredNow += deferred.Count(profile);
        if (deferred.Waiting(profile) is var due and not DeferredDecisions.Never) shard.Deferred.Push(due, Timer, customer);
    }

    private void Defer(Span<byte> profile, ReadOnlySpan<byte> customer, ulong trigger, ReadOnlySpan<byte> placement, long until,
        bool writes)
    {
        var pushed = deferred.Add(profile, trigger, placement, until);
        if (pushed == DeferralFate.TooLong) return;
        if (pushed == DeferralFate.None) shard.Counters.DeferredNow++;
        else Count(pushed, writes);
        Count(DeferralFate.Deferred, writes);
        Schedule(profile, customer);
    }

    private void Schedule(Span<byte> profile, ReadOnlySpan<byte> customer)
    {
        if (deferred.MustSchedule(profile, out var due)) shard.Deferred.Push(due, Timer, customer);
    }

    private void Count(DeferralFate fate, bool counts)
    {
        if (counts) shard.Counters.Deferrals[(int)fate]++;
    }
}
