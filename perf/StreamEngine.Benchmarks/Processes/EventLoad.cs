using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Events.Avro;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>
/// Shop events as the job reads them, each customer in turn: after so many events as there are customers, each has a profile. Event times
/// rise by 10 ms.
/// </summary>
internal sealed class EventLoad(ILog log, string topic, int customers, int first = 0) : IDisposable
{
    private const long Start = 1_700_000_000_000, Step = 10;

    private readonly ILogWriter _writer = log.OpenWriter();
    private readonly ArrayBufferWriter<byte> _value = new();
    private readonly Random _random = new(1);
    private int _written = first;

    /// <summary>Writes so many more and waits until they are in the log.</summary>
    public void Write(int events)
    {
        for (var end = _written + events; _written < end; _written++)
        {
            var customer = string.Create(CultureInfo.InvariantCulture, $"customer-{_written % customers:D7}");
            _value.ResetWrittenCount();
            JobEvents.Write(new AvroWriter(_value), _random, _written, customer, Start + _written * Step);
            _writer.Write(topic, Encoding.UTF8.GetBytes(customer), _value.WrittenSpan, Start + _written * Step);
        }
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();
}
