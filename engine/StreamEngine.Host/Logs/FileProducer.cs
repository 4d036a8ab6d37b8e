using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;

namespace StreamEngine.Host.Logs;

/// <summary>A record that could not be written.</summary>
/// <param name="File">Its file.</param>
/// <param name="Line">Its line there; of an Avro container, its number.</param>
/// <param name="Reason">Why.</param>
/// <param name="Detail">What exactly is wrong, personal data masked.</param>
internal sealed record Refused(string File, long Line, RejectReason Reason, string Detail);

/// <summary>
/// Writes the records of files to their sources' topics in the order of the files, keyed by customer id. Only what has no place in a topic
/// is refused: a record whose customer can't be read, or one that is too large. All else is the engine's to judge.
/// </summary>
internal sealed class FileProducer
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly IReadOnlyList<(EventFile File, byte[] Frame)> _files;
    private readonly EventCatalog _catalog;
    private readonly IEventDecoder?[] _decoders;
    private readonly ILogWriter _writer;
    private readonly int _limit;
    private readonly double _rate, _lateness;
    private readonly Event _event;
    private readonly byte[] _detail = new byte[512];
    private readonly long[] _newest;
    private readonly Lock _gate = new();
    private byte[] _buffer = new byte[1 << 12];
    private long _bytes, _due, _begun;
    private bool _closed;

    /// <summary>Prepares to write.</summary>
    /// <param name="files">The files, each with what stands before its values.</param>
    /// <param name="catalog">The sources, compiled for these files.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="limit">The most bytes of a record, key and value.</param>
    /// <param name="rate">Records a second; 0 for as fast as can be.</param>
    /// <param name="lateness">By how much an event may be older than one before it.</param>
    public FileProducer(IReadOnlyList<(EventFile File, byte[] Frame)> files, EventCatalog catalog, ILogWriter writer, int limit,
        double rate, TimeSpan lateness)
    {
        (_files, _catalog, _writer, _limit, _rate, _lateness) = (files, catalog, writer, limit, rate, lateness.TotalMilliseconds);
        _decoders = [.. catalog.Sources.Select((s, i) => files.Any(f => f.File.Source == i) ? s.CreateDecoder() : null)];
        _event = new Event(catalog.Fields);
        _newest = [.. catalog.Sources.Select(_ => long.MinValue)];
        WrittenBySource = new long[catalog.Sources.Count];
    }

    /// <summary>Records read so far.</summary>
    public long Read { get; private set; }

    /// <summary>Records written, by source.</summary>
    public long[] WrittenBySource { get; }

    /// <summary>Records refused, by reason.</summary>
    public long[] RefusedByReason { get; } = new long[Enum.GetValues<RejectReason>().Length];

    /// <summary>Events that are older by more than the lateness than one that was written before them to the same topic.</summary>
    public long Late { get; private set; }

    /// <summary>Told of each record that is refused; on the writing thread.</summary>
    public Action<Refused>? Refuses { get; init; }

    /// <summary>
    /// Writes until the end of the files or a stop; then all that was written is durable. Reading goes on beside, because a pipe that
    /// brings nothing can't be interrupted.
    /// </summary>
    /// <param name="progress">Told of the bytes read from disk.</param>
    /// <param name="stop">Ends it.</param>
    public void Run(Action<long> progress, CancellationToken stop)
    {
        Exception? failure = null;
        using var ended = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            try
            {
                Pump(stop);
            }
            catch (Exception e)
            {
                failure = e;
            }
            finally
            {
                lock (_gate)
                    if (!_closed) ended.Set();
            }
        })
        { Name = "produce", IsBackground = true };
        thread.Start();
        while (!stop.IsCancellationRequested && !ended.Wait(Look, CancellationToken.None))
        {
            lock (_gate) _writer.Flush(); // a pipe may rest, and its records should not
            progress(Interlocked.Read(ref _bytes));
        }
        lock (_gate)
        {
            _closed = true;
            _writer.Flush();
        }
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    private void Pump(CancellationToken stop)
    {
        _begun = TimeProvider.System.GetTimestamp();
        foreach (var (file, frame) in _files)
        {
            using var records = file.Open(n => Interlocked.Add(ref _bytes, n));
            while (!stop.IsCancellationRequested && records.Read() && Pace(stop))
            {
                lock (_gate)
                {
                    if (_closed) return;
                    Take(file, frame, records);
                }
            }
        }
    }

    /// <summary>Waits until the next record is due; false where that never comes.</summary>
    private bool Pace(CancellationToken stop)
    {
        if (_rate <= 0) return true;
        var ahead = TimeSpan.FromSeconds(_due++ / _rate) - TimeProvider.System.GetElapsedTime(_begun);
        if (ahead < -TimeSpan.FromSeconds(1))
        {
            // The input was slower than the rate: what comes now is not owed for that time.
            (_due, _begun) = (1, TimeProvider.System.GetTimestamp());
            return true;
        }
        if (ahead <= TimeSpan.Zero) return true;
        lock (_gate)
        {
            if (_closed) return false;
            _writer.Flush();
        }
        return !stop.WaitHandle.WaitOne(ahead < Tick ? Tick : ahead);
    }

    private void Take(EventFile file, byte[] frame, IRecordFile records)
    {
        Read++;
        var record = records.Record;
        var bare = file.SchemaId > 0 ? 5 : 0; // the files' own frame, of which the topic's readers know nothing
        var room = Math.Max(frame.Length, bare) - bare;
        if (_buffer.Length < room + record.Length) _buffer = new byte[Math.Max(_buffer.Length * 2, room + record.Length)];
        record.CopyTo(_buffer.AsSpan(room));
        var source = _catalog.Sources[file.Source];
        _event.BeginBatch();
        _event.Clear();
        _event.Time = long.MinValue;
        var reason = record.Length > file.MaxRecordBytes ? RejectReason.Oversized
            : _decoders[file.Source]!.Decode(_buffer, new Range32(room, record.Length), new Range32(room, 0), _event);
        var customer = _event.Customer.Text;
        if (reason != RejectReason.Oversized && customer.Length + record.Length - bare + frame.Length > _limit)
            reason = RejectReason.Oversized;
        if (reason == RejectReason.Oversized || customer.IsEmpty)
        {
            if (reason == RejectReason.None) reason = RejectReason.MissingCustomer;
            Refuse(file, source, records.Number, reason);
            return;
        }
        frame.CopyTo(_buffer.AsSpan(room + bare - frame.Length));
        var time = _event.Time;
        if (time == long.MinValue) time = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        else if (reason == RejectReason.None)
        {
            if (_newest[file.Source] - (double)time > _lateness) Late++;
            _newest[file.Source] = Math.Max(_newest[file.Source], time);
        }
        _writer.Write(source.Topic, customer, _buffer.AsSpan(room + bare - frame.Length, record.Length - bare + frame.Length),
            Math.Max(0, time));
        WrittenBySource[file.Source]++;
    }

    private void Refuse(EventFile file, EventSource source, long line, RejectReason reason)
    {
        RefusedByReason[(int)reason]++;
        var detail = reason == RejectReason.Oversized ? $"longer than {Math.Min(_limit, file.MaxRecordBytes)} bytes"
            : Encoding.UTF8.GetString(_detail, 0, source.Explain(_event, reason, _detail));
        Refuses?.Invoke(new Refused(file.Path, line, reason, detail));
    }
}
