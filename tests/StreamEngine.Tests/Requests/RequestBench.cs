using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.Testing.Simulation;
using StreamEngine.Tests.Simulation;

namespace StreamEngine.Tests.Requests;

/// <summary>A worker with two shards on a simulated Kafka, whose commits end as a test wants them to.</summary>
internal sealed class RequestBench : IDisposable
{
    private readonly SimEngines _engines;
    private readonly SimTasks _tasks = new();
    private readonly EngineMetrics _metrics;
    private readonly RequestCompiler _compiler;

    /// <param name="reply">When answers are released.</param>
    /// <param name="lease">The log's.</param>
    public RequestBench(ReplyWhen reply, TimeSpan lease)
    {
        _engines = new SimEngines(Delivery.ExactlyOnce, reply);
        Schedule = new Sick { Lease = lease };
        Log = new SimLog(SimLogKind.Kafka, Schedule);
        Log.CreateTopics(Topics.Needed(SimEngines.Options(twoSources: false), 2));
        var engine = _engines[1, 0];
        _metrics = new EngineMetrics(engine);
        _compiler = new RequestCompiler(engine);
        Worker = new Worker(new WorkerSettings
        {
            Engine = engine,
            Log = Log,
            InstanceId = "w",
            OpenStore = _ => new MemoryStateStore(),
            Time = Schedule.Time,
            Background = _tasks,
            Directory = Directory
        }, _metrics, Topics.Check(Log, engine));
    }

    public Sick Schedule { get; }

    public SimLog Log { get; }

    public ShardDirectory Directory { get; } = new(2);

    public Worker Worker { get; }

    public void Dispose()
    {
        Worker.Dispose();
        _metrics.Dispose();
        _engines.Dispose();
    }

    public void Restore()
    {
        for (var i = 0; Worker.Shards.Count < 2 && i < 100; i++)
        {
            while (_tasks.Count > 0) _tasks.RunOne();
            Turn(1);
        }
    }

    public Task<DecideReply> Ask(string prefix, int partition)
    {
        var customer = Enumerable.Range(0, 100).Select(i => $"{prefix}-{i}")
            .First(c => Murmur2.Partition(System.Text.Encoding.UTF8.GetBytes(c), 2) == partition);
        var call = _compiler.Compile(new DecideRequest { Customer = customer, Id = customer }, 0, long.MaxValue, [])!;
        Directory.Find(partition)!.Enqueue(call);
        return call.Answered;
    }

    public void Turn(int turns)
    {
        for (; turns > 0; turns--) Worker.Turn();
    }

    /// <summary>Commits well, or aborts; a commit may take long.</summary>
    internal sealed class Sick : SimSchedule
    {
        public bool IsWell { get; set; } = true;

        /// <summary>For how long everything stands still at the end of the next commit.</summary>
        public TimeSpan Stall { get; set; }

        public override SimFate Fate() => IsWell ? SimFate.Commit : SimFate.Abort;

        public override void At(SimPoint point)
        {
            Time.Advance(TimeSpan.FromMilliseconds(5));
            if (point != SimPoint.CommitEnds) return;
            Time.Advance(Stall);
            Stall = TimeSpan.Zero;
        }
    }
}
