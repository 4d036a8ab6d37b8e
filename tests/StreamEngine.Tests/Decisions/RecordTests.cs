using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>What the writers write, read by another program by the schemas that users get.</summary>
public sealed class RecordTests
{
    private static readonly CapOptions Once = new() { Name = "once", Per = LimitScope.Offer, Max = 1, Window = TimeSpan.FromDays(1) };

    private readonly OutputBuffer _output = new();
    private readonly Shop _shop;
    private readonly DecisionRecordWriter _decisions;

    public RecordTests()
    {
        var model = new LinearModel("clicks", ["views"], ("p", [0.1f, 0]));
        OfferOptions[] offers =
        [
            Shop.Offer("zwölf €", "12.0") with { Propensity = new() { Model = "clicks" }, Levers = [new() { Name = "l", By = "0.5" }] },
            Shop.Offer("no") with { Eligible = "false" },
            Shop.Offer("small", "0.001"),
        ];
        _shop = new Shop(offers, new DecisionOptions { Caps = [Once], Purpose = "ads" }, model);
        _decisions = new DecisionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee");
    }

    [SkippableFact]
    public void A_served_decision_reads_back_by_its_schema()
    {
        _shop.Decide(5_000);
        var request = Request(-3) with { EventId = Text("ev-1") };
        _decisions.Write(_output, 2, request, _shop.Result, [1.5, -2]);
        var r = One("decision.avsc", OutputSchemas.Decision);
        Assert.Equal("shop/mails/11/123456789012/1", r.GetProperty("decision_id").GetString());
        Assert.Equal("decision", r.GetProperty("kind").GetString());
        Assert.Equal("""{"event_id": "ev-1", "topic": "mails", "source": 4, "partition": 11, "offset": 123456789012, "ordinal": 1}""", r.GetProperty("cause").ToString());
        Assert.Equal(("customer-1", -3, 5_000),
            (Str(r, "customer_id"), r.GetProperty("event_time").GetDouble(), r.GetProperty("decided_at").GetDouble()));
        Assert.Equal(("view", "home", "served"), (Str(r, "trigger"), Str(r, "placement"), Str(r, "outcome")));
        var chosen = r.GetProperty("chosen");
        Assert.Equal(("zwölf €", "zwölf €-banner", "onsite", false),
            (Str(chosen, "offer"), Str(chosen, "treatment"), Str(chosen, "channel"), chosen.GetProperty("is_default").GetBoolean()));
        Assert.Equal([3 * 0.1f, 1, 12, 1.5, (double)(3 * 0.1f) * 12 * 1.5],
            new[] { "p", "c", "v", "l", "priority" }.Select(n => chosen.GetProperty(n).GetDouble()));
        Assert.Equal(1, r.GetProperty("selection_probability").GetDouble());
        Assert.Equal(["zwölf €||1|model", "no|not_eligible|0|none", "small|lost_arbitration|2|fixed"],
            r.GetProperty("candidates").EnumerateArray().Select(Candidate));
        Assert.Equal("[1.5, -2.0]", r.GetProperty("features").ToString());
        Assert.Equal("""[{"name": "clicks", "version": "1", "provider": "test"}]""", r.GetProperty("models").ToString());
        Assert.Equal(("c0ffee", 4_000), (Str(r, "config_hash"), r.GetProperty("watermark").GetInt64()));
        Assert.Equal((2, 11, 11, 5_000), (_output[0].Topic, _output[0].Partition, _output[0].Shard, _output[0].Timestamp));
        Assert.Equal("customer-1"u8, _output.Key(0));
    }

    [Fact]
    public void Every_record_is_found_by_its_id_and_read_by_Apaches_implementation()
    {
        _shop.Decide(5_000);
        _decisions.Write(_output, 0, Request(1), _shop.Result, [1.5, -2]);
        _decisions.WriteOrder(_output, 0, 1, 3, 78, 0, at: 9_001, watermark: 8_600);
        new ActionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee").Write(_output, 1, 6, Request(1), _shop.Result);
        new DeadLetterWriter(["events"])
            .Write(_output, 2, 0, new DeadLetter { Reason = RejectReason.Oversized, Kept = "x"u8, Keep = true });
        var registry = new FolderSchemaRegistry(Path.GetDirectoryName(PythonAvro.Find("schemas/index.json"))!);
        string[] names = ["Decision", "Decision", "Action", "DeadLetter"];
        for (var i = 0; i < names.Length; i++)
        {
            var value = _output.Value(i);
            var schema = registry.ById(BinaryPrimitives.ReadInt32BigEndian(value[1..]));
            Assert.Equal(names[i], schema?.Name);
            Assert.Equal(value.Length - 5, AvroSkipper.Of(schema!).Length(value[5..]));
            // Apache's implementation reads the same record to its last byte.
            var record = ApacheAvro.Of(new[] { "decision", "decision", "action", "dead-letter" }[i]).Record(value[5..]);
            foreach (var field in schema!.Fields) Assert.NotNull(record.Schema[field.Name]);
            if (i == 0) Assert.Equal(("served", "zwölf €"), (record.Text("outcome"), ((GenericRecord)record["chosen"]!)["offer"]));
        }
    }

    [SkippableFact]
    public void A_decision_without_offer_or_consent_reads_back()
    {
        _shop.Decide(0);
        _shop.Decide(1);
        _shop.Decide(2);
        _decisions.Write(_output, 0, Request(2), _shop.Result, [1]);
        _shop.Context.Consent = 0;
        _shop.Decide(3);
        _decisions.Write(_output, 0, Request(3), _shop.Result, [1, 2]);
        var records = PythonAvro.Read("decision.avsc", _output).Select(r => r.GetProperty("record")).ToArray();
        Assert.Equal("no_offer", Str(records[0], "outcome"));
        Assert.Equal(JsonValueKind.Null, records[0].GetProperty("chosen").ValueKind);
        Assert.Equal(["zwölf €|offer_cap:once|0|none", "no|not_eligible|0|none", "small|offer_cap:once|0|none"],
            records[0].GetProperty("candidates").EnumerateArray().Select(Candidate));
        Assert.Equal("00000000000000ff", Str(records[0].GetProperty("cause"), "event_id"));
        Assert.Equal(("no_consent", "[]", "[]"),
            (Str(records[1], "outcome"), records[1].GetProperty("candidates").ToString(), records[1].GetProperty("features").ToString()));
    }

    [SkippableFact]
    public void Marks_read_back()
    {
        _decisions.WriteWatermark(_output, 1, 0, 3, 77, 2, at: 9_000, watermark: 8_500);
        _decisions.WriteOrder(_output, 1, 1, 3, 78, 0, at: 9_001, watermark: 8_600);
        _decisions.WriteRefused(_output, 1, 0, 3, 79, 0, at: 9_002, watermark: 8_600);
        var records = PythonAvro.Read("decision.avsc", _output).Select(r => r.GetProperty("record")).ToArray();
        Assert.Equal(("watermark", "none", 8_500, "shop/events/3/77/2"),
            (Str(records[0], "kind"), Str(records[0], "outcome"), records[0].GetProperty("watermark").GetInt64(),
            Str(records[0], "decision_id")));
        Assert.Equal(("order", "mails", 78), (Str(records[1], "kind"), Str(records[1].GetProperty("cause"), "topic"),
            records[1].GetProperty("cause").GetProperty("offset").GetInt64()));
        Assert.Equal("refused", Str(records[2], "kind"));
        Assert.Equal(0, _output.Key(0).Length);
        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(_output.Value(2), ref d), d.Error);
        Assert.Equal((DecisionKind.Refused, 79), (d.Kind, d.Offset));
    }

    [SkippableFact]
    public void An_action_reads_back_by_its_schema()
    {
        _shop.Decide(5_000);
        _shop.Result.SelectionProbability = 0.25;
        new ActionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee")
            .Write(_output, 1, 6, Request(4_999) with { EventId = Text("ev-1") }, _shop.Result);
        var r = One("action.avsc", OutputSchemas.Action);
        Assert.Equal(("shop/mails/11/123456789012/1", "ev-1", "customer-1", 4_999),
            (Str(r, "action_id"), Str(r, "event_id"), Str(r, "customer_id"), r.GetProperty("event_time").GetDouble()));
        Assert.Equal(("onsite", "home", "zwölf €", "zwölf €-banner"),
            (Str(r, "channel"), Str(r, "placement"), Str(r, "offer"), Str(r, "treatment")));
        Assert.Equal((_shop.Result.Priority[0], (double)(3 * 0.1f)),
            (r.GetProperty("priority").GetDouble(), r.GetProperty("probability").GetDouble()));
        Assert.Equal(("view", "c0ffee", 6, 11), (Str(r, "trigger"), Str(r, "config_hash"), _output[0].Partition, _output[0].Shard));
        Assert.Equal(0.25, r.GetProperty("selection_probability").GetDouble());
    }

    [Fact]
    public void An_action_is_written_again_as_it_was()
    {
        _shop.Decide(5_000);
        _shop.Result.SelectionProbability = 0.25;
        var actions = new ActionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee");
        var request = Request(4_999) with { EventId = Text("ev-1") };
        _decisions.Write(_output, 0, request, _shop.Result, [1, 2, 3]);
        actions.Write(_output, 1, 6, request, _shop.Result);
        var logged = _output.Value(0).ToArray();
        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(logged, ref d), d.Error);
        actions.Rewrite(_output, 1, 6, d, logged);
        Assert.Equal(_output.Value(1).ToArray(), _output.Value(2).ToArray());
    }

    [SkippableFact]
    public void A_dead_letter_reads_back_by_its_schema()
    {
        var writer = new DeadLetterWriter(["events"]);
        var letter = new DeadLetter
        {
            Reason = RejectReason.UnknownSchema,
            Detail = "schema id 9"u8,
            Partition = 2,
            Offset = 30,
            Timestamp = 1_234,
            Key = "k"u8,
            Original = "secret"u8,
            Kept = "******"u8,
            Keep = true,
            Masked = true
        };
        writer.Write(_output, 0, 1, letter);
        letter.Keep = false;
        writer.Write(_output, 0, 1, letter);
        var records = PythonAvro.Read("dead-letter.avsc", _output);
        Assert.All(records, r =>
            Assert.Equal((OutputSchemas.DeadLetter, 0), (r.GetProperty("id").GetInt32(), r.GetProperty("left").GetInt32())));
        var (kept, dropped) = (records[0].GetProperty("record"), records[1].GetProperty("record"));
        Assert.Equal(("unknown-schema", "schema id 9", "events", 2, 30),
            (Str(kept, "reason"), Str(kept, "detail"), Str(kept, "topic"), kept.GetProperty("partition").GetInt32(),
            kept.GetProperty("offset").GetInt64()));
        Assert.Equal(("2a2a2a2a2a2a", true), (Str(kept, "bytes"), kept.GetProperty("masked").GetBoolean()));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("secret"u8)), Str(kept, "sha256"));
        Assert.Equal(JsonValueKind.Null, dropped.GetProperty("bytes").ValueKind);
    }

    [Fact]
    public void A_dead_letter_as_JSON_has_any_timestamp_and_no_more_bytes_than_the_log_takes()
    {
        var writer = new DeadLetterWriter(["events"], RecordFrame.Json("dead-letter"));
        var letter = new DeadLetter { Timestamp = long.MaxValue, Original = "x"u8, Kept = new byte[1_000], Keep = true, Masked = true };
        _output.MaxRecordBytes = 5_000; // a zero byte takes six as JSON
        writer.Write(_output, 0, 1, letter);
        letter.Kept = "\"\u0001"u8;
        writer.Write(_output, 0, 1, letter);
        var records = Enumerable.Range(0, 2).Select(i => JsonDocument.Parse(_output.Value(i).ToArray()).RootElement).ToArray();
        Assert.Equal((JsonValueKind.Null, false),
            (records[0].GetProperty("bytes").ValueKind, records[0].GetProperty("masked").GetBoolean()));
        Assert.Equal(("\"\u0001", true, long.MaxValue), (Str(records[1], "bytes"), records[1].GetProperty("masked").GetBoolean(),
            records[1].GetProperty("timestamp").GetInt64()));
    }

    [Fact]
    public void A_written_decision_is_parsed_for_recovery()
    {
        _shop.Decide(5_000);
        _decisions.Write(_output, 0, Request(1), _shop.Result, [1, 2, 3]);
        _decisions.WriteWatermark(_output, 0, 0, 3, 77, 2, 9_000, 8_500);
        var value = _output.Value(0);
        var d = default(LoggedDecision);
        Assert.True(LoggedDecision.TryParse(value, ref d), d.Error);
        Assert.Equal((DecisionKind.Decision, Outcome.Served, 11, 123_456_789_012, 1),
            (d.Kind, d.Outcome, d.Partition, d.Offset, d.Ordinal));
        Assert.Equal(("mails", "customer-1", "view"), (Slice(value, d.Topic), Slice(value, d.Customer), Slice(value, d.Trigger)));
        Assert.Equal((5_000, 4_000, 0), (d.DecidedAt, d.Watermark, _shop.Policy.OfferIndex(value.Slice(d.Offer.Start, d.Offer.Length))));
        Assert.True(LoggedDecision.TryParse(_output.Value(1), ref d), d.Error);
        Assert.Equal((DecisionKind.Watermark, Outcome.None, 8_500, 77, 0), (d.Kind, d.Outcome, d.Watermark, d.Offset, d.Customer.Length));
    }

    [Fact]
    public void A_damaged_record_is_refused_with_its_place()
    {
        _shop.Decide(5_000);
        _decisions.Write(_output, 0, Request(1), _shop.Result, [1, 2, 3]);
        var whole = _output.Value(0).ToArray();
        var d = default(LoggedDecision);
        for (var length = 0; length < whole.Length; length++)
        {
            // Earlier versions ended before the shared numbers, the deferral and the bucket versions, before the probabilities, the
            // assignments, the switches, the origin, a byte each.
            var isWhole = LoggedDecision.TryParse(whole.AsSpan(0, length), ref d);
            Assert.Equal(whole.Length - length is >= 3 and <= 7, isWhole);
            if (!isWhole) Assert.Matches(@"^byte \d+: [a-z_.]+ ", d.Error);
        }
        Assert.False(LoggedDecision.TryParse([.. whole, 0], ref d));
        Assert.Contains("1 bytes too many", d.Error);
        // Another registry gives another id; the record says itself that it is a decision, and which.
        whole[3] = whole[4] = 77;
        Assert.True(LoggedDecision.TryParse(whole, ref d), d.Error);
        var id = d.Id;
        foreach (var at in new[] { id.Start + id.Length - 1, id.Start + id.Length - 3, id.Start + 6 })
        {
            var other = whole.ToArray();
            other[at] ^= 1;
            Assert.False(LoggedDecision.TryParse(other, ref d));
            Assert.Contains("decision_id names another cause", d.Error);
        }
        // Rubbish neither throws nor loops.
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var copy = _output.Value(0).ToArray();
            copy[random.Next(copy.Length)] = (byte)random.Next(256);
            LoggedDecision.TryParse(copy, ref d);
        }
    }

    [Fact]
    public void Writing_and_parsing_allocate_nothing()
    {
        var actions = new ActionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee");
        var letters = new DeadLetterWriter(["events"]);
        var jsonActions = new ActionRecordWriter("shop", ["events", "mails"], _shop.Policy, "c0ffee", RecordFrame.Json("action"));
        var jsonLetters = new DeadLetterWriter(["events"], RecordFrame.Json("dead-letter"));
        _shop.Decide(5_000);
        var request = Request(1);
        double[] features = [1, 2, 3];
        var d = default(LoggedDecision);
        void Run()
        {
            for (var i = 0; i < 1_000; i++)
            {
                _output.Clear();
                _decisions.Write(_output, 0, request, _shop.Result, features);
                _decisions.WriteWatermark(_output, 0, 0, 3, 77, 2, 9_000, 8_500);
                actions.Write(_output, 1, 6, request, _shop.Result);
                letters.Write(_output, 0, 1, new DeadLetter { Original = "secret"u8 });
                jsonActions.Write(_output, 1, 6, request, _shop.Result);
                jsonLetters.Write(_output, 0, 1, new DeadLetter { Original = "secret"u8, Kept = [0xFF, 1], Keep = true });
                if (!LoggedDecision.TryParse(_output.Value(0), ref d)) throw new InvalidOperationException(d.Error);
            }
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }

    private DecisionRequest Request(long eventTime) => _shop.Request() with
    {
        EventHash = 0xFF,
        EventTime = eventTime,
        DecidedAt = 5_000,
        Source = 4,
        Topic = 1,
        Partition = 11,
        Offset = 123_456_789_012,
        Ordinal = 1,
        Watermark = 4_000,
    };

    private JsonElement One(string schema, int id)
    {
        var read = Assert.Single(PythonAvro.Read(schema, _output));
        Assert.Equal((id, 0, 0),
            (read.GetProperty("id").GetInt32(), read.GetProperty("magic").GetInt32(), read.GetProperty("left").GetInt32()));
        return read.GetProperty("record");
    }

    private static FieldValue Text(string text)
    {
        var (value, bytes) = (default(FieldValue), Encoding.UTF8.GetBytes(text));
        value.Set(bytes, 0, bytes.Length);
        return value;
    }

    private static string Candidate(JsonElement c) =>
        $"{Str(c, "offer")}|{Str(c, "drop")}|{c.GetProperty("rank").GetInt32()}|{Str(c, "p_source")}";

    private static string? Str(JsonElement record, string field) => record.GetProperty(field).GetString();

    private static string Slice(ReadOnlySpan<byte> value, Range32 range) => Encoding.UTF8.GetString(value.Slice(range.Start, range.Length));
}
