using System.Collections;
using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.Host.Configuration;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Catalogue;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Features that go over the items of a list, as a config declares them and as a shard keeps them.</summary>
public sealed class ItemFeatureTests : IDisposable
{
    private const string Shop = """
        name: shop
        time: { max_future: 3650d, lateness: 1d }
        events:
          orders:
            topic: orders
            format: json
            customer: c
            id: id
            time: t
            type: kind
            fields:
              total: double
              tags: { type: list(string), max_items: 8 }
              marks: list(decimal(2))
              products:
                from: cart.products
                max_items: 40
                items: { sku: string, category: string, price: decimal(2), quantity: int, weight: { from: size.weight, type: double } }
        """;

    private const string Oracle = """
        features:
          lines:    { op: count, over: event.products }
          orders:   { op: count }
          spent:    { op: sum, over: event.products, of: item.price * double(item.quantity), scale: 2 }
          shoes:    { op: sum, over: event.products, of: item.quantity, where: item.category == 'shoes' && event.type == 'buy' }
          prices:   { op: mean, over: event.products, of: item.price, window: { sliding: 4h, every: 1h } }
          cheapest: { op: min, over: event.products, of: item.price, default: -1 }
          dearest:  { op: max, over: event.products, of: item.price, where: has(item.category), window: { session: 30m } }
          first:    { op: first, over: event.products, of: item.price, default: -1 }
          last:     { op: last, over: event.products, of: item.sku }
          kinds:    { op: distinct, over: event.products, of: item.category }
          drawn:    { op: top, over: event.products, of: item.category, weight: item.quantity, k: 2, slots: 8 }
          words:    { op: count, over: event.tags, where: item.startsWith('a') }
          share:    { op: rate, over: event.products, where: item.category == 'shoes', per: 'true' }
          totals:   { op: sum, over: event.products, of: event.total, scale: 2 }
        """;

    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("items-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Random orders in batches of 1, 7 and 1,000, and as a restart replays them, against the plainest definitions.</summary>
    [Fact]
    public void Features_of_items_are_those_of_the_definitions_in_every_batch_and_after_a_replay()
    {
        using var engine = Compile(Shop, Oracle);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20_260_401, 7), Prop.ForAll(Orders, orders =>
        {
            var log = orders.Select((o, i) => ("ann", Json(o, i), o.Time)).ToList();
            var at = orders.Max(o => o.Time);
            var vectors = new List<double[]>();
            foreach (var batch in (int[])[1, 7, 1_000])
            {
                using var driver = new ShardDriver(engine);
                for (var i = 0; i < log.Count; i++)
                {
                    driver.Add(log[i].Item1, log[i].Item2, log[i].Time);
                    if ((i + 1) % batch == 0) driver.Process();
                }
                driver.Process();
                Assert.DoesNotContain(driver.Outputs, o => o.Topic == "dead-letter");
                vectors.Add(driver.Features("ann", at));
            }
            using var again = new ShardDriver(engine);
            again.Restore(log.Select(r => (r.Item1, System.Text.Encoding.UTF8.GetBytes(r.Item2), r.Time, new List<Written>())));
            vectors.Add(again.Features("ann", at));
            Assert.All(vectors, v => Assert.Equal(vectors[0], v));
            AssertNaive(engine, orders, at, vectors[0]);
        }));
    }

    [Fact]
    public void Order_completed_of_segment_and_purchase_of_ga4_are_read_without_code()
    {
        using var engine = Compile("""
            name: shops
            time: { max_future: 3650d }
            events:
              segment:
                topic: segment
                format: json
                customer: [userId, anonymousId]
                id: messageId
                time: [originalTimestamp, timestamp]
                type: event
                fields:
                  products:
                    from: properties.products
                    items: { id: { from: product_id, type: string }, category: string, price: decimal(2), quantity: int }
              ga4:
                topic: ga4
                format: json
                customer: [user_id, user_pseudo_id]
                id: hash(user_pseudo_id, event_timestamp, event_name)
                time: { field: event_timestamp, format: micros }
                type: event_name
                fields:
                  products:
                    from: items
                    items:
                      id: { from: item_id, type: string }
                      category: { from: item_category, type: string }
                      price: decimal(2)
                      quantity: int
            features:
              revenue:  { op: sum, over: event.products, of: item.price * double(item.quantity), scale: 2, where:
                          "event.type in ['Order Completed', 'purchase']" }
              drawn_to: { op: top, over: event.products, of: item.category, weight: item.quantity, k: 2 }
              last_id:  { op: last, over: event.products, of: item.id }
            """);
        using var driver = new ShardDriver(engine);
        driver.Add("ann", """
            {"type":"track","event":"Order Completed","userId":"ann","messageId":"m-1","originalTimestamp":"2026-01-05T10:00:00.000Z",
             "context":{"library":{"name":"analytics.js"}},"properties":{"order_id":"50314b8e","total":46.48,"currency":"EUR",
             "products":[{"product_id":"507f1f77","sku":"45790-32","name":"Trail shoe","price":19.99,"quantity":2,"category":"Shoes",
               "url":"https://shop.example/p/1"},{"product_id":"505bd76785","sku":"46493-32","name":"Socks","price":6.5,"quantity":1,
               "category":"Socks","coupon":null}]}}
            """.ReplaceLineEndings(" "), 0).Process();
        driver.Add("ann", """
            {"event_date":"20260106","event_timestamp":"1767690000000000","event_name":"purchase","user_id":"ann",
             "user_pseudo_id":"1234.5678","event_params":[{"key":"currency","value":{"string_value":"EUR"}}],
             "ecommerce":{"transaction_id":"T-9","purchase_revenue":12.0,"total_item_quantity":"3"},
             "items":[{"item_id":"S-77","item_name":"Running socks","item_brand":"(not set)","item_category":"Socks","price":4.0,
               "quantity":"3","item_params":[]}]}
            """.ReplaceLineEndings(" "), 0, source: 1).Process();
        Assert.DoesNotContain(driver.Outputs, o => o.Topic is "dead-letter" or "late");
        var at = Start.AddDays(2).ToUnixTimeMilliseconds();
        var vector = driver.Features("ann", at);
        Assert.Equal(2 * 19.99 + 6.5 + 12.0, vector[0], 9);
        Assert.Equal(["Socks", "Shoes", "S-77"], engine.Features.Texts.Of(vector).Select(t => t.Value));

        var revenue = FeatureCatalogue.Of(engine).Single(f => f.Name == "revenue");
        Assert.Equal(["products.price", "products.quantity", "type"], revenue.Fields.Select(f => f.Field));
        Assert.Equal(["segment: properties.products[].price", "ga4: items[].price"], revenue.Fields[0].From);
        Assert.Contains("for each item of event.products", revenue.Definition, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'x' in event.tags", true)]
    [InlineData("'y' in event.tags", false)]
    [InlineData("size(event.tags) == 2 && event.tags.size() == 2", true)]
    [InlineData("event.tags.exists(t, t == 'abc')", true)]
    [InlineData("event.tags.filter(t, t.contains('b')).size() == 1 && event.tags[0] == 'x'", true)]
    [InlineData("event.marks.exists(m, m == 12.5) && math.greatest(event.marks) == 12.5 && 3.0 in event.marks", true)]
    [InlineData("size(event.products) == 1 && event.products.size() == 1 && has(event.products)", true)]
    [InlineData("has(event.tags) && event.tags == ['x', 'abc']", true)]
    public void Rules_read_lists_of_single_values(string rule, bool expected)
    {
        var features = $"features:\n  f: {{ op: count, where: \"{rule}\" }}\n  none: {{ op: count, where: \"{rule} || true\" }}";
        using var engine = Compile(Shop, features);
        using var driver = new ShardDriver(engine);
        driver.Add("ann", """
            {"c":"ann","id":"1","t":1767600000000,"kind":"buy","tags":["x","abc"],"marks":[3,"12.50"],"cart":{"products":[{"sku":"s"}]}}
            """, 0).Process();
        Assert.Equal([expected ? 1 : 0, 1], driver.Features("ann", 1_767_600_000_000));
    }

    [Theory]
    [InlineData("{ op: sum, of: item.price }", "'item' is known only in a feature that goes over a list", 29)]
    [InlineData("{ op: sum, over: event.products, of: item.prise }", "unknown name 'item.prise'", 54)]
    [InlineData("{ op: sum, over: event.total, of: item.price }", "event.total is no list", 30)]
    [InlineData("{ op: sum, over: event.product, of: item.price }", "unknown name 'event.product'", 30)]
    [InlineData("{ op: sum, over: 1 + 1, of: item.price }", "'over' names a list of the event", 30)]
    [InlineData("{ op: count, over: event.tags, where: item.sku == '' }", "the items of this list are single values", 0)]
    [InlineData("{ op: count, where: 'event.products == []' }", "'event.products' is a list of records", 0)]
    [InlineData("{ op: rfm, over: event.products, of: item.price }", "rfm looks at events, not at the items of their lists", 0)]
    [InlineData("{ op: time_since, over: event.products, previous: true }", "the previous event is no item's", 0)]
    [InlineData("{ expr: '1.0', over: event.products }", "a derived feature has no 'over'", 0)]
    public void Mistakes_are_told_once_with_their_place(string feature, string message, int column)
    {
        var errors = new ConfigErrors();
        Assert.Null(TryCompile($"{Shop}\nfeatures:\n  wrong_one: {feature}\n", errors));
        var error = Assert.Single(errors.All);
        Assert.Contains(message, error.ToString(), StringComparison.Ordinal);
        Assert.Equal(Shop.Split('\n').Length + 2, error.At.Line);
        if (column > 0) Assert.InRange(error.At.Column, 12, 80);
    }

    [Fact]
    public void Items_allocate_nothing_once_warm()
    {
        using var engine = Compile(Shop, Oracle);
        var decoder = engine.Events.Sources[0].CreateDecoder();
        var e = new StreamEngine.Events.Event(engine.Events.Fields);
        var context = new EvalContext();
        var profile = new byte[engine.Layout.FixedLength];
        engine.Features.Initialize(profile);
        var line = System.Text.Encoding.UTF8.GetBytes(Json(new Order(Start.ToUnixTimeMilliseconds(), true, ["abc", "x"],
            [new Line("s", "shoes", 1250, 2), new Line(null, null, null, 1)], 12), 1));
        void Run()
        {
            for (var i = 0; i < 200; i++)
            {
                if (i % 40 == 0) e.BeginBatch();
                e.Clear();
                Assert.True(decoder.Decode(line, new(0, line.Length), new(0, -1), e) == StreamEngine.Events.RejectReason.None);
                context.Use(e);
                engine.Features.Update(profile, e, context);
            }
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }

    private static void AssertNaive(CompiledEngine engine, Order[] orders, long at, double[] vector)
    {
        var names = engine.Features.Names.ToList();
        var lines = orders.SelectMany((o, i) => (o.Lines ?? []).Select((l, n) => (Order: o, Id: $"{i}", Place: n, Of: l))).ToList();
        double Read(string name) => vector[names.IndexOf(name)];
        var priced = lines.Where(l => l.Of.Price is not null).ToList();
        Assert.Equal(lines.Count, Read("lines"));
        Assert.Equal(orders.Length, Read("orders"));
        Assert.Equal(lines.Sum(l => (l.Of.Price ?? 0) * l.Of.Quantity) / 100.0, Read("spent"), 6);
        Assert.Equal(lines.Where(l => l.Of.Category == "shoes" && l.Order.IsBuy).Sum(l => l.Of.Quantity), Read("shoes"));
        const long hour = 3_600_000;
        var recent = priced.Where(l => l.Order.Time / hour > at / hour - 4).ToList();
        Assert.Equal(recent.Count == 0 ? 0 : recent.Average(l => l.Of.Price!.Value / 100.0), Read("prices"), 6);
        Assert.Equal(priced.Count == 0 ? -1 : priced.Min(l => l.Of.Price!.Value) / 100.0, Read("cheapest"));
        var session = at;
        foreach (var time in orders.Select(o => o.Time).OrderDescending()) session = session - time <= hour / 2 ? time : session;
        var open = priced.Where(l => l.Order.Time >= session && l.Of.Category is not null).ToList();
        Assert.Equal(open.Count == 0 ? 0 : open.Max(l => l.Of.Price!.Value) / 100.0, Read("dearest"));
        var first = priced.GroupBy(l => l.Order.Time).MinBy(g => g.Key);
        Assert.Contains(Read("first"), first?.Where(l => l.Place == first.Where(f => f.Id == l.Id).Min(f => f.Place))
            .Select(l => l.Of.Price!.Value / 100.0) ?? [-1]);
        Assert.Equal(lines.Select(l => l.Of.Category).OfType<string>().Distinct().Count(), Read("kinds"));
        Assert.Equal(orders.SelectMany(o => o.Tags ?? []).Count(t => t.StartsWith('a')), Read("words"));
        Assert.Equal(lines.Count == 0 ? 0 : lines.Count(l => l.Of.Category == "shoes") / (double)lines.Count, Read("share"), 9);
        Assert.Equal(lines.Sum(l => l.Order.Total), Read("totals"), 6);
        var texts = engine.Features.Texts.Of(vector).ToDictionary(t => t.Key, t => t.Value);
        var named = lines.Where(l => l.Of.Sku is not null).GroupBy(l => l.Order.Time).MaxBy(g => g.Key);
        Assert.Contains(texts["last"], named?.Where(l => l.Place == named.Where(f => f.Id == l.Id).Max(f => f.Place)).Select(l => l.Of.Sku!)
            ?? [""]);
        var drawn = lines.Where(l => !string.IsNullOrEmpty(l.Of.Category) && l.Of.Quantity > 0).GroupBy(l => l.Of.Category!)
            .Select(g => (Name: g.Key, Weight: g.Sum(l => l.Of.Quantity))).OrderByDescending(g => g.Weight)
            .ThenBy(g => g.Name, StringComparer.Ordinal).ToList();
        Assert.Equal(drawn.Select(d => d.Name).FirstOrDefault(""), texts["drawn_1"]);
        Assert.Equal(drawn.Sum(d => d.Weight), Read("drawn_total"));
    }

    private static string Json(Order order, int id) => JsonSerializer.Serialize(new
    {
        c = "ann",
        id = id.ToString(CultureInfo.InvariantCulture),
        t = order.Time,
        kind = order.IsBuy ? "buy" : "see",
        total = order.Total,
        tags = order.Tags,
        cart = new
        {
            products = order.Lines?.Select(l => new
            {
                sku = l.Sku,
                category = l.Category,
                price = l.Price is { } cents ? cents / 100m : (decimal?)null,
                quantity = l.Quantity,
                size = new { weight = 1.5 },
            }),
        },
    });

    private CompiledEngine Compile(params string[] parts)
    {
        var errors = new ConfigErrors();
        var engine = TryCompile(string.Join("\n", parts), errors);
        errors.ThrowIfAny();
        return engine!;
    }

    private CompiledEngine? TryCompile(string yaml, ConfigErrors errors)
    {
        var file = Path.Combine(_folder, "c.yaml");
        File.WriteAllText(file, yaml);
        return ConfigCheck.CompileForTopics(ConfigLoader.Load(file, [], new Hashtable(), errors), errors);
    }

    private sealed record Order(long Time, bool IsBuy, string[]? Tags, Line[]? Lines, double Total);

    private sealed record Line(string? Sku, string? Category, long? Price, long Quantity);

    /// <summary>One customer's orders of some hours, a few of them at one time.</summary>
    private static Arbitrary<Order[]> Orders
    {
        get
        {
            var lines = from sku in Gen.Elements<string?>(null, "a", "b", "c")
                        from category in Gen.Elements<string?>(null, "shoes", "socks", "hats")
                        from price in Gen.OneOf(Gen.Constant<long?>(null), Gen.Choose(0, 5_000).Select(p => (long?)p))
                        from quantity in Gen.Choose(0, 4)
                        select new Line(sku, category, price, quantity);
            var orders = from minute in Gen.Choose(0, 60)
                         from buy in Gen.Elements(true, false)
                         from tags in Gen.Elements("abc", "x", "a").ListOf(2)
                         from count in Gen.Choose(-1, 5)
                         from items in lines.ArrayOf(Math.Max(0, count))
                         from total in Gen.Choose(0, 900)
                         select new Order(Start.AddMinutes(10 * minute).ToUnixTimeMilliseconds(), buy, [.. tags], count < 0 ? null : items,
                             total / 4.0);
            return (from count in Gen.Choose(1, 25) from all in orders.ArrayOf(count) select all.OrderBy(o => o.Time).ToArray())
                .ToArbitrary();
        }
    }
}
