using System.Runtime.InteropServices;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.State;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.Runtime;

/// <summary>
/// A shard's checkpoints while it is live, and what was loaded from one while it is restored. A cut begins where a commit begins, and its
/// position is what that commit is about; the profiles changed since the last cut are then copied in slices, one where each further commit
/// begins, as of that commit's position. With a topic a slice's profiles travel in the very commit, fenced like every output; the files
/// are given a slice once its commit is confirmed, so they never hold what the log does not. No commit waits for a whole cut, and restore
/// applies to each profile only what its slice does not cover.
/// </summary>
internal sealed class ShardCut : IProfileReader
{
    /// <summary>The key of markers in the topic: no customer id, which is valid UTF-8.</summary>
    private static readonly byte[] MarkerKey = [0xFF];

    private const int ProfilesPerLook = 32;
    private const uint Loaded = 1u << 31;
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(1);

    private readonly IStateStore _store;
    private readonly CheckpointFiles? _files;
    private readonly OutputBuffer _outputs;
    private readonly int _topic, _partition;
    private readonly ShardCounters _counters;
    private readonly Func<Task<long>> _decisionsEnd;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly int _sliceBytes;
    private readonly string _version;
    private readonly CutBlock.Writer _block = new(), _single;
    private readonly List<CutPosition> _slices = [];
    private readonly List<(long Due, int Timer, byte[] Key, CutPosition Until)> _postponed = [];
    private CutPosition? _covering;
    private KeyList _changed = new(), _copying = new();
    private byte[] _key = new byte[64];
    private int _keyLength;
    private CutMarker? _cut;
    private Task<long>? _asked;
    private long _number;
    private long _due;
    private uint _epoch = 1;
    private bool _sliced;        // the slice in _block waits for its commit
    private int _profiles;       // in it
    private CutPosition _at = new([], -1, 0);
    private long _now;

    /// <param name="version">Layout and sources: a cut of another version is not loaded.</param>
    /// <param name="store">The shard's profiles.</param>
    /// <param name="files">The files that cuts go to; null where none are kept.</param>
    /// <param name="outputs">The interval's outputs, for the checkpoint topic.</param>
    /// <param name="topic">The checkpoint topic's index among the outputs; -1 where none is written.</param>
    /// <param name="partition">The shard's partition.</param>
    /// <param name="counters">The shard's.</param>
    /// <param name="interval">How long after one cut's begin the next begins.</param>
    /// <param name="sliceBytes">The most bytes of a slice, but for the last profile.</param>
    /// <param name="time">The clock.</param>
    /// <param name="decisionsEnd">Asks for the end of the shard's decision partition; may take a while.</param>
    public ShardCut(string version, IStateStore store, CheckpointFiles? files, OutputBuffer outputs, int topic, int partition,
        ShardCounters counters, TimeSpan interval, int sliceBytes, TimeProvider time, Func<Task<long>> decisionsEnd)
    {
        (_outputs, _topic, _partition) = (outputs, topic, partition);
        _version = version;
        _single = new CutBlock.Writer(version);
        _store = store;
        _files = files;
        _counters = counters;
        _decisionsEnd = decisionsEnd;
        _time = time;
        _interval = interval;
        _sliceBytes = sliceBytes;
        _due = time.GetTimestamp();
    }

    /// <summary>Whether profiles are waiting to be copied.</summary>
    public bool Busy => _cut is not null && HasRoom;

    /// <summary>Whether slices travel in commits: then a cut that is busy needs one, also where no record came.</summary>
    public bool NeedsCommits => _topic >= 0;

    private bool HasRoom => _files?.HasRoom ?? true;

    /// <summary>Notes that a profile changes; one compare where it has changed since the cut before.</summary>
    public void Touch(Span<byte> profile, ReadOnlySpan<byte> key)
    {
        ref var epoch = ref StateLayout.Epoch(profile);
        if (epoch == _epoch) return;
        epoch = _epoch;
        _changed.Add(key);
    }

    /// <summary>A slice is about to be loaded; its profiles get this number as their epoch.</summary>
    public uint Loading(CutPosition position)
    {
        _slices.Add(position);
        return Loaded | (uint)(_slices.Count - 1);
    }

    /// <summary>A profile was loaded from elsewhere: the next cut must hold it too.</summary>
    public void Changed(ReadOnlySpan<byte> key) => _changed.Add(key);

    /// <summary>
    /// Whether a loaded profile holds already what a cause did. Asked only while the shard is restored or catches up: what is live comes
    /// after every slice.
    /// </summary>
    public bool Covers(ReadOnlySpan<byte> profile, int source, long offset, int ordinal)
    {
        var epoch = MemoryMarshal.Read<uint>(profile[StateLayout.EpochOffset..]);
        _covering = (epoch & Loaded) != 0 ? _slices[(int)(epoch & ~Loaded)] : null;
        return _covering is not null && _covering.Covers(source, offset, ordinal);
    }

    /// <summary>
    /// A timer came due before the position that its profile was loaded as of, where it still waited (it was armed by that position's last
    /// event, when it was due already). It fires right behind that position, as it did or will do.
    /// </summary>
    public void Postpone(long due, int timer, ReadOnlySpan<byte> key) => _postponed.Add((due, timer, key.ToArray(), _covering!));

    /// <summary>Lets those timers wait again that nothing covers any more at a cause; all where there is none.</summary>
    public void Reschedule(ShardState shard, Cause? cause)
    {
        for (var i = _postponed.Count - 1; i >= 0; i--)
        {
            var (due, timer, key, until) = _postponed[i];
            if (cause is { } at && until.Covers(at.Source, at.Offset, at.Ordinal)) continue;
            var heap = timer switch
            {
                OutcomeFold.Timer => shard.Closings,
                DeferralFold.Timer => shard.Deferred,
                _ => shard.Timers,
            };
            heap.Push(due, timer, key);
            _postponed.RemoveAt(i);
        }
    }

    /// <summary>The shard was restored: numbers go on behind the cut it came from.</summary>
    public void Restored(CutMarker? from)
    {
        _number = from?.Number ?? 0;
        _due = _time.GetTimestamp() + ToTicks(_interval);
    }

    /// <summary>
    /// Everything applied up to here is what a commit is about: copies a slice of the cut, into the commit's outputs too where a topic is
    /// written, or begins a cut where one is due. A commit that is tried again has its slice already.
    /// </summary>
    public void Seal(ReadOnlySpan<long> next, int source, int ordinal, long watermark, ReadOnlySpan<long> newest, Switches switches,
        TableVersions tables, SharedView? shared)
    {
        if (_cut is not null && !_sliced) Slice(next, source, ordinal);
        if (_cut is null && _time.GetTimestamp() >= _due && _changed.Count > 0)
            Begin(next, source, ordinal, watermark, newest, switches, tables, shared);
    }

    /// <summary>That commit is confirmed: the slice goes to the files, and behind the last one the marker.</summary>
    public void Committed()
    {
        if (!_sliced) return;
        _sliced = false;
        if (_profiles > 0) _files?.Append(_block.Bytes, null, _profiles);
        if (_copying.Count > 0) return;
        _block.Mark(_cut!);
        _files?.Append(_block.Bytes, _cut, 0);
        if (_files is null) (_counters.Checkpoints, _counters.CheckpointAt) = (_counters.Checkpoints + 1, _cut!.CreatedAt);
        _cut = null;
    }

    void IProfileReader.Read(ReadOnlySpan<byte> profile)
    {
        var key = _key.AsSpan(0, _keyLength);
        _block.Add(key, profile);
        if (_topic < 0) return;
        _single.Begin(BlockKind.Profiles, _at.Next, _at.Source, _at.Ordinal);
        _single.Add(_block.Newest);
        _single.End();
        _outputs.Add(_topic, _partition, _partition, _now, key, _single.Bytes);
    }

    private void Begin(ReadOnlySpan<long> next, int source, int ordinal, long watermark, ReadOnlySpan<long> newest, Switches switches,
        TableVersions tables, SharedView? shared)
    {
        // The end of the decision partition, asked before the cut begins: whatever is decided after it lies behind.
        _asked ??= _decisionsEnd();
        if (!_asked.IsCompleted || !HasRoom) return;
        var asked = _asked;
        _asked = null;
        if (!asked.IsCompletedSuccessfully) return; // asked again; without an answer there is no cut, and restore takes longer
        _cut = new CutMarker(++_number, new CutPosition(next.ToArray(), source, ordinal), watermark, newest.ToArray(), asked.Result,
            _time.GetUtcNow().ToUnixTimeMilliseconds(), _store.Count, _version)
        { SwitchedOff = switches.Encoded.ToArray(), Tables = tables.Encoded.ToArray(), Shared = shared?.Encoded(watermark) ?? [] };
        _due = _time.GetTimestamp() + ToTicks(_interval);
        (_changed, _copying) = (_copying, _changed);
        _epoch++;
    }

    private void Slice(ReadOnlySpan<long> next, int source, int ordinal)
    {
        if (!HasRoom) return;
        var began = _time.GetTimestamp();
        _sliced = true;
        _profiles = 0;
        if (_topic >= 0) _at = new CutPosition(next.ToArray(), source, ordinal);
        _now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _block.Begin(BlockKind.Profiles, next, source, ordinal);
        while (_copying.Count > 0 && _block.Length < _sliceBytes)
        {
            var key = _copying.Take();
            if (_key.Length < key.Length) _key = new byte[key.Length * 2];
            key.CopyTo(_key);
            _keyLength = key.Length;
            _store.Read(_key.AsSpan(0, _keyLength), this);
            if (++_profiles % ProfilesPerLook == 0 && _time.GetElapsedTime(began) > SliceTime) break;
        }
        _block.End();
        if (_copying.Count > 0 || _topic < 0) return;
        _single.Mark(_cut!);
        _outputs.Add(_topic, _partition, _partition, _now, MarkerKey, _single.Bytes);
    }

    private long ToTicks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
