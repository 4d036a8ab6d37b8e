using StreamEngine.Runtime.Requests;

namespace StreamEngine.Runtime;

/// <content>
/// Requests: what somebody asks of a customer enters the way of an event at step 6, between two batches. It has the position of the record
/// before it, so that a restore applies its decision after that record's own.
/// </content>
public sealed partial class Shard
{
    /// <summary>
    /// Serves a request. A decision that it opens is made with the worker's batch, and its answer is there once that is flushed.
    /// </summary>
    internal void Serve(ShardRequest request)
    {
        request.Shard = Partition;
        switch (request)
        {
            case DecideCall call:
                Decide(call);
                break;
            case ReadCall call:
                // Caps and decisions of the batch must be in the picture.
                _decisions.Flush();
                call.Made = _view.Read(_store, call.Customer, call.Time);
                break;
        }
    }

    private void Decide(DecideCall call)
    {
        if (_decisions.Full) _decisions.Flush();
        Look(call);
        if (_requestUpdate is { IsRepeated: true, Kept: null })
        {
            // Its first try may be in this very batch: then it is kept once the batch is decided.
            _decisions.Flush();
            Look(call);
        }
        if (_requestUpdate.IsRepeated)
        {
            if (_requestUpdate.Kept is { } kept) call.Repeat(_engine.Policy, _out.DecisionId(kept.Source, kept.Offset, kept.Ordinal), kept);
            else call.Fail(RequestStatus.Forgotten,
                "the request's id was used before, and its decision is not kept any more (requests.remember)");
            return;
        }
        // A shard that has seen no record stands before the first one of its first source.
        if (_source < 0) _source = 0;
        Counters.Requested++;
        _decisions.OpenRequest(call, _engine.Policy.Triggers.Count, new Cause(_source, _next[_source] - 1, _ordinal++),
            _requestUpdate.DecidedAt, _requestUpdate.Consent, _requestUpdate.IsStranger, _watermark);
    }

    private void Look(DecideCall call)
    {
        _requestUpdate.Call = call;
        _requestUpdate.Vector = _decisions.NextVector();
        _store.Update(call.Customer, _requestUpdate);
    }
}
