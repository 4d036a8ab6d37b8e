namespace StreamEngine.Runtime.Requests;

/// <summary>
/// Serves one shard's requests: what somebody asks of a customer enters the way of an event at step 6, between two batches. It has the
/// position of the record before it, so that a restore applies its decision after that record's own.
/// </summary>
internal sealed class RequestServer(ShardState shard)
{
    private readonly RequestUpdate _update = new(shard);
    private readonly ProfileView _view = new(shard.Engine, shard.Writer.DecisionId);

    /// <summary>
    /// Serves a request. A decision that it opens is made with the worker's batch, and its answer is there once that is flushed.
    /// </summary>
    public void Serve(ShardRequest request)
    {
        request.Shard = shard.Partition;
        switch (request)
        {
            case DecideCall call:
                Decide(call);
                break;
            case ReadCall call:
                // Caps and decisions of the batch must be in the picture.
                shard.Decisions.Flush();
                call.Made = _view.Read(shard.Store, call.Customer, call.Time);
                break;
        }
    }

    private void Decide(DecideCall call)
    {
        var decisions = shard.Decisions;
        if (decisions.Full) decisions.Flush();
        Look(call);
        if (_update is { IsRepeated: true, Kept: null })
        {
            // Its first try may be in this very batch: then it is kept once the batch is decided.
            decisions.Flush();
            Look(call);
        }
        if (_update.IsRepeated)
        {
            if (_update.Kept is { } kept)
                call.Repeat(shard.Engine.Policy, shard.Writer.DecisionId(kept.Source, kept.Offset, kept.Ordinal), kept, _update.Profile);
            else call.Fail(RequestStatus.Forgotten,
                "the request's id was used before, and its decision is not kept any more (requests.remember)");
            return;
        }
        if (shard.Engine.HasTopicTables) RequestCompiler.Complete(shard.Engine, call.Fields, shard.Event.Tables);
        shard.Counters.Requested++;
        decisions.OpenRequest(call, shard.Engine.Policy.Triggers.Count, shard.Position.NextCauseOfOurs(), _update.DecidedAt,
            _update.Consent, _update.IsStranger, shard.Watermark);
    }

    private void Look(DecideCall call)
    {
        _update.Call = call;
        _update.Vector = shard.Decisions.NextVector();
        shard.Store.Update(call.Customer, _update);
        if (_update.Evicted) shard.Counters.DuplicatesEvicted++;
    }
}
