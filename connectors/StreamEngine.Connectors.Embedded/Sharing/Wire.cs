using System.Net.Sockets;
using System.Text;

namespace StreamEngine.Connectors.Embedded.Sharing;

/// <summary>What one process asks of another that has the log open.</summary>
internal enum Ask : byte
{
    /// <summary>Topic: partitions.</summary>
    Partitions,

    /// <summary>Topics with their partitions: the names of those that were made.</summary>
    CreateTopics,

    /// <summary>Nothing: every topic with its offsets.</summary>
    ListTopics,

    /// <summary>Topic, partition: first offset and end.</summary>
    Watermarks,

    /// <summary>Group, topic, partition: whether there is an offset, and which.</summary>
    Committed,

    /// <summary>Topic, partition, offset, most records, most milliseconds: position, records.</summary>
    Read,

    /// <summary>Records with their topics: nothing, once they are durable.</summary>
    Write,
}

/// <summary>How an answer begins.</summary>
internal enum Reply : byte
{
    /// <summary>The answer follows.</summary>
    Done,

    /// <summary>A message follows.</summary>
    Failed,

    /// <summary>Topic, partition, wanted offset, first offset and end follow.</summary>
    OutOfRange,
}

/// <summary>
/// A connection between two processes that use one log: questions and answers in turn, in the encoding of <see cref="BinaryWriter"/>. Who
/// accepts says its version and process id first.
/// </summary>
internal sealed class Wire : IDisposable
{
    public const byte Version = 1;

    /// <summary>The most bytes of a socket's path that every system takes.</summary>
    private const int LongestPath = 100;

    private readonly Socket _socket;
    private readonly BufferedStream _buffered;

    public Wire(Socket socket)
    {
        _socket = socket;
        _buffered = new BufferedStream(new NetworkStream(socket), 1 << 16);
        Reader = new BinaryReader(_buffered, Encoding.UTF8);
        Writer = new BinaryWriter(_buffered, Encoding.UTF8);
    }

    public BinaryReader Reader { get; }

    public BinaryWriter Writer { get; }

    /// <summary>Where the process that has the log open listens; null where the path is too long for a socket.</summary>
    public static string? PathOf(string directory)
    {
        var path = Path.Combine(directory, "socket");
        return Encoding.UTF8.GetByteCount(path) <= LongestPath ? path : null;
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        Writer.Write(bytes.Length);
        Writer.Write(bytes);
    }

    /// <summary>Reads bytes, no more than there can be.</summary>
    public byte[] ReadBytes(int most)
    {
        var length = Reader.ReadInt32();
        if (length < 0 || length > most) throw new InvalidDataException($"{length} bytes were announced, {most} are the most");
        var bytes = Reader.ReadBytes(length);
        return bytes.Length == length ? bytes : throw new EndOfStreamException();
    }

    public void WritePartition(TopicPartition partition)
    {
        Writer.Write(partition.Topic);
        Writer.Write(partition.Partition);
    }

    public TopicPartition ReadPartition() => new(Reader.ReadString(), Reader.ReadInt32());

    /// <summary>Ends what waits on the connection, in any thread.</summary>
    public void Close() => _socket.Dispose();

    public void Dispose() => _socket.Dispose();
}
