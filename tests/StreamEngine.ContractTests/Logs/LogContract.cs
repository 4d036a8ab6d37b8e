using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

/// <summary>
/// What every log promises, in parts: <see cref="TopicContract"/>, <see cref="TransactionContract"/>, <see cref="DirectContract"/> and <see
/// cref="GroupContract"/>. A binding for a log is a class of ten lines for each part, which opens the log (and skips, with the reason,
/// where there is no broker). Polling may take time: every wait is bounded by <see cref="Patience"/>.
/// </summary>
public abstract class LogContract : IDisposable
{
    private ILog? _log;

    /// <summary>How long a test waits for what must happen.</summary>
    protected virtual TimeSpan Patience => TimeSpan.FromSeconds(20);

    /// <summary>The log under test, opened by the first use; names are unique per test, so it may be shared.</summary>
    private protected ILog Log => _log ??= OpenLog();

    /// <summary>Whether it keeps a record's trace header.</summary>
    protected virtual bool KeepsTraceParents => true;

    /// <summary>A name that no other test uses.</summary>
    private protected string Unique { get; } = "t" + Guid.NewGuid().ToString("n")[..12];

    /// <summary>Opens the log; <c>Skip.If</c> here where it can't be had.</summary>
    private protected abstract ILog OpenLog();

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Cleans up behind the log.</summary>
    protected virtual void Close() { }

    /// <summary>Creates a topic with this test's unique name and that ending.</summary>
    private protected string Topic(string ending, int partitions = 1)
    {
        var name = $"{Unique}-{ending}";
        Log.CreateTopics([new TopicSpec(name, partitions)]);
        return name;
    }

    /// <summary>
    /// A worker of this test's group that reads <paramref name="source"/> and writes <paramref name="output"/>, and has joined.
    /// </summary>
    private protected TestWorker Worker(string source, string output, string instance = "w1", bool resume = true,
        bool transactional = true) =>
        new(Log, new WorkerOptions
        {
            Group = Unique,
            InstanceId = $"{Unique}-{instance}",
            Sources = [source],
            Outputs = [output],
            Transactional = transactional
        }, resume);

    /// <summary>Polls the workers in turn until the condition holds; fails with the message when patience ends.</summary>
    private protected void Until(Func<bool> condition, string what, params TestWorker[] workers)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < Patience,
                $"Waited {Patience.TotalSeconds:0} s in vain for: {what}");
            foreach (var worker in workers) worker.Poll();
            if (workers.Length == 0) Thread.Yield();
        }
    }

    /// <summary>Writes records with key = value = the text.</summary>
    private protected void Produce(string topic, params string[] texts)
    {
        using var writer = Log.OpenWriter();
        foreach (var text in texts) writer.Write(topic, Bytes(text), Bytes(text), 1_000);
        writer.Flush();
    }

    /// <summary>All committed records of a partition from an offset up to the high watermark of now.</summary>
    private protected List<Received> ReadAll(string topic, int partition = 0, long from = 0)
    {
        var high = Log.Watermarks(new TopicPartition(topic, partition)).High;
        using var reader = Log.OpenReader();
        reader.Assign(new TopicPartition(topic, partition), from);
        var records = new List<Received>();
        var batch = new RecordBatch();
        Until(() =>
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(200));
            for (var i = 0; i < batch.Count; i++) records.Add(Received.From(batch, i, topic));
            return reader.Position >= high;
        }, $"reader of {topic}[{partition}] at {high}");
        return records;
    }

    /// <summary>The values of all committed records of a partition.</summary>
    private protected List<string> Values(string topic, int partition = 0) => [.. ReadAll(topic, partition).Select(r => r.Value)];

    /// <summary>
    /// Two outputs of a traced interval, a checkpoint's record between them, and one of an interval that is not traced: whose header says
    /// what.
    /// </summary>
    private protected void TellsItsTrace(bool transactional)
    {
        var (source, output, kept) = (Topic("in"), Topic("out"), Topic("kept"));
        Produce(source, "a");
        using var worker = new TestWorker(Log, new WorkerOptions
        {
            Group = Unique,
            InstanceId = $"{Unique}-w1",
            Sources = [source],
            Outputs = [output, kept],
            Transactional = transactional
        }, resume: true);
        Until(() => worker.Records.Count == 1, "a record", worker);
        const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        var outputs = new OutputBuffer { Untraced = 1 };
        foreach (var traced in new[] { true, false })
        {
            foreach (var topic in new[] { 0, 1, 0 }) outputs.Add(topic, 0, 0, 1_000, Bytes("k"), Bytes($"{traced}"));
            if (traced) outputs.TraceParent = Bytes(Trace);
            worker.Log.Begin();
            worker.Log.Write(outputs, 0, outputs.Count);
            Until(() => worker.Log.Commit([new OffsetToCommit(0, 0, 1)]) == CommitOutcome.Committed, "the commit");
            outputs.Clear();
        }
        Assert.Equal(["True", "True", "False", "False"], Values(output));
        Assert.Equal(KeepsTraceParents ? [Trace, Trace] : [], TraceParents(output));
        Assert.Empty(TraceParents(kept));
    }

    private List<string> TraceParents(string topic)
    {
        var high = Log.Watermarks(new TopicPartition(topic, 0)).High;
        using var reader = Log.OpenReader();
        reader.Assign(new TopicPartition(topic, 0), 0);
        var found = new List<string>();
        var batch = new RecordBatch { KeepsTraceParents = true };
        Until(() =>
        {
            reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(200));
            found.AddRange(batch.TraceParents.Select(System.Text.Encoding.ASCII.GetString));
            return reader.Position >= high;
        }, $"reader of {topic} at {high}");
        return found;
    }

    /// <summary>Commits one output and one offset in a transaction of its own.</summary>
    private protected static CommitOutcome Send(TestWorker worker, string value, int partition, long next)
    {
        var outputs = new OutputBuffer();
        outputs.Add(0, partition, partition, 1_000, Bytes("k"), Bytes(value));
        worker.Log.Begin();
        worker.Log.Write(outputs, 0, outputs.Count);
        return worker.Log.Commit([new OffsetToCommit(0, partition, next)]);
    }

    /// <summary>A fenced client may say so by its outcome or by an exception: both are not a commit.</summary>
    private protected static CommitOutcome Quiet(Func<CommitOutcome> commit)
    {
        try
        {
            return commit();
        }
        catch (LogException)
        {
            return CommitOutcome.Fenced;
        }
    }

    private protected static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
