using System.Diagnostics;
using StreamEngine.Testing;

namespace StreamEngine.SystemTests.Runs;

/// <summary>
/// A node of a cluster: its name and files stay, its processes come and go. It keeps both kinds of checkpoints; each start takes another
/// version of the model, where the job has several. With Akka nodes it is one of them and takes requests.
/// </summary>
internal sealed class Member(Arena arena, string name, int workers, int seed, AkkaNodes? akka = null)
{
    private const int Versions = 3;
    private static readonly int[] Intervals = [5, 20, 60];

    /// <summary>
    /// Shortened, so that a run sees many of them pass; the session's must be the longer one, and a single broker that is restarted must be
    /// back within the transaction's, or it may forget to mark what it aborts (README says more).
    /// </summary>
    public static readonly TimeSpan TransactionTimeout = TimeSpan.FromSeconds(14), SessionTimeout = TimeSpan.FromSeconds(16);

    /// <summary>The session timeout of engines whose broker stays.</summary>
    public static readonly TimeSpan ShortSession = TimeSpan.FromSeconds(8);

    /// <summary>The settings of engines whose broker stays.</summary>
    public static string[] Short { get; } = Timeouts(TimeSpan.FromSeconds(6), ShortSession);

    /// <summary>The settings of a node of an Akka cluster that takes requests, and has something to say where it can't serve one.</summary>
    public static string[] Requests(AkkaNodes akka, string name) =>
        [.. akka.Settings(name), "requests.remember=32", "requests.fallbacks={'*': offer-0}"];

    private static string[] Timeouts(TimeSpan transaction, TimeSpan session) =>
    [
        $"kafka.transaction_timeout={transaction.TotalSeconds}s",
        $"kafka.settings={{consumer.session.timeout.ms: {session.TotalMilliseconds}, consumer.heartbeat.interval.ms: 500}}",
    ];

    private volatile EngineProcess? _engine;
    private int _starts;

    /// <summary>The node's name.</summary>
    public string Name => name;

    /// <summary>Whether a fault is being done to it.</summary>
    public bool Busy { get; set; }

    /// <summary>Its process.</summary>
    public EngineProcess Engine => _engine ?? throw new InvalidOperationException($"{name} was never started");

    /// <summary>Its process, where it has one that has not ended.</summary>
    public EngineProcess? Running => _engine is { Ended: false } engine ? engine : null;

    /// <summary>Starts a process.</summary>
    /// <param name="topic">Whether it keeps the checkpoint topic besides its files.</param>
    public void Start(bool topic = true)
    {
        var start = _starts++;
        // Small batches and changing commit intervals, so that a fault finds a member amid its work.
        _engine = arena.Start(arena.Job.IsMeasured ? null : 1 + (seed + start) % Versions, drain: false, name,
            [$"checkpoints.topic={(topic ? arena.CheckpointTopic : "")}", "checkpoints.interval=2s", "runtime.max_poll_records=20",
            $"runtime.workers={workers}", $"runtime.commit_interval={Intervals[(seed + start) % Intervals.Length]}ms",
            .. akka is null ? [] : Requests(akka, name), .. Timeouts(TransactionTimeout, SessionTimeout)]);
    }

    /// <summary>
    /// Starts a process and waits until it has records. One that starts while the broker is away gives up after a while, and its supervisor
    /// starts it again.
    /// </summary>
    /// <param name="topic">Whether it keeps the checkpoint topic besides its files.</param>
    /// <exception cref="InvalidOperationException">It got none.</exception>
    public async Task StartWorking(bool topic = true)
    {
        var started = Stopwatch.GetTimestamp();
        bool took;
        do
        {
            Start(topic);
            took = await Engine.Until(async () => await Engine.Metric("streamengine_records_total") > 0, ClusterRun.Patience);
        }
        while (!took && Engine.Ended && Stopwatch.GetElapsedTime(started) < ClusterRun.Patience);
        if (!took) throw new InvalidOperationException($"{name} got no records:\n{Engine.Output}");
    }

    /// <summary>Ends the process as a machine dies.</summary>
    public Task Kill() => Engine.Kill();

    /// <summary>Ends it as an operator does.</summary>
    /// <exception cref="InvalidOperationException">It did not end well.</exception>
    public async Task Leave()
    {
        Engine.Terminate();
        var code = await Engine.Exit(TimeSpan.FromSeconds(90));
        if (code != 0) throw new InvalidOperationException($"{name} was asked to stop and ended with {code}:\n{Engine.Output}");
    }

    /// <summary>A fault of its own is done to it.</summary>
    /// <returns>What was done, for a line that begins with the kind.</returns>
    public async Task<string> Suffer(Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                var away = fault.Dice % 2 == 0 ? TimeSpan.Zero : fault.Between(0, 2 * SessionTimeout.TotalSeconds);
                await Kill();
                await Task.Delay(away);
                Start();
                return $" of {name}, away for {away.TotalSeconds:0.0} s";
            case FaultKind.StateLoss:
            case FaultKind.TopicLoss:
                await Kill();
                LoseState();
                if (fault.Kind == FaultKind.StateLoss) Start();
                else await StartWorking(topic: false); // a fault before that would take its shards elsewhere, and none came from the log
                return $" of {name}";
            case FaultKind.Leave:
                var rest = fault.Between(0, 2 * SessionTimeout.TotalSeconds);
                await Leave();
                await Task.Delay(rest);
                Start();
                return $" of {name}, away for {rest.TotalSeconds:0.0} s";
            default:
                var (session, transaction) = (SessionTimeout.TotalSeconds, TransactionTimeout.TotalSeconds);
                var still = fault.Kind == FaultKind.Zombie ? fault.Between(session + 1, session * 2)
                    : fault.Between(transaction, session - 1);
                Engine.Freeze();
                await Task.Delay(still);
                Engine.Thaw();
                return $" of {name} for {still.TotalSeconds:0.0} s";
        }
    }

    /// <summary>Deletes its local files; of a member that does not run.</summary>
    public void LoseState()
    {
        if (Directory.Exists(arena.StateOf(name))) Directory.Delete(arena.StateOf(name), recursive: true);
    }

    /// <summary>Starts it again where it ended by itself, which no fault may make it do.</summary>
    /// <returns>Its last words; null where it lives.</returns>
    public string? Revive()
    {
        if (_engine is null || !_engine.Ended) return null;
        var words = $"{name} ended by itself:\n{_engine.Output}";
        Start();
        return words;
    }
}
