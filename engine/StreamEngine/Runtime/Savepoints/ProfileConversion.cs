using StreamEngine.State;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>Makes profiles of a savepoint ones of a config's layout. Reuses its buffers.</summary>
internal sealed class ProfileConversion(LayoutChange change, CompiledEngine engine)
{
    private const string Tail = "duplicates";

    private readonly HashSet<int> _added = [.. change.Added.Select(s => s.Offset)];
    private readonly Slot[] _plain = [.. change.Added.Where(s => !s.Name.StartsWith("features/", StringComparison.Ordinal))];
    private readonly bool _keepsTail = change.Kept.Any(k => k.To.Name == Tail);
    private readonly bool _addsTail = change.Added.Any(s => s.Name == Tail);
    private byte[] _profile = [], _other = [];

    /// <summary>Converts a profile; valid until the next call.</summary>
    /// <param name="old">The savepoint's profile; empty where it has none.</param>
    /// <param name="backfilled">The same customer's, folded from the log alone with the config's layout; empty where there is none.</param>
    public ReadOnlySpan<byte> Convert(ReadOnlySpan<byte> old, ReadOnlySpan<byte> backfilled)
    {
        var start = engine.Layout.FixedLength;
        var tail = _keepsTail && !old.IsEmpty ? old[change.FromLength..] : (_addsTail || old.IsEmpty) && !backfilled.IsEmpty
            ? backfilled[start..] : default;
        if (_profile.Length < start + tail.Length) _profile = new byte[2 * (start + tail.Length)];
        var profile = _profile.AsSpan(0, start + tail.Length);
        profile.Clear();
        engine.InitializeProfile(profile);
        tail.CopyTo(profile[start..]);
        if (!old.IsEmpty) Keep(old, profile);
        if (!backfilled.IsEmpty) Fill(backfilled, profile, old.IsEmpty);
        StateLayout.Epoch(profile) = 0;
        return profile;
    }

    private void Keep(ReadOnlySpan<byte> old, Span<byte> profile)
    {
        old[..StateLayout.HeaderLength].CopyTo(profile);
        // Consent is a bit per purpose, in the order of the config: the bits move with the purposes, and a new purpose has no consent yet.
        ref var consent = ref StateLayout.Consent(profile);
        var (was, now) = (consent, 0UL);
        for (var i = 0; i < change.Purposes.Length; i++)
            if (change.Purposes[i] >= 0 && (was >> change.Purposes[i] & 1) != 0) now |= 1UL << i;
        consent = now;
        engine.Consents.TakeOneTime(profile);
        foreach (var (from, to) in change.Kept) from.In(old).CopyTo(to.In(profile));
        engine.Timers.Rearm(profile);
        engine.Policy.Outcomes?.Open.Rearm(profile);
    }

    private void Fill(ReadOnlySpan<byte> backfilled, Span<byte> profile, bool isNew)
    {
        if (_other.Length < backfilled.Length) _other = new byte[2 * backfilled.Length];
        var other = _other.AsSpan(0, backfilled.Length);
        backfilled.CopyTo(other);
        if (isNew) other[..StateLayout.HeaderLength].CopyTo(profile);
        else
        {
            StateLayout.NewestTime(profile) = Math.Max(StateLayout.NewestTime(profile), StateLayout.NewestTime(other));
            // What the same word said about purposes that the savepoint does not know.
            if (StateLayout.ConsentTime(profile) == StateLayout.ConsentTime(other))
                for (var i = 0; i < change.Purposes.Length; i++)
                    if (change.Purposes[i] < 0) StateLayout.Consent(profile) |= StateLayout.Consent(other) & 1UL << i;
        }
        engine.Features.Take(profile, other, _added);
        foreach (var slot in _plain) slot.In(other).CopyTo(slot.In(profile));
    }
}
