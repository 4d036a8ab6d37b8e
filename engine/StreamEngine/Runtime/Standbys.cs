using System.Diagnostics.Metrics;
using StreamEngine.Connectors;
using StreamEngine.State.Checkpoints;
using StreamEngine.Telemetry;

namespace StreamEngine.Runtime;

/// <summary>
/// The shards whose checkpoints this process keeps up to date without owning them, on one thread with one reader:
/// <code>
///  (1) plan    now and then: which shards the group would give to this node if their owner's node died
///  (2) open    the files of those that are new; close those that are no longer ours to follow
///  (3) follow  each a while: to the end of its partition of the checkpoint topic, as far as that stood when asked
/// </code>
/// A worker that is assigned such a shard takes the files over by <see cref="OpenCheckpoints"/>. Whatever fails here is told and tried
/// again: the live shards do not need it.
/// </summary>
internal sealed class Standbys : IDisposable
{
    private const int ReadRecords = 1_000, QuietTries = 3;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1), PlanEvery = TimeSpan.FromSeconds(5), Turns = TimeSpan.FromSeconds(2),
        ReadTime = TimeSpan.FromMilliseconds(100), EndPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(5), LongestWait = TimeSpan.FromMinutes(5);

    private readonly WorkerSettings _settings;
    private readonly CompiledEngine _engine;
    private readonly Func<int, Action<CheckpointEvent>, CheckpointFiles> _open;
    private readonly Meter _meter = EngineMeter.Create();
    private readonly ManualResetEventSlim _stop = new();
    private readonly RecordBatch _batch = new();
    private readonly Dictionary<int, Retry> _retries = [];
    private readonly HashSet<int> _told = [];       // shards that were told to be up to date, or of another layout
    private Thread? _thread;
    private ILogReader? _reader;
    private long _planned;
    private bool _alone, _ill;

    /// <summary>Guards what a worker's take-over changes. Never held while the log is asked, so that no worker waits for it.</summary>
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, StandbyShard> _shards = [];
    private SortedSet<int> _wanted = [];

    /// <summary>When a shard that failed is tried again.</summary>
    private readonly record struct Retry(long Since, TimeSpan Wait, int Tries);

    private Standbys(WorkerSettings settings)
    {
        _settings = settings;
        _engine = settings.Engine;
        _open = settings.OpenCheckpoints!;
        _meter.CreateObservableGauge("streamengine.standbys", () =>
            (long)Followed().Length, "{shard}", "Shards whose checkpoints are followed without being owned.");
        _meter.CreateObservableGauge("streamengine.standbys.ready", () =>
            (long)Followed().Count(s => s.Closed is not null), "{shard}", "Those of them that hold a whole checkpoint.");
        _meter.CreateObservableGauge("streamengine.standby.lag", () => Followed()
            .Select(s =>
            new Measurement<long>(Math.Max(0, s.End - Math.Max(0, s.Position)),
            new KeyValuePair<string, object?>("partition", s.Topic.Partition))), "{record}",
            "Records of the checkpoint topic that a standby has not read yet.");
    }

    /// <summary>The standbys that the config asks for; null where it asks for none.</summary>
    /// <param name="settings">The workers' settings, with the instance id of the node.</param>
    public static Standbys? For(WorkerSettings settings) =>
        settings.Engine.Options.Checkpoints.Standbys > 0 && settings.OpenCheckpoints is not null && settings.Engine.Outputs.Checkpoints >= 0
            ? new Standbys(settings) : null;

    /// <summary>Begins to follow, on a thread of its own.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { Name = "standbys", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Opens a shard's files for its owner, a worker of this process; a standby of the shard lets go of them first. From any thread.
    /// </summary>
    /// <exception cref="IOException">Another process has them open, or they can't be written.</exception>
    public CheckpointFiles OpenCheckpoints(int partition, Action<CheckpointEvent> report)
    {
        lock (_gate)
        {
            Close(partition);
            _wanted.Remove(partition);
            return _open(partition, report);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        // It may wait for a log that is away; the process ends without it then.
        if (_thread?.Join(EndPatience) == false) return;
        lock (_gate)
            foreach (var partition in _shards.Keys.ToArray()) Close(partition);
        _reader?.Dispose();
        _meter.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        for (var busy = false; busy || !_stop.Wait(Rest);)
        {
            busy = false;
            if (_stop.IsSet) return;
            try
            {
                busy = Turn();
                _ill = false;
            }
            catch (OperationCanceledException)
            {
                return; // the log's waits were stopped, and with them everything
            }
            catch (Exception e)
            {
                // Mostly a log that is away. Where it stands and what is in the files stays true.
                if (!_ill) _settings.Report(new WorkerEvent(true, $"Standbys wait: {e.Message}"));
                _ill = true;
            }
        }
    }

    /// <summary>One turn, as the class says; true where there is more to do at once.</summary>
    /// <exception cref="LogException">The log does not answer.</exception>
    internal bool Turn()
    {
        if (_planned == 0 || _settings.Time.GetElapsedTime(_planned) >= PlanEvery) Plan();
        Open();
        var busy = false;
        foreach (var shard in Followed())
            if (!_stop.IsSet) busy |= Follow(shard);
        return busy;
    }

    /// <summary>(1) While the group is changing, what there is stays: it may be about to be needed.</summary>
    private void Plan()
    {
        if (_alone) return;
        var members = _settings.Log.Members(_engine.Options.Name);
        _planned = _settings.Time.GetTimestamp();
        if (members is null)
        {
            _alone = true;
            _settings.Report(new WorkerEvent(false, "No standbys are kept: this log has one process, and its checkpoint files are here."));
            return;
        }
        if (members.Count == 0) return;
        var wanted = StandbyPlan.For(_settings.InstanceId, members, _engine.Events.Sources[0].Topic, _engine.Options.Checkpoints.Standbys);
        lock (_gate)
        {
            _wanted = wanted;
            foreach (var partition in _shards.Keys.Where(p => !wanted.Contains(p)).ToArray()) Close(partition);
        }
        _told.IntersectWith(wanted);
    }

    /// <summary>(2)</summary>
    private void Open()
    {
        lock (_gate)
            foreach (var partition in _wanted)
            {
                if (_shards.ContainsKey(partition)
                    || (_retries.TryGetValue(partition, out var retry)
                    && _settings.Time.GetElapsedTime(retry.Since) < retry.Wait)) continue;
                try
                {
                    _shards[partition] = new StandbyShard(partition, _engine, _open, _settings.SliceBytes, _settings.Time);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // A worker of this process that has lost the shard may not have closed its files yet.
                    Again(partition, e.Message, quietly: _retries.GetValueOrDefault(partition).Tries < QuietTries);
                }
            }
    }

    /// <summary>(3) True where the shard has more to read and can.</summary>
    private bool Follow(StandbyShard shard)
    {
        Tell(shard);
        try
        {
            if (shard.Failure is { } failure) return GiveUp(shard, failure.Message);
            if (!shard.Behind)
            {
                var asked = _settings.Time.GetTimestamp();
                var (low, high) = _settings.Log.Watermarks(shard.Topic);
                if (shard.Position > high || (shard.Position >= 0 && shard.Position < low))
                    return GiveUp(shard, $"the checkpoint topic holds offsets {low} to {high} now, and was read to {shard.Position}");
                shard.Begin(low, high, asked);
                if (!shard.Behind) return false;
            }
            return Read(shard);
        }
        catch (Exception e) when (e is OffsetOutOfRangeException or IOException or UnauthorizedAccessException)
        {
            return GiveUp(shard, e.Message);
        }
    }

    private bool Read(StandbyShard shard)
    {
        _reader ??= _settings.Log.OpenReader();
        _reader.Assign(shard.Topic, shard.Position);
        for (var began = _settings.Time.GetTimestamp(); shard.Behind && shard.HasRoom && !_stop.IsSet;)
        {
            // An open transaction holds readers up; the other shards need not wait for its end.
            if (_settings.Time.GetElapsedTime(began) > Turns) return true;
            _reader.Read(_batch, ReadRecords, ReadTime);
            string? why;
            lock (_gate)
            {
                if (!IsFollowed(shard)) return false; // a worker took it over
                why = shard.Add(_batch, _reader.Position);
                if (why is null && !shard.Behind) why = shard.Close();
            }
            if (why is not null) return GiveUp(shard, why);
        }
        return shard.Behind && shard.HasRoom;
    }

    private bool GiveUp(StandbyShard shard, string why)
    {
        var partition = shard.Topic.Partition;
        lock (_gate)
        {
            if (!IsFollowed(shard)) return false;
            Close(partition);
        }
        _told.Remove(partition);
        Again(partition, why);
        return false;
    }

    private void Again(int partition, string why, bool quietly = false)
    {
        var before = _retries.GetValueOrDefault(partition);
        var wait = before.Tries == 0 ? FirstWait : before.Wait * 2 < LongestWait ? before.Wait * 2 : LongestWait;
        _retries[partition] = new Retry(_settings.Time.GetTimestamp(), wait, before.Tries + 1);
        if (!quietly)
            _settings.Report(new WorkerEvent(true,
                $"Shard {partition}'s standby starts over in {wait.TotalSeconds:0} s: {why.TrimEnd('.')}."));
    }

    /// <summary>Tells once how a standby is.</summary>
    private void Tell(StandbyShard shard)
    {
        var partition = shard.Topic.Partition;
        if (shard.Closed is { } cut)
        {
            _retries.Remove(partition);
            if (_told.Add(partition))
                _settings.Report(new WorkerEvent(false,
                    $"Shard {partition}'s standby is up to date: checkpoint {cut.Number} with {cut.Profiles} profiles."));
        }
        else if (shard.OtherVersion is { } version && _told.Add(partition))
            _settings.Report(new WorkerEvent(true, $"Shard {partition}'s checkpoints have the layout {version}, this config's is "
                + $"{_engine.StateVersion}: its standby waits until the shard's owner runs this config too."));
    }

    private bool IsFollowed(StandbyShard shard) => _shards.TryGetValue(shard.Topic.Partition, out var now) && now == shard;

    private void Close(int partition)
    {
        if (_shards.Remove(partition, out var shard)) shard.Dispose();
    }

    private StandbyShard[] Followed()
    {
        lock (_gate) return [.. _shards.Values];
    }
}
