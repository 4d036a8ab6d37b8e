using System.Globalization;
using StreamEngine.Connectors;
using StreamEngine.Events;

namespace StreamEngine.Runtime;

/// <summary>
/// Whether anything of a source is let in. Where all of the first 1,000 records are rejected, most likely the config is at fault: that is
/// told at once, and once, with the reason and what can be done. Any thread may call it.
/// </summary>
internal sealed class FirstRecords(EventSource source, Action<WorkerEvent> report)
{
    /// <summary>After so many records it is told.</summary>
    public const int Judged = 1_000;

    private readonly long[] _counts = new long[EngineMetrics.Reasons.Count];
    private readonly string?[] _details = new string?[EngineMetrics.Reasons.Count];
    private long _seen;
    private volatile bool _over;

    /// <summary>A record was let in: nothing is to be told.</summary>
    public void Admitted()
    {
        if (!_over) _over = true;
    }

    /// <summary>A record was rejected.</summary>
    public void Rejected(in RecordInfo record, Event e, RejectReason reason, ShardOutputs writer)
    {
        if (_over) return;
        // What is known was let in before.
        if (reason == RejectReason.Duplicate) _over = true;
        else
            lock (_counts)
            {
                _counts[(int)reason]++;
                _details[(int)reason] ??= writer.Explain(record, e, reason);
                if (++_seen == Judged && !_over) Tell();
            }
    }

    /// <summary>Nothing more comes.</summary>
    public void Finish()
    {
        lock (_counts)
            if (!_over && _seen > 0) Tell();
    }

    private void Tell()
    {
        _over = true;
        var reasons = Enumerable.Range(0, _counts.Length).Where(r => _counts[r] > 0).OrderByDescending(r => _counts[r]).ToList();
        var most = reasons[0];
        var all = reasons.Count == 1 ? $"as {EngineMetrics.Reasons[most]}"
            : string.Join(", ", reasons.Select(r => $"{Text(_counts[r])} as {EngineMetrics.Reasons[r]}"));
        var records = _seen == 1 ? "The only record" : _seen == Judged ? $"All of the first {Text(_seen)} records"
            : $"All {Text(_seen)} records";
        report(new WorkerEvent(true, $"{records} of source '{source.Name}' {(_seen == 1 ? "is" : "are")} rejected, {all}: "
            + $"{(_details[most] is { Length: > 0 } detail ? $"{detail.TrimEnd('.')}. " : "")}{Remedy((RejectReason)most)}."));
    }

    private string Remedy(RejectReason reason) => reason switch
    {
        RejectReason.NoConsent => "Name the field that has it as 'consent' (a list of purposes, or { purpose: field }), declare 'purposes' "
            + "as the data call them, or take out 'requires'",
        RejectReason.MissingCustomer => "Name the field that has it as 'customer', or several as [first, second]; $key is the record's key",
        RejectReason.MissingId => "Name the field that has it as 'id', or hash(field, ...) where the data have none",
        RejectReason.MissingTime => "Name the field that has it as 'time', or several as [first, second]; $timestamp is the record's own",
        RejectReason.WrongType => "Declare the field as the data have it ('type', 'time.format', 'decimal_comma', 'nulls')",
        RejectReason.Malformed => $"Is the source's format {source.Options.Format.ToString().ToLowerInvariant()}?",
        RejectReason.UnknownSchema => "Register the schema, or look at 'schemas.registry', and at the source's 'framing' and 'schema'",
        RejectReason.BadUtf8 => "Let the producer write UTF-8; of files, 'encoding' says how they are written",
        RejectReason.Oversized => "Raise 'runtime.max_record_bytes', or look whether 'id' and 'customer' name the right fields",
        RejectReason.TooManyItems => "Raise the list's 'max_items', or look whether its path names the right array",
        RejectReason.WrongPartition => Misplacements.KeyThem(source.Options),
        RejectReason.FutureTime => "Are their times in the unit that 'time.format' says? Else raise 'time.max_future'",
        RejectReason.TooOld => "Are their times in the unit that 'time.format' says? Else lower 'time.earliest'",
        _ => "Are their times right? Another record has moved the watermark ahead of them; raise 'time.lateness' to let them in",
    };

    private static string Text(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
}
