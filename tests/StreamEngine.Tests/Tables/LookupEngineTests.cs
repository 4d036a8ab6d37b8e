using System.Diagnostics.Metrics;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Catalogue;
using StreamEngine.Runtime.Requests;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>Looked-up fields in features, triggers, rules and requests, and what the engine tells of its tables.</summary>
public sealed class LookupEngineTests : IDisposable
{
    private const string Shop = """
        name: shop
        time: { max_future: 3650d }
        tables:
          products: { file: products.csv, key: sku, fields: { category: string, margin: double, price: decimal(2) } }
        events:
          shop:
            topic: shop
            format: json
            customer: c
            id: id
            time: t
            type: kind
            fields:
              sku: string
              quantity: int
              category: { lookup: "products[event.sku].category", default: unknown }
              margin: { lookup: "products[event.sku].margin" }
              products:
                from: cart.products
                items:
                  sku: string
                  quantity: int
                  category: { lookup: "products[item.sku].category" }
                  price: { lookup: "products[item.sku].price" }
        features:
          drawn: { op: top, of: event.category, k: 2, slots: 8 }
          margins: { op: mean, of: event.margin, where: event.category != 'hats' }
          unpriced: { op: count, where: "event.sku != '' && !has(event.margin)" }
          kinds: { op: distinct, over: event.products, of: item.category }
          spent: { op: sum, over: event.products, of: item.price * double(item.quantity), scale: 2 }
          shoes: { op: sum, over: event.products, of: item.quantity, where: item.category == 'shoes' }
          doubled: { expr: features.margins * 2.0 }
        decisions:
          triggers:
            rich: { when: "event.margin >= 0.5", placement: "event.category" }
        offers:
          polish: { applicable: event.category == 'shoes', propensity: 0.1, value: 1.0 + event.margin }
          newsletter: { propensity: 0.01, value: 1.0 }
        requests: { enabled: true }
        """;

    private const string Rows = "sku,category,margin,price\ns1,shoes,0.5,49.90\ns2,shoes,,80\nh1,hats,0.75,12.345\nx1,,0.1,1\n";

    private readonly TableFolder _folder = new TableFolder().Write("products.csv", Rows);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Features_triggers_and_rules_read_what_was_looked_up()
    {
        using var engine = _folder.Compile(Shop);
        using var driver = new ShardDriver(engine);
        driver.Add("ann", Event("1", "\"sku\":\"s1\""), 0)
            .Add("ann", Event("2", "\"sku\":\"s2\""), 0)
            .Add("ann", Event("3", "\"sku\":\"none\""), 0)
            .Add("ann", Event("4", "\"kind\":\"login\""), 0)
            .Add("ann", Event("5", "\"sku\":\"h1\""), 0)
            .Add("ann", Event("6", "\"cart\":{\"products\":[{\"sku\":\"s1\",\"quantity\":2},{\"sku\":\"no\",\"quantity\":9},"
                + "{\"quantity\":1},{\"sku\":\"h1\",\"quantity\":1},{\"sku\":\"x1\",\"quantity\":3}]}"), 0)
            .Add("ann", Event("6", "\"sku\":\"twice\""), 0)
            .Process();
        Assert.Equal([0.5, 2, 2, 2 * 49.90 + 12.34 + 3, 2, 1],
            engine.Features.Shapes.SelectMany(s => s.Numbers.Select(n => (s.Options.Name, n))).Zip(driver.Features("ann", Time))
                .Where(p => p.First.Name != "drawn").Select(p => Math.Round(p.Second, 9)));
        Assert.Equal(["shoes", "hats"], engine.Features.Texts.Of(driver.Features("ann", Time)).Select(t => t.Value));

        // Two events have a margin that triggers; the one with shoes is offered polish, at the placement of its category.
        var decisions = driver.Outputs.Where(o => o.Topic == "actions").Select(o => Encoding.UTF8.GetString(o.Value)).ToList();
        Assert.Equal(2, decisions.Count);
        Assert.Contains("shoes", decisions[0], StringComparison.Ordinal);
        Assert.Contains("polish", decisions[0], StringComparison.Ordinal);
        Assert.Contains("newsletter", decisions[1], StringComparison.Ordinal);

        // 'none' of the event's, and 'no' of an item's; an event that was sent twice is not admitted, and not counted.
        Assert.Equal([2L], driver.Shard.Counters.LookupsMissed);
    }

    [Fact]
    public void A_restored_shard_and_one_that_reads_the_log_again_have_the_same_vectors()
    {
        using var engine = _folder.Compile(Shop);
        string[] products = ["s1", "h1", "s2", "?"];
        var log = Enumerable.Range(0, 60).Select(i => Event($"{i}", $"\"sku\":\"{products[i % 4]}\"")).ToList();
        using var live = new ShardDriver(engine);
        foreach (var e in log) live.Add("ann", e, 0);
        live.Process();
        using var restored = new ShardDriver(engine);
        restored.Restore(log.Select(e => ("ann", Encoding.UTF8.GetBytes(e), 0L, new List<Written>())));
        Assert.Equal(live.Features("ann", Time), restored.Features("ann", Time));
        // What was counted live is not counted again.
        Assert.Equal((15L, 0L), (live.Shard.Counters.LookupsMissed[0], restored.Shard.Counters.LookupsMissed[0]));
    }

    [Fact]
    public void A_file_of_other_contents_is_another_config()
    {
        using var before = _folder.Compile(Shop);
        _folder.Write("products.csv", Rows + "z,socks,1,1\n");
        using var after = _folder.Compile(Shop);
        _folder.Write("products.csv", Rows);
        using var again = _folder.Compile(Shop);
        Assert.NotEqual(before.ConfigHash, after.ConfigHash);
        Assert.Equal(before.ConfigHash, again.ConfigHash);
        // Profiles are made of what was folded: they fit either.
        Assert.Equal(before.StateVersion, after.StateVersion);
    }

    [Fact]
    public void A_request_has_what_its_fields_find_and_may_say_otherwise()
    {
        using var engine = _folder.Compile(Shop);
        var (category, margin) = (engine.Events.Fields.Find("category")!, engine.Events.Fields.Find("margin")!);
        Assert.Equal(("'hats'", "0.75"), Ask(new() { ["sku"] = "h1" }));
        Assert.Equal(("'boots'", "0.75"), Ask(new() { ["sku"] = "h1", ["category"] = "boots" }));
        Assert.Equal(("'unknown'", "-"), Ask(new() { ["sku"] = "?" }));
        Assert.Equal(("-", "-"), Ask(new() { ["quantity"] = 1L }));

        (string, string) Ask(Dictionary<string, object?> context)
        {
            var faults = new List<string>();
            var call = new RequestCompiler(engine).Compile(new DecideRequest { Customer = "ann", Id = "r", Context = context }, Time, 0,
                faults);
            Assert.Empty(faults);
            return (TableFolder.Show(call!.Fields[category.Index], category), TableFolder.Show(call.Fields[margin.Index], margin));
        }
    }

    /// <summary>A request has what any source finds: an earlier source's default does not stand before a later one's row.</summary>
    [Fact]
    public void A_request_takes_a_row_before_a_default_whatever_source_has_it()
    {
        _folder.Write("old.csv", "sku,category\no1,clogs\n");
        using var engine = _folder.Compile(Shop
            .Replace("events:", "  old: { file: old.csv, key: sku, fields: { category: string } }\nevents:", StringComparison.Ordinal)
            .Replace("  shop:\n", "  first:\n    topic: first\n    format: json\n    customer: c\n    id: id\n    time: t\n    fields:\n"
                + "      sku: string\n      category: { lookup: \"old[event.sku].category\", default: none }\n  shop:\n",
                StringComparison.Ordinal));
        var category = engine.Events.Fields.Find("category")!;
        Assert.Equal(["'clogs'", "'hats'", "'none'"], new[] { "o1", "h1", "?" }.Select(sku =>
        {
            var call = new RequestCompiler(engine).Compile(
                new DecideRequest { Customer = "ann", Id = "r", Context = new Dictionary<string, object?> { ["sku"] = sku } }, Time, 0, []);
            return TableFolder.Show(call!.Fields[category.Index], category);
        }));
    }

    [Fact]
    public void Lineage_names_the_table_behind_a_field()
    {
        using var engine = _folder.Compile(Shop);
        var features = FeatureCatalogue.Of(engine);
        Assert.Equal(["shop: tables.products.category by sku"], Assert.Single(features.Single(f => f.Name == "drawn").Fields).From);
        Assert.Equal(["shop: tables.products.category by cart.products[].sku"],
            Assert.Single(features.Single(f => f.Name == "kinds").Fields).From);
        Assert.Equal(["category", "margin"], features.Single(f => f.Name == "doubled").Fields.Select(f => f.Field));
    }

    [Fact]
    public void Rows_and_missed_lookups_are_measured_by_table()
    {
        using var engine = _folder.Compile(Shop);
        using var metrics = new EngineMetrics(engine);
        using var driver = new ShardDriver(engine);
        metrics.ShardOpened(driver.Shard);
        driver.Add("ann", Event("1", "\"sku\":\"?\""), 0).Add("ann", Event("2", "\"sku\":\"s1\""), 0).Process();
        var seen = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (metrics.Owns(instrument)) l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (tags is [{ Key: "table", Value: var table }]) seen[$"{instrument.Name} {table}"] = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal((1, 4), (seen["streamengine.lookups.missed products"], seen["streamengine.tables.rows products"]));
        Assert.Equal(engine.Tables[0].Memory, seen["streamengine.tables.memory products"]);
    }

    [Fact]
    public void Looking_up_allocates_nothing()
    {
        using var engine = _folder.Compile(Shop);
        var decoder = engine.Events.Sources[0].CreateDecoder();
        var line = Encoding.UTF8.GetBytes(Event("1", "\"sku\":\"s1\",\"cart\":{\"products\":[{\"sku\":\"h1\"},{\"sku\":\"?\"}]}"));
        var e = new Event(engine.Events.Fields);
        void Run()
        {
            for (var i = 0; i < 200; i++)
            {
                if (i % 50 == 0) e.BeginBatch();
                e.Clear();
                Assert.True(decoder.Decode(line, new Range32(0, line.Length), default, e) == RejectReason.None);
            }
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
        Assert.Equal([1], e.LookupsMissed);
    }

    [Fact]
    public void A_config_with_tables_needs_somebody_to_read_them() => Assert.Throws<InvalidOperationException>(() =>
        TableSet.Read([new TableOptions { Name = "t" }], _folder.Path, null, new ConfigErrors()));

    /// <summary>Commands that need no values, such as produce, read no tables.</summary>
    [Fact]
    public void A_catalog_of_tables_without_rows_leaves_fields_absent()
    {
        var errors = new ConfigErrors();
        var tables = TableSet.Declare([new TableOptions { Name = "t", File = "gone.csv", Key = new() { Field = "k" },
            Fields = [new TableFieldOptions { Name = "v" }] }], errors);
        var source = new EventSourceOptions
        {
            Name = "s",
            Format = RecordFormat.Json,
            Customer = "c",
            Id = "id",
            Time = new TimeFieldOptions { Field = "t" },
            Fields = [new FieldOptions { Name = "k" }, new FieldOptions { Name = "v", Lookup = "t[event.k].v", Default = "d" }],
        };
        var catalog = EventCatalog.Compile([source], [], new Events.Schemas(), "", errors, tables: tables);
        errors.ThrowIfAny();
        var (e, line) = (new Event(catalog.Fields), Encoding.UTF8.GetBytes(Event("1", "\"k\":\"a\"")));
        Assert.Equal(RejectReason.None, catalog.Sources[0].CreateDecoder().Decode(line, new Range32(0, line.Length), default, e));
        Assert.Equal((true, false), (e.Fields[0].Present, e.Fields[1].Present));
    }

    private const long Time = 1_767_600_000_000;

    private static string Event(string id, string rest) => $"{{\"c\":\"ann\",\"id\":\"{id}\",\"t\":{Time},{rest}}}";
}
