using System.Buffers;
using System.Globalization;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Events.Avro;

namespace StreamEngine.Benchmarks;

/// <summary>
/// Shop events in Confluent's wire format (<c>schemas/shop-event.avsc</c>), in batches as a poll brings them. They repeat for ever: each
/// time around, the event times are moved on in place, so that nothing is late and windows go on.
/// </summary>
internal sealed class JobEvents
{
    /// <summary>Records of one batch.</summary>
    public const int BatchSize = 500;

    private const int Batches = 40;
    private const int Customers = 2_000;
    private const int TimeLength = 6; // bytes of a time of our days as an Avro long
    private const long Start = 1_700_000_000_000;
    private const long Step = 250;

    private static readonly string[] Placements = ["home", "product", "cart"];

    private readonly RecordBatch[] _batches = new RecordBatch[Batches];
    private readonly int[][] _times = new int[Batches][];
    private int _next;
    private long _time = Start;

    public JobEvents(int seed = 1)
    {
        var random = new Random(seed);
        var value = new ArrayBufferWriter<byte>();
        for (var b = 0; b < Batches; b++)
        {
            _batches[b] = new RecordBatch();
            _times[b] = new int[BatchSize];
            for (var i = 0; i < BatchSize; i++)
            {
                // Squared: few customers do much of the shopping.
                var customer =
                    string.Create(CultureInfo.InvariantCulture, $"customer-{(int)(Customers * Math.Pow(random.NextDouble(), 2)):D7}");
                value.ResetWrittenCount();
                var at = Write(new AvroWriter(value), random, b * BatchSize + i, customer);
                _batches[b]
                    .Add(0, 0, b * BatchSize + i, Start, Encoding.UTF8.GetBytes(customer), hasKey: true, value.WrittenSpan, hasValue: true);
                _times[b][i] = _batches[b][i].Value.Start + at;
            }
        }
    }

    /// <summary>The next batch, its events later than all before.</summary>
    public RecordBatch Next()
    {
        var (batch, times) = (_batches[_next], _times[_next]);
        _next = (_next + 1) % Batches;
        var buffer = batch.Buffer;
        foreach (var at in times)
            if (Varint.Write(buffer.AsSpan(at), _time += Step) != TimeLength)
                throw new InvalidOperationException("the time ran out of its bytes");
        return batch;
    }

    /// <summary>Writes a record's value; returns where its time stands.</summary>
    public static int Write(AvroWriter output, Random random, int n, string customer, long time = Start)
    {
        var buffer = (ArrayBufferWriter<byte>)output.Output;
        output.ConfluentHeader(1);
        output.String(string.Create(CultureInfo.InvariantCulture, $"event-{n:D12}"));
        output.String(customer);
        var type = random.NextDouble() switch { < 0.6 => 0, < 0.7 => 1, < 0.85 => 2, < 0.9 => 3, < 0.97 => 4, _ => 5 };
        output.Long(type);
        var at = buffer.WrittenCount;
        output.Long(time);
        output.String(type == 0 && random.Next(4) == 0 ? Placements[random.Next(3)] : "");
        output.String("https://shop.example/category/shoes/product/12345678?campaign=spring");
        output.String("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
        output.String(string.Create(CultureInfo.InvariantCulture, $"product-{random.Next(1000):D5}"));
        output.String("shoes");
        output.Double(type is 2 or 3 or 4 ? random.Next(100, 20_000) / 100.0 : 0);
        output.Long(1);
        output.String("EUR");
        output.Long(2);
        output.String("analytics");
        output.String("marketing");
        output.Long(0);
        return at;
    }
}
