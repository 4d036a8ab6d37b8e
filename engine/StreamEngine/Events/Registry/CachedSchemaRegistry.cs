using System.Collections.Concurrent;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Registry;

/// <summary>
/// Keeps what a registry over a network has answered, so that a schema is fetched once, and asks on in the background while it does not
/// answer, so that nobody's thread stands still for longer than <see cref="Grace"/>.
/// <list type="bullet">
/// <item>A schema is kept for ever: registries never change one.</item>
/// <item>An id that the registry does not know is asked for again after <see cref="NegativeExpiry"/>.</item>
/// <item>A registry that is away is not an answer: <see cref="ById"/> throws, and whoever needs the schema comes again. Only once it has
/// been away for the patience given does an id count as unknown, until the registry answers again.</item>
/// </list>
/// </summary>
public sealed class CachedSchemaRegistry : ISchemaRegistry, IDisposable
{
    /// <summary>How many unknown or awaited ids are remembered: foreign bytes can name any.</summary>
    private const int MaxIds = 10_000;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<int, AvroSchema> _byId = new();
    private readonly FingerprintIndex _byFingerprint = new();
    private readonly ConcurrentDictionary<int, long> _unknown = new();
    private readonly ConcurrentDictionary<int, Question> _asked = new();
    private readonly SemaphoreSlim _few = new(4);
    private readonly CancellationTokenSource _stop = new();
    private readonly ISchemaSource _source;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;
    private readonly Func<Func<RegisteredSchema?>, RegisteredSchema?> _atStart;
    private long _awaySince;   // of the clock; 0 while it answers

    /// <summary>Asks nothing yet.</summary>
    /// <param name="source">The registry; disposed with this.</param>
    /// <param name="patience">How long a registry may be away before unknown ids are refused; zero waits for ever.</param>
    /// <param name="clock">Ages what is not known.</param>
    /// <param name="atStart">Runs a start's question; may wait for an answer. By default it is asked once.</param>
    public CachedSchemaRegistry(ISchemaSource source, TimeSpan patience, TimeProvider clock,
        Func<Func<RegisteredSchema?>, RegisteredSchema?>? atStart = null) =>
        (_source, _patience, _clock, _atStart) = (source, patience, clock, atStart ?? (ask => ask()));

    /// <summary>The registry itself, to ask what is not kept here.</summary>
    public ISchemaSource Source => _source;

    /// <summary>How long a caller waits for an answer.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an unknown id stays unknown before it is asked for again.</summary>
    public TimeSpan NegativeExpiry { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public AvroSchema? ById(int id)
    {
        if (_byId.TryGetValue(id, out var known)) return known;
        if (_unknown.TryGetValue(id, out var since) && _clock.GetElapsedTime(since) < NegativeExpiry) return null;
        if (_asked.Count > MaxIds) return IsPatienceOver ? null : throw new SchemaRegistryException($"{MaxIds} ids wait for the registry");
        var question = _asked.GetOrAdd(id, i => new Question(i));
        question.Begin(() => AskAsync(question));
        // While it is known to be away nobody waits for it here.
        if (Volatile.Read(ref _awaySince) == 0) question.Told.Wait(Grace);
        // Faults where the schema can't be used: that is an answer, and the caller's to remember.
        if (question.Answer is { } answer) return answer.GetAwaiter().GetResult();
        if (IsPatienceOver) return null;
        throw new SchemaRegistryException(question.Failure ?? $"no answer about schema id {id} within {Grace.TotalSeconds:0.#} s");
    }

    /// <summary>The schema of a fingerprint among those met so far: the registry's API does not know fingerprints.</summary>
    public AvroSchema? ByFingerprint(ulong fingerprint) => _byFingerprint.Find(fingerprint);

    /// <inheritdoc/>
    public RegisteredSchema? Latest(string subject) => _atStart(() =>
    {
        var latest = _source.LatestAsync(subject, _stop.Token).GetAwaiter().GetResult();
        if (latest is not null) Keep(latest.Id, latest.Schema);
        return latest;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _source.Dispose();
    }

    private bool IsPatienceOver => _patience > TimeSpan.Zero && Volatile.Read(ref _awaySince) is var since and not 0
        && _clock.GetElapsedTime(since) >= _patience;

    /// <summary>Asks until there is an answer, at widening intervals.</summary>
    private async Task AskAsync(Question question)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await _few.WaitAsync(_stop.Token).ConfigureAwait(false);
                try
                {
                    var schema = await _source.ByIdAsync(question.Id, _stop.Token).ConfigureAwait(false);
                    // Before the answer can be seen: who has it and asks about another id must not be refused for the patience of before.
                    Volatile.Write(ref _awaySince, 0);
                    if (schema is not null) Keep(question.Id, schema);
                    else Refuse(question.Id);
                    Answer(question, Task.FromResult(schema));
                    return;
                }
                finally
                {
                    _few.Release();
                }
            }
            catch (SchemaRegistryException e) when (e.Unusable)
            {
                Volatile.Write(ref _awaySince, 0);
                Answer(question, Task.FromException<AvroSchema?>(e));
                return;
            }
            catch (SchemaRegistryException e)
            {
                Interlocked.CompareExchange(ref _awaySince, Math.Max(1, _clock.GetTimestamp()), 0);
                question.Fail(e.Message);
                await Task.Delay(pause, _clock, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    private void Answer(Question question, Task<AvroSchema?> answer)
    {
        // Not the other way round: who asks anew after hearing the answer must not find this question, whose answer may be old by then.
        _asked.TryRemove(new(question.Id, question));
        question.Tell(answer);
    }

    private void Keep(int id, AvroSchema schema)
    {
        _byId[id] = schema;
        _byFingerprint.Add(schema);
        _unknown.TryRemove(id, out _);
    }

    private void Refuse(int id)
    {
        if (_unknown.Count > MaxIds) _unknown.Clear();
        _unknown[id] = _clock.GetTimestamp();
    }

    /// <summary>An id that is asked for, until it is answered.</summary>
    private sealed class Question(int id)
    {
        private int _begun;

        public int Id { get; } = id;

        /// <summary>Set once there is an answer, or a first failure.</summary>
        public ManualResetEventSlim Told { get; } = new();

        public Task<AvroSchema?>? Answer { get; private set; }

        /// <summary>Why it could not be asked the last time.</summary>
        public string? Failure { get; private set; }

        public void Begin(Func<Task> ask)
        {
            if (Interlocked.Exchange(ref _begun, 1) == 0) _ = Task.Run(ask);
        }

        public void Tell(Task<AvroSchema?> answer)
        {
            Answer = answer;
            Told.Set();
        }

        public void Fail(string reason)
        {
            Failure = reason;
            Told.Set();
        }
    }
}
