using System.Text.Json;

namespace StreamEngine.Dashboard.Data;

/// <summary>
/// The newest decisions and dead letters, read from their topics while somebody looks, by one reader of each kind for all who look.
/// </summary>
internal sealed class NewestRecords(DashboardSettings settings) : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly Kind[] _kinds =
        [.. Enum.GetValues<RecordKind>().Select(k => new Kind(() => settings.OpenNewest(k), settings.Time))];

    /// <summary>Begins to look at the newest records of a kind, until disposed.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="told">Told that there are others, on a thread of its own.</param>
    public IDisposable Watch(RecordKind kind, Action told) => _kinds[(int)kind].Add(told);

    /// <summary>The newest records, the newest first; empty until they are read.</summary>
    public IReadOnlyList<JsonElement> Of(RecordKind kind) => _kinds[(int)kind].Newest;

    /// <summary>Why they can't be read now; null where they can.</summary>
    public string? Fault(RecordKind kind) => _kinds[(int)kind].Fault;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kind in _kinds) kind.Dispose();
    }

    private sealed class Kind(Func<NewestReader?> open, TimeProvider time) : IDisposable
    {
        private const int Count = 25;

        private readonly Lock _gate = new(), _reading = new();
        private readonly List<Action> _told = [];
        private ITimer? _timer;
        private bool _ended;
        private NewestReader? _reader;

        public volatile IReadOnlyList<JsonElement> Newest = [];

        public volatile string? Fault;

        public IDisposable Add(Action told)
        {
            lock (_gate)
            {
                _told.Add(told);
                _timer ??= time.CreateTimer(_ => Read(), null, TimeSpan.Zero, Every);
            }
            return new Watcher(() => Remove(told));
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _ended = true;
                _timer?.Dispose();
            }
            lock (_reading)
            {
                _reader?.Dispose();
                _reader = null;
            }
        }

        private void Remove(Action told)
        {
            lock (_gate)
            {
                _told.Remove(told);
                if (_told.Count > 0) return;
                _timer?.Dispose();
                _timer = null;
            }
            // A read that is on its way may take a while: who leaves a page does not wait for it.
            _ = Task.Run(Close);
        }

        private void Close()
        {
            lock (_reading)
            {
                lock (_gate)
                    if (_told.Count > 0) return;
                _reader?.Dispose();
                _reader = null;
            }
        }

        private void Read()
        {
            if (!_reading.TryEnter()) return;
            try
            {
                lock (_gate)
                    if (_ended || _told.Count == 0) return;
                _reader ??= open();
                Newest = _reader is null ? [] : [.. _reader.Read(Count).Reverse().Select(Parse)];
                Fault = null;
            }
            catch (Exception e)
            {
                // Whatever it is, a page tells it: a look at the log must not end the engine.
                Fault = e.Message;
            }
            finally
            {
                _reading.Exit();
            }
            Action[] all;
            lock (_gate) all = [.. _told];
            foreach (var told in all) told();
        }

        private static JsonElement Parse(string json) => JsonElement.Parse(json);
    }

    private sealed class Watcher(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
    }
}
