using StreamEngine.Configuration;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Live;

/// <summary>
/// Sends one listener what is committed about its customer, each decision once and in order. Where it can't know what was committed, before
/// the watch began, while the customer's shard moved, or since the listener read too slowly, it reads the profile, which keeps the newest
/// decisions, and sends those behind the last one that was told; where that one is not kept any more, it says that some may be missing.
/// </summary>
/// <param name="listener">The listener's mailbox.</param>
/// <param name="sink">The way to it.</param>
/// <param name="sources">How profiles are read, and how many decisions they keep.</param>
/// <param name="metrics">Counts.</param>
/// <param name="time">The clock.</param>
internal sealed class LiveSession(LiveListener listener, ILiveSink sink, LiveSources sources, LiveMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _toldAgain = []; // by the newest read; they may come once more, behind it
    private string? _last;

    /// <summary>Sends until the listener goes or the stream has to end.</summary>
    /// <param name="last">The id that the listener was told last; null where it was told nothing yet.</param>
    /// <param name="retry">After how long a client should connect again.</param>
    /// <param name="watch">Begins to watch.</param>
    /// <param name="gone">The listener has gone.</param>
    /// <returns>Why the stream ended.</returns>
    public async Task<LiveEnd> RunAsync(string? last, TimeSpan retry, Func<IDisposable> watch, CancellationToken gone)
    {
        using (listener.Sending()) await sink.BeginAsync(retry, gone).ConfigureAwait(false);
        // (1) Where to begin: behind what the listener knows, or behind what is committed now.
        _last = last ?? (await ReadAsync(gone).ConfigureAwait(false) is { Status: RequestStatus.Done } now ? Newest(now) : null);
        await SendAsync(LiveMessage.Ready(listener.Customer, _last), gone).ConfigureAwait(false);
        using var watching = watch();
        for (var batch = new LiveBatch(); ;)
        {
            batch = await listener.TakeAsync(batch, gone).ConfigureAwait(false);
            // (2) Decisions: those first that were committed unheard.
            if (batch.Dropped > 0) metrics.Dropped(batch.Dropped);
            if (batch.IsComplete || batch.Dropped > 0) await CatchUpAsync(batch, gone).ConfigureAwait(false);
            foreach (var (update, told) in batch.Decisions) await TellAsync(update, told, gone).ConfigureAwait(false);
            // (3) Features, by their newest values.
            if (batch.Features.Count + batch.Texts.Count > 0)
                await SendAsync(LiveMessage.Features(batch), gone).ConfigureAwait(false);
            if (batch.IsBeatDue)
                using (listener.Sending()) await sink.BeatAsync(gone).ConfigureAwait(false);
            if (batch.End != LiveEnd.None)
            {
                await SendAsync(LiveMessage.Ends(batch.End), gone).ConfigureAwait(false);
                using (listener.Sending()) await sink.EndAsync(gone).ConfigureAwait(false);
                return batch.End;
            }
            batch.Clear();
        }
    }

    /// <summary>Sends the decisions behind the last one, as the profile keeps them, and says where some may be missing.</summary>
    private async Task CatchUpAsync(LiveBatch batch, CancellationToken gone)
    {
        var profile = await ReadAsync(gone).ConfigureAwait(false);
        if (profile.Status != RequestStatus.Done)
        {
            await SendAsync(LiveMessage.Missed(Spelling.Snake(profile.Status.ToString()), _last), gone).ConfigureAwait(false);
            return;
        }
        var kept = profile.Decisions; // the newest first
        var newer = 0;
        while (_last is not null && newer < kept.Count && kept[newer].DecisionId != _last) newer++;
        // Requests' decisions and others are kept apart: either may have pushed out some that were not told.
        var requested = kept.Take(newer).Count(d => d.ByRequest);
        var hasGap = _last is not null && (newer == kept.Count && _last != LiveMessage.NoDecision
            || requested >= sources.Requested || newer - requested >= sources.Caused);
        if (hasGap)
            await SendAsync(LiveMessage.Missed(batch.Dropped > 0 ? "slow" : "forgotten", _last), gone).ConfigureAwait(false);
        // What has come meanwhile is told in full, behind what is told again.
        listener.TakeMore(batch);
        var told = batch.Decisions.Select(d => d.Update.Decision!.DecisionId).ToHashSet();
        for (var i = newer - 1; i >= 0; i--)
            if (!told.Contains(kept[i].DecisionId)) await SendAsync(LiveMessage.Again(kept[i]), gone).ConfigureAwait(false);
        _toldAgain.Clear();
        if (_last is not null) _toldAgain.UnionWith(kept.Select(d => d.DecisionId).Where(id => !told.Contains(id)));
        _last = Newest(profile);
    }

    private async Task TellAsync(CustomerUpdate update, long told, CancellationToken gone)
    {
        var decision = update.Decision!;
        if (_toldAgain.Remove(decision.DecisionId)) return;
        await SendAsync(LiveMessage.Decision(update, decision), gone).ConfigureAwait(false);
        metrics.Decided(time.GetElapsedTime(told), time.GetUtcNow() - update.At);
        _last = decision.DecisionId;
    }

    private async Task<ProfileReply> ReadAsync(CancellationToken gone) =>
        await sources.Customers.ReadAsync(new ReadRequest { Customer = listener.Customer, Timeout = ReadPatience }, gone)
            .ConfigureAwait(false);

    private static string Newest(ProfileReply profile) =>
        profile.Decisions.Count > 0 ? profile.Decisions[0].DecisionId : LiveMessage.NoDecision;

    private async Task SendAsync(LiveMessage message, CancellationToken gone)
    {
        using (listener.Sending()) await sink.SendAsync(message, gone).ConfigureAwait(false);
        metrics.Sent(message.Type);
    }
}
