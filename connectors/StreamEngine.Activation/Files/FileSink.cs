using System.Globalization;
using StreamEngine.Activation.Flow;
using StreamEngine.Activation.Records;
using StreamEngine.Connectors;

namespace StreamEngine.Activation.Files;

/// <summary>
/// Writes files whose names say which records they hold: <c>TOPIC-PARTITION-FIRST-LAST.ndjson</c>, by offsets. Each is written under
/// another name and renamed when it is whole, and a start goes on behind the files that are there, so that a record is in one file only.
/// </summary>
internal sealed class FileSink : ISink
{
    private const string Temporary = ".part";

    private readonly FilesTarget _target;

    /// <param name="target">The folder, checked.</param>
    public FileSink(FilesTarget target)
    {
        _target = target;
        Rule = new BatchRule(target.Options.MaxRecords, target.Options.MaxBytes.Bytes, target.Options.Interval);
    }

    public BatchRule Rule { get; }

    public TimeSpan? GiveUpAfter => null;

    public int Lane(ActivationRecord record) => record.Position.Partition;

    public Task<long?> NextAsync(TopicPartition partition, long committed, CancellationToken stop)
    {
        try
        {
            Directory.CreateDirectory(_target.Folder);
            var prefix = Prefix(partition);
            var next = committed;
            foreach (var file in Directory.EnumerateFiles(_target.Folder, prefix + "*"))
                if (file.EndsWith(Temporary, StringComparison.Ordinal)) File.Delete(file);
                else if (Last(Path.GetFileName(file)[prefix.Length..]) is { } last) next = Math.Max(next, last + 1);
            return Task.FromResult<long?>(next);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Away(e);
        }
    }

    public async Task DeliverAsync(Batch batch, CancellationToken stop)
    {
        var name = Prefix(batch.Partition) + string.Create(CultureInfo.InvariantCulture,
            $"{batch.First:D20}-{batch.Records[^1].Offset:D20}{_target.Extension}");
        var path = Path.Combine(_target.Folder, name);
        try
        {
            var file = new FileStream(path + Temporary, FileMode.Create, FileAccess.Write, FileShare.None);
            await using (file.ConfigureAwait(false))
            {
                await _target.WriteAsync(file, batch.Records, stop).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }
            stop.ThrowIfCancellationRequested();
            File.Move(path + Temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Away(e);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string Prefix(TopicPartition partition) =>
        string.Create(CultureInfo.InvariantCulture, $"{partition.Topic}-{partition.Partition:D5}-");

    /// <summary>The last offset in a name behind its prefix; null where it is none of ours.</summary>
    private long? Last(string ranges) => ranges.EndsWith(_target.Extension, StringComparison.Ordinal)
        && ranges[..^_target.Extension.Length].Split('-') is [{ Length: 20 }, { Length: 20 } last]
        && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null;

    private PartnerAwayException Away(Exception e) => new($"{_target.Folder}: {e.Message}", "io", inner: e);
}
