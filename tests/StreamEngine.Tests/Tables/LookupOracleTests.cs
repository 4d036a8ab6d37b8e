using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Runtime;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>Fields that are looked up, against plain dictionaries: random tables and events, of every format.</summary>
public sealed class LookupOracleTests : IDisposable
{
    private const string Schema = """
        {"type":"record","name":"E","fields":[{"name":"c","type":"string"},{"name":"id","type":"string"},{"name":"t","type":"long"},
         {"name":"sku","type":["null","string"]},{"name":"shop","type":["null","long"]},
         {"name":"lines","type":["null",{"type":"array","items":{"type":"record","name":"L","fields":[
            {"name":"sku","type":["null","string"]}]}}]}]}
        """;

    private const string Lookups = """
              name:  { lookup: "products[event.sku].name", default: none }
              price: { lookup: "products[event.sku].price" }
              n:     { lookup: "products[event.sku].n", default: 77 }
              live:  { lookup: "products[event.sku].live" }
              since: { lookup: "products[ event.sku ].since" }
              rate:  { lookup: "products[event.sku].rate", default: "0.25" }
              town:  { lookup: "shops[event.shop].town", default: "" }
              maker: { lookup: "shops[event.n].town" }
        """;

    private const string Events = $$"""
        name: shop
        purposes: []
        tables:
          products: { file: products.@, key: sku, fields: { name: { from: title, type: string }, price: decimal(2), n: int, live: bool,
                      since: timestamp, rate: double } }
          shops: { file: shops.csv, key: { field: shop, type: int }, fields: { town: string } }
        events:
          json:
            topic: json
            format: json
            customer: c
            id: id
            time: t
            fields:
              sku: string
              shop: int
              lines: { type: list, items: { sku: string, name: { lookup: "products[item.sku].name", default: none },
                       price: { lookup: "products[item.sku].price" } } }
        {{Lookups}}
          avro:
            topic: avro
            format: avro
            framing: bare
            schema: e.avsc
            customer: c
            id: id
            time: t
            fields:
              sku: string
              shop: int
              lines: { type: list, items: { sku: string, name: { lookup: "products[item.sku].name", default: none },
                       price: { lookup: "products[item.sku].price" } } }
        {{Lookups}}
          csv:
            topic: csv
            format: csv
            columns: [c, id, t, sku, shop]
            customer: c
            id: id
            time: t
            fields:
              sku: string
              shop: int
        {{Lookups}}
        """;

    private readonly TableFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Events_of_every_format_have_what_a_dictionary_has()
    {
        _folder.Write("e.avsc", Schema);
        var hits = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(8).WithReplay(20_260_402, 11), Prop.ForAll(Cases, c =>
        {
            // A table and the same table packed, in another format, say the same.
            var products = c.Rows.DistinctBy(r => r.Sku).ToDictionary(r => r.Sku);
            var shops = c.Shops.DistinctBy(s => s.Id).ToDictionary(s => s.Id, s => s.Town);
            var file = c.Json ? "ndjson.gz" : "csv";
            _folder.Write($"products.{file}", c.Json ? Ndjson(products.Values) : Csv(products.Values));
            _folder.Write("shops.csv", "town,shop\n" + string.Concat(shops.Select(s => $"{s.Value},{s.Key}\n")));
            using var engine = _folder.Compile(Events.Replace("products.@", $"products.{file}", StringComparison.Ordinal));
            Assert.Equal([products.Count, shops.Count], engine.Tables.Select(t => t.Rows));
            for (var source = 0; source < 3; source++)
            {
                var decoder = engine.Events.Sources[source].CreateDecoder();
                var e = new Event(engine.Events.Fields);
                foreach (var sent in c.Events)
                {
                    // A CSV field that is empty is none, and it has no lists of records.
                    var read = source < 2 ? sent : sent with { Sku = sent.Sku is "" ? null : sent.Sku, Lines = null };
                    var bytes = source == 0 ? Json(sent) : source == 1 ? Avro(sent) : Line(sent);
                    e.BeginBatch();
                    e.Clear();
                    Assert.Equal(RejectReason.None, decoder.Decode(bytes, new Range32(0, bytes.Length), default, e));
                    var expected = Expected(read, products, shops, isCsv: !c.Json, out var missed);
                    Assert.Equal(expected, Found(engine, e));
                    Assert.Equal(missed, e.LookupsMissed);
                    hits += read.Sku is not null && products.ContainsKey(read.Sku) ? 1 : 0;
                }
            }
        }));
        Assert.True(hits > 150, $"only {hits} keys were there: the test says little");
    }

    private static string Expected(Sent e, Dictionary<string, Row> products, Dictionary<long, string> shops, bool isCsv, out int[] missed)
    {
        var lost = missed = new int[2];
        var row = Product(e.Sku);
        var n = row?.N ?? (e.Sku is null ? null : 77);
        var town = Town(e.Shop, "''");
        var maker = Town(n, "-");
        var lines = e.Lines is null ? "-" : string.Join(";", e.Lines.Select(sku =>
            $"{Text(sku)}/{(Product(sku) is { } line ? Name(line) : sku is null ? "-" : "'none'")}/"
            + (sku is not null && products.TryGetValue(sku, out var priced) ? Number(priced.Cents) : "-")));
        return $"{Text(e.Sku)} {Number(e.Shop)} {lines} {(row is null ? e.Sku is null ? "-" : "'none'" : Name(row))} {Number(row?.Cents)} "
            + $"{Number(n)} {(row?.Live is { } live ? live ? "1" : "0" : "-")} {Number(row?.Since)} "
            + $"{(row?.Rate is { } rate ? rate.ToString("R", CultureInfo.InvariantCulture) : e.Sku is null ? "-" : "0.25")} {town} {maker}";

        Row? Product(string? sku)
        {
            if (sku is null) return null;
            if (products.TryGetValue(sku, out var found)) return found;
            lost[0]++;
            return null;
        }

        string Town(long? shop, string otherwise)
        {
            if (shop is null) return "-";
            if (shops.TryGetValue(shop.Value, out var found)) return $"'{found}'";
            lost[1]++;
            return otherwise;
        }

        string Name(Row of) => of.Name is null || of.Name.Length == 0 && isCsv ? "'none'" : $"'{of.Name}'";

        static string Text(string? text) => text is null ? "-" : $"'{text}'";

        static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";
    }

    private static string Found(CompiledEngine engine, Event e) => string.Join(' ', engine.Events.Fields.Fields.Select(f =>
        f.Items is null ? TableFolder.Show(e.Fields[f.Index], f) : List(e, f)));

    private static string List(Event e, Field list) => e.Fields[list.Index] is { Present: true } value
        ? string.Join(";", Enumerable.Range(0, value.Length).Select(i => string.Join('/', list.Items!.Fields.Select(f =>
            TableFolder.Show(e.Items.Cells[value.Start + i * list.Items.Count + f.Index], f))))) : "-";

    private static byte[] Json(Sent e) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        c = "ann",
        id = "e1",
        t = 1_767_600_000_000,
        sku = e.Sku,
        shop = e.Shop,
        lines = e.Lines?.Select(sku => new { sku }),
    });

    private static byte[] Avro(Sent e)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new AvroWriter(bytes);
        writer.String("ann");
        writer.String("e1");
        writer.Long(1_767_600_000_000);
        Text(e.Sku);
        writer.Long(e.Shop is null ? 0 : 1);
        if (e.Shop is { } shop) writer.Long(shop);
        writer.Long(e.Lines is null ? 0 : 1);
        if (e.Lines is { } lines)
        {
            if (lines.Length > 0) writer.Long(lines.Length);
            foreach (var sku in lines) Text(sku);
            writer.Long(0);
        }
        return bytes.WrittenSpan.ToArray();

        void Text(string? text)
        {
            writer.Long(text is null ? 0 : 1);
            if (text is not null) writer.String(text);
        }
    }

    private static byte[] Line(Sent e) => Encoding.UTF8.GetBytes($"ann,e1,1767600000000,{Quoted(e.Sku)},{e.Shop}");

    private static string Csv(IEnumerable<Row> rows) => "\uFEFFlive,sku,unread,title,price,n,since,rate\r\n" + string.Concat(rows.Select(
        r => string.Create(CultureInfo.InvariantCulture,
            $"{r.Live},{Quoted(r.Sku)},x,{Quoted(r.Name)},{r.Cents / 100m},{r.N},{r.Since},{r.Rate:R}\r\n")));

    private static string Ndjson(IEnumerable<Row> rows) => string.Concat(rows.Select(r => JsonSerializer.Serialize(new
    {
        sku = r.Sku,
        title = r.Name,
        unread = new[] { 1 },
        price = r.Cents / 100m,
        n = r.N,
        live = r.Live,
        since = r.Since,
        rate = r.Rate,
    }) + "\n"));

    private static string Quoted(string? text) => text is null ? "" : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private sealed record Case(bool Json, Row[] Rows, Shop[] Shops, Sent[] Events);

    private sealed record Row(string Sku, string? Name, long? Cents, long? N, bool? Live, long? Since, double? Rate);

    private sealed record Shop(long Id, string Town);

    private sealed record Sent(string? Sku, long? Shop, string?[]? Lines);

    private static Arbitrary<Case> Cases
    {
        get
        {
            var key = from letter in Gen.Elements("a", "b", "é,", "\"", "日\n", " ", "0")
                      from number in Gen.Choose(0, 5)
                      select $"{letter}{number}";
            var shop = Gen.Choose(-2, 4).Select(i => i == 4 ? long.MinValue : i);
            var rows = from sku in key
                       from name in Gen.Elements<string?>(null, "", "shoe", "Schuh, \"rot\"", "靴\nzwei")
                       from cents in Maybe(Gen.Choose(-10_000, 10_000).Select(i => (long)i))
                       from n in Maybe(shop)
                       from live in Maybe(Gen.Elements(true, false))
                       from since in Maybe(Gen.Choose(0, 90_000).Select(i => 1_700_000_000_000 + i * 1_000L))
                       from rate in Maybe(Gen.Choose(-9, 9).Select(i => i / 7.0))
                       select new Row(sku, name, cents, n, live, since, rate);
            var shops = from id in shop from town in Gen.Elements("Rom", "Ulm", "Köln") select new Shop(id, town);
            var events = from sku in Gen.Frequency((6, key.Select(k => (string?)k)), (1, Gen.Elements<string?>(null, "")))
                         from at in Maybe(shop)
                         from lines in Gen.OneOf(Gen.Constant<string?[]?>(null), Gen.Frequency((6, key.Select(k => (string?)k)),
                             (1, Gen.Constant<string?>(null))).ArrayOf().Resize(4).Select(l => (string?[]?)l))
                         select new Sent(sku, at, lines);
            // NDJSON can't be told from nothing without a row.
            return (from json in Gen.Elements(true, false)
                    from first in rows
                    from all in rows.ArrayOf().Resize(40)
                    from towns in shops.ArrayOf().Resize(6)
                    from sent in events.ArrayOf(30)
                    select new Case(json, [first, .. all], towns, sent)).ToArbitrary();
        }
    }

    private static Gen<T?> Maybe<T>(Gen<T> of) where T : struct =>
        Gen.Frequency((5, of.Select(v => (T?)v)), (1, Gen.Constant<T?>(null)));
}
