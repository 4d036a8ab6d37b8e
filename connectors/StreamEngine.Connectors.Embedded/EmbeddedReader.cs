namespace StreamEngine.Connectors.Embedded;

/// <summary>Reads one partition outside any group.</summary>
internal sealed class EmbeddedReader(EmbeddedLog log) : ILogReader
{
    private PartitionCursor? _cursor;

    public long Position => _cursor?.Position ?? 0;

    public void Assign(TopicPartition partition, long offset) =>
        _cursor = new PartitionCursor(log.Store, log.Known(partition)) { Position = offset };

    public void Read(RecordBatch batch, int maxRecords, TimeSpan timeout)
    {
        if (_cursor is null) throw new LogException("Assign a partition to the reader first.");
        batch.Clear();
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var mark = log.Store.VisibleEnd;
            _cursor.Read(batch, 0, maxRecords);
            var left = timeout - TimeProvider.System.GetElapsedTime(started);
            if (batch.Count > 0 || left <= TimeSpan.Zero) return;
            log.Store.WaitForMore(mark, left);
        }
    }

    public void Dispose() => _cursor = null;
}
