using System.Buffers.Binary;
using StreamEngine.Connectors.Embedded.Storage;

namespace StreamEngine.Connectors.Embedded;

/// <summary>Reads one partition's records, chunk by chunk. One thread.</summary>
internal sealed class PartitionCursor(GroupStore store, PartitionLog partition)
{
    private const int MaxBytes = 4 << 20; // of one read, so that large records don't add up

    private long _position;
    private long _nextChunk = -1;
    private byte[] _chunk = [];
    private int _at;
    private int _left;
    private long _offset;

    /// <summary>The next offset to be read. Setting it seeks.</summary>
    public long Position
    {
        get => _position;
        set
        {
            _position = value;
            _nextChunk = -1;
            _left = 0;
            _chunk = [];
        }
    }

    /// <summary>Whether the position lies behind the end, so that reading fails.</summary>
    public bool IsBeyondEnd => _position > partition.High;

    /// <summary>How many records are there to be read.</summary>
    public long Available => Math.Max(0, partition.High - _position);

    /// <summary>Appends up to <paramref name="max"/> records to the batch.</summary>
    /// <exception cref="OffsetOutOfRangeException">The position lies behind the partition's end.</exception>
    public void Read(RecordBatch batch, int topic, int max)
    {
        var high = partition.High;
        if (_position > high) throw new OffsetOutOfRangeException(partition.Name, _position, 0, high);
        var bytes = batch.Bytes + MaxBytes;
        while (max > 0 && _position < high && batch.Bytes < bytes)
        {
            if (_left == 0 && !NextSection()) return;
            var wanted = _offset == _position;
            Take(batch, topic, wanted);
            if (!wanted) continue;
            _position++;
            max--;
        }
    }

    private void Take(RecordBatch batch, int topic, bool wanted)
    {
        var record = _chunk.AsSpan(_at);
        var keyLength = BinaryPrimitives.ReadInt32LittleEndian(record[8..]);
        var valueLength = BinaryPrimitives.ReadInt32LittleEndian(record[12..]);
        var key = record.Slice(Chunk.RecordHeaderLength, Math.Max(keyLength, 0));
        var value = record.Slice(Chunk.RecordHeaderLength + key.Length, Math.Max(valueLength, 0));
        if (wanted)
        {
            batch.Add(topic, partition.Name.Partition, _offset, BinaryPrimitives.ReadInt64LittleEndian(record),
                key, keyLength >= 0, value, valueLength >= 0);
        }
        _at += Chunk.RecordHeaderLength + key.Length + value.Length;
        _offset++;
        _left--;
    }

    /// <summary>Goes on to the chunk that holds the position; false where it is not visible yet.</summary>
    private bool NextSection()
    {
        if (_nextChunk < 0) _nextChunk = partition.Find(_position);
        while (store.ReadChunk(_nextChunk, out var next) is { } chunk)
        {
            _nextChunk = next;
            foreach (ref readonly var section in Chunk.Sections(chunk))
            {
                if (section.Partition != partition.Id || section.BaseOffset + section.Count <= _position) continue;
                (_chunk, _at, _left, _offset) = (chunk, section.Start, section.Count, section.BaseOffset);
                return true;
            }
        }
        return false;
    }
}
