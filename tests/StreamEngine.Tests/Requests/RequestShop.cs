using System.Text;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Connectors.Embedded;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;
using StreamEngine.State;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;

namespace StreamEngine.Tests.Requests;

/// <summary>The scenario's shop on the embedded log, with a running engine that takes requests.</summary>
internal sealed class RequestShop : IDisposable
{
    public const int Partitions = 2;
    private static readonly ApacheAvro Reader = ApacheAvro.Of("decision");

    private readonly string _folder;
    private readonly CompiledEngine _compiled;
    private int _sent;

    public RequestShop(string folder, Func<EngineOptions, EngineOptions>? change = null, bool start = true)
    {
        _folder = folder;
        var options =
            Scenario.Options() with { Requests = new RequestOptions { Enabled = true, MaxOffers = 3, Timeout = TimeSpan.FromSeconds(20) } };
        options = options with { Decisions = options.Decisions with { Holdout = null } };
        Options = change is null ? options : change(options);
        Log = new EmbeddedLog(new EmbeddedLogOptions(folder) { WriteMemoryBytes = 4 << 20, PageBytes = 1 << 20, SegmentBytes = 16 << 20 });
        Log.CreateTopics(Topics.Needed(Options, Partitions));
        _compiled = Scenario.Compile(Options, new LinearModels(1));
        Engine = new Engine(new WorkerSettings
        {
            Engine = _compiled,
            Log = Log,
            InstanceId = "w",
            OpenStore = _ =>
            new MemoryStateStore(),
            Report = e =>
            {
                lock (Said) Said.Add(e.Text);
            },
        });
        if (start) Engine.Start();
    }

    /// <summary>What the engine said; locked by itself.</summary>
    public List<string> Said { get; } = [];

    public EngineOptions Options { get; }

    public EmbeddedLog Log { get; }

    public Engine Engine { get; }

    public CompiledEngine Compiled => _compiled;

    public ICustomerGateway Customers => Engine.Customers!;

    public void Send(string customer, string type, decimal value = 0, string placement = "", string consent = "\"personalization\"",
        long? time = null)
    {
        using var writer = Log.OpenWriter();
        var at = time ?? Scenario.Start + ++_sent * 1_000;
        var json = string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $$"""{"id":"e{{_sent}}-{{Guid.NewGuid():N}}","customer":"{{customer}}","type":"{{type}}","time":{{at}},"value":{{value}},"placement":"{{placement}}","consent":[{{consent}}]}""");
        writer.Write("shop", Encoding.UTF8.GetBytes(customer), Encoding.UTF8.GetBytes(json), at);
        writer.Flush();
    }

    /// <summary>Asks until the customer's events have arrived.</summary>
    public async Task<ProfileReply> ReadAsync(string customer, Func<ProfileReply, bool> until)
    {
        while (true)
        {
            var reply = await Customers.ReadAsync(new ReadRequest
            {
                Customer = customer,
                Time = DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start)
            });
            if (reply.Status != RequestStatus.Done || until(reply)) return reply;
        }
    }

    public async Task<DecideReply> DecideAsync(string customer, string id = "", string placement = "home", int offers = 1) =>
        await Customers.DecideAsync(new DecideRequest
        {
            Customer = customer,
            Id = id,
            Placement = placement,
            Offers = offers,
            Time = DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start)
        });

    /// <summary>The decisions in the log, marks left out.</summary>
    public List<GenericRecord> Decisions()
    {
        var found = new List<GenericRecord>();
        using var reader = Log.OpenReader();
        var batch = new RecordBatch();
        for (var p = 0; p < Partitions; p++)
        {
            var at = new TopicPartition("decisions", p);
            reader.Assign(at, 0);
            while (reader.Position < Log.Watermarks(at).High)
            {
                reader.Read(batch, 1_000, TimeSpan.FromMilliseconds(50));
                for (var i = 0; i < batch.Count; i++)
                    if (Reader.Record(batch.Value(i)[5..]) is var record && record.Text("kind") == "decision")
                        found.Add(record);
            }
        }
        return found;
    }

    public void Dispose()
    {
        Engine.Dispose();
        _compiled.Dispose();
        Log.Dispose();
    }
}
