using System.Text.Json;
using Avro;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Host.Replay;

namespace StreamEngine.Host.Explanation;

/// <summary>A place to look decisions up at: a reader of the log, and what reads its records. One look at a time.</summary>
internal sealed class DecisionDesk : IDisposable
{
    private readonly ILogReader _reader;
    private readonly DecisionFinder _finder;
    private readonly Explainer _explainer;
    private readonly MemoryStream _line = new();
    private readonly AvroJson _avro;

    /// <param name="log">The log.</param>
    /// <param name="topic">The topic of the decision records.</param>
    /// <param name="explainer">Says what a record says.</param>
    public DecisionDesk(ILog log, string topic, Explainer explainer)
    {
        _reader = log.OpenReader();
        _finder = new DecisionFinder(log, _reader, topic);
        _explainer = explainer;
        _avro = new AvroJson("decision", _line);
    }

    /// <summary>How many records the last look has read.</summary>
    public int Read => _finder.Read;

    /// <summary>Finds a decision and explains it; null, and why, where there is none.</summary>
    /// <exception cref="LogException">The log can't be read, or the record.</exception>
    /// <exception cref="OperationCanceledException">The look was ended.</exception>
    public ExplainedDecision? Look(DecisionId id, CancellationToken stop, out string missing)
    {
        var found = _finder.Find(id, stop);
        missing = found.Missing;
        return found.Value is null ? null : Explain(found.From, found.Offset, found.Value);
    }

    /// <summary>Explains a record.</summary>
    /// <exception cref="LogException">It can't be read.</exception>
    public ExplainedDecision Explain(TopicPartition from, long offset, byte[] value)
    {
        try
        {
            _line.SetLength(0);
            _avro.Write(_avro.Read(value));
            using var record = JsonDocument.Parse(_line.GetBuffer().AsMemory(0, (int)_line.Length));
            return _explainer.Explain(record.RootElement, from, offset);
        }
        catch (Exception e) when (e is AvroException or IOException or IndexOutOfRangeException)
        {
            throw new LogException($"{from.Topic}[{from.Partition}] offset {offset}: not a decision record: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _avro.Dispose();
    }
}
