using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Events;
using StreamEngine.Host.Demo;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class ShopTests
{
    [Fact]
    public void The_same_seed_gives_the_same_events()
    {
        Assert.Equal(Events(7, 2_000), Events(7, 2_000));
        Assert.NotEqual(Events(7, 2_000), Events(8, 2_000));
    }

    [Fact]
    public void The_shop_has_everything_that_a_real_one_has()
    {
        var shop = new Shop(1, 5_000);
        var (types, ids, broken, nobody, late, spread) =
            (new HashSet<string>(), new HashSet<string>(), 0, 0, 0, new Dictionary<string, int>());
        for (var i = 0; i < 100_000; i++)
        {
            var e = shop.Next(1_000_000_000_000 + i);
            types.Add(e.Type);
            ids.Add(e.EventId);
            if (e.Broken) broken++;
            if (e.CustomerId.Length == 0) nobody++;
            if (e.Time < 1_000_000_000_000) late++;
            spread[e.CustomerId] = spread.GetValueOrDefault(e.CustomerId) + 1;
        }
        Assert.Superset(new HashSet<string> { "page_view", "search", "cart_add", "cart_remove", "purchase", "return", "email_open",
            "consent_change" }, types);
        Assert.InRange(100_000 - ids.Count, 100, 1_000);
        Assert.InRange(broken, 10, 200);
        Assert.InRange(nobody, 50, 500);
        Assert.InRange(late, 20, 500);
        Assert.True(spread.OrderByDescending(c => c.Value).Take(1_000).Sum(c => c.Value) > 40_000,
            "a fifth of the customers makes most of the events");
    }

    [Fact]
    public void Json_and_avro_say_the_same()
    {
        var schema = new ApacheAvro(File.ReadAllText(Configuration.Repository.Path("deploy", "samples", "demo", "schemas", "1.avsc")));
        using var json = new ShopEventWriter(RecordFormat.Json);
        using var avro = new ShopEventWriter(RecordFormat.Avro);
        var shop = new Shop(3, 100);
        var negative = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var e = shop.Next(1_000_000_000_000 + i);
            e.Broken = false;
            if (e.Quantity < 0) negative++;
            var a = JsonNode.Parse(json.Write(e))!;
            var bytes = avro.Write(e);
            Assert.Equal([0, 0, 0, 0, 1], bytes[..5].ToArray());
            var b = schema.Record(bytes[5..]);
            foreach (var name in new[] { "event_id", "customer_id", "type", "placement", "product", "category" })
                Assert.Equal((string?)a[name], (string?)b[name]);
            Assert.Equal(((long)a["event_time"]!, (double)a["value"]!, (int)a["quantity"]!),
                ((long)b["event_time"]!, (double)b["value"]!, (int)b["quantity"]!));
            Assert.Equal(a["consent"]!.AsArray().Select(n => (string)n!), ((object[])b["consent"]!).Cast<string>());
        }
        Assert.True(negative > 0, "no return was among them");
    }

    private static string Events(int seed, int count)
    {
        var shop = new Shop(seed, 300);
        using var writer = new ShopEventWriter(RecordFormat.Json);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++) text.Append(Encoding.UTF8.GetString(writer.Write(shop.Next(1_000_000 + i)))).Append('\n');
        return text.ToString();
    }
}
