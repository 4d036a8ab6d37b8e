using System.Globalization;
using System.Text;
using System.Text.Json;
using Avro.Generic;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Fields that are lists, of single values and of records, from each format.</summary>
public sealed class ListFieldTests
{
    private const string Schema = """
        {"type":"record","name":"E","fields":[{"name":"c","type":"string"},{"name":"id","type":"string"},{"name":"t","type":"long"},
         {"name":"tags","type":["null",{"type":"array","items":["null","string"]}]},
         {"name":"products","type":["null",{"type":"array","items":["null",{"type":"record","name":"P","fields":[
            {"name":"sku","type":["null","string"]},{"name":"note","type":"string"},{"name":"price","type":["null","double"]},
            {"name":"size","type":{"type":"record","name":"S","fields":[{"name":"n","type":"int"}]}}]}]}]}]}
        """;

    private static readonly FieldOptions Tags = Decoding.Field("tags", "list(string)");

    private static readonly FieldOptions Products = new()
    {
        Name = "products",
        MaxItems = 4,
        Items = [Item("sku", "string"), Item("price", "decimal(2)"), Item("n", "int", "size.n")],
    };

    private static readonly EventSourceOptions Source = new()
    {
        Name = "shop",
        Format = RecordFormat.Json,
        Customer = "c",
        Id = "id",
        Time = new TimeFieldOptions { Field = "t" },
        Fields = [Tags, Products],
    };

    [Theory]
    [InlineData("", "-", "-")]
    [InlineData(",\"tags\":null,\"products\":null", "-", "-")]
    [InlineData(",\"tags\":[],\"products\":[]", "", "")]
    [InlineData(",\"tags\":[\"a\",null,\"\\u0062\",\"\"]", "a,b,", "-")]
    [InlineData(",\"products\":[{\"sku\":\"x\",\"price\":1.5,\"size\":{\"n\":2}},null,{},{\"price\":null,\"other\":[1,{}]}]", "-",
        "x/150/2, -/-/-, -/-/-")]
    [InlineData(",\"products\":[{\"sku\":\"x\"}],\"products\":[{\"sku\":\"y\",\"sku\":\"z\"}]", "-", "z/-/-")]
    [InlineData(",\"products\":[{\"sku\":\"x\"}],\"products\":null", "-", "-")]
    public void Json_missing_null_and_empty_lists_differ_and_nulls_are_no_items(string rest, string tags, string products)
    {
        var decoding = new Decoding(Source);
        Assert.Equal(RejectReason.None, decoding.Decode(Line(rest)));
        Assert.Equal((tags, products), (Show(decoding, "tags"), Show(decoding, "products")));
    }

    [Theory]
    [InlineData(",\"tags\":\"a\"", RejectReason.WrongType, "'tags'")]
    [InlineData(",\"tags\":{}", RejectReason.WrongType, "'tags'")]
    [InlineData(",\"tags\":[[\"a\"]]", RejectReason.WrongType, "'tags[]'")]
    [InlineData(",\"products\":[1]", RejectReason.WrongType, "'products'")]
    [InlineData(",\"products\":[[]]", RejectReason.WrongType, "'products'")]
    [InlineData(",\"products\":[{\"price\":\"dear\"}]", RejectReason.WrongType, "field 'products[].price': 'dear' is not a decimal")]
    [InlineData(",\"products\":[{},{},{},{},{}]", RejectReason.TooManyItems, "field 'products': the list has more than 4 items")]
    [InlineData(",\"tags\":[\"\\ud800\"]", RejectReason.BadUtf8, "'tags[]'")]
    public void Json_of_another_kind_or_with_too_many_items_is_rejected_with_its_reason(string rest, RejectReason reason, string detail)
    {
        var decoding = new Decoding(Source);
        Assert.Equal(reason, decoding.Decode(Line(rest)));
        Span<byte> text = stackalloc byte[400];
        Assert.Contains(detail, Encoding.UTF8.GetString(text[..decoding.Catalog.Sources[0].Explain(decoding.Event, reason, text)]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_and_one_of_its_items_are_read_from_the_same_array()
    {
        var decoding = new Decoding(Source with { Fields = [Products, Tags, Decoding.Field("second", "string", "products.1.sku")] });
        Assert.Equal(RejectReason.None, decoding.Decode(Line(",\"products\":[{\"sku\":\"x\"},{\"sku\":\"y\"}]")));
        Assert.Equal(("x/-/-, y/-/-", "y"), (Show(decoding, "products"), decoding.Text("second")));
    }

    [Theory]
    [InlineData("\"a|b||c\"", "a,b,c")]
    [InlineData("one", "one")]
    [InlineData("", "-")]
    [InlineData("NULL|x", "x")]
    public void Csv_separates_the_items_of_one_field(string field, string tags)
    {
        var decoding = new Decoding(Csv);
        Assert.Equal(RejectReason.None, decoding.Decode($"ann,e1,1000,{field},1.5|2"));
        Assert.Equal((tags, "150,200"), (Show(decoding, "tags"), Show(decoding, "prices")));
        Assert.Equal(RejectReason.WrongType, decoding.Decode("ann,e1,1000,a,1.5|dear"));
        Assert.Equal(RejectReason.TooManyItems, decoding.Decode("ann,e1,1000,a,1|2|3|4"));
    }

    /// <summary>Random records through Apache's encoder and through System.Text.Json's: both formats give what was put in.</summary>
    [Fact]
    public void Avro_and_json_have_the_items_that_other_writers_wrote()
    {
        var schema = (global::Avro.RecordSchema)global::Avro.Schema.Parse(Schema);
        var json = new Decoding(Source);
        var avro = new Decoding(Source with { Format = RecordFormat.Avro, Framing = AvroFraming.Confluent, Topic = "events" },
            new Schemas((7, AvroSchema.Parse(Schema))));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200).WithReplay(20_260_301, 7), Prop.ForAll(Orders, order =>
        {
            var text = JsonSerializer.Serialize(new
            {
                c = "ann",
                id = "e1",
                t = 1000,
                tags = order.Tags,
                products = order.Lines?.Select(l => l is null ? null
                    : new { sku = l.Sku, note = "n", price = l.Price, size = new { n = l.N } }),
            });
            byte[] framed = [0, 0, 0, 0, 7, .. ApacheAvro.Encode(schema, Record(schema, order))];
            var expected = order.Lines is { } lines && lines.Count(l => l is not null) > Products.MaxItems ? RejectReason.TooManyItems
                : RejectReason.None;
            Assert.Equal((expected, expected), (json.Decode(text), avro.Decode(framed)));
            if (expected != RejectReason.None) return;
            var tags = order.Tags is null ? "-" : string.Join(",", order.Tags.Where(t => t is not null));
            var products = order.Lines is null ? "-" : string.Join(", ", order.Lines.Where(l => l is not null).Select(l =>
                $"{l!.Sku ?? "-"}/{(l.Price is { } p ? ((long)Math.Round(p * 100)).ToString(CultureInfo.InvariantCulture) : "-")}/{l.N}"));
            Assert.Equal((tags, products), (Show(json, "tags"), Show(json, "products")));
            Assert.Equal((tags, products), (Show(avro, "tags"), Show(avro, "products")));
            // Cut anywhere, the bytes are no record, and nothing outside of them is read.
            for (var length = 5; length < framed.Length; length++)
                Assert.Equal(RejectReason.Malformed, avro.Decode(framed.AsSpan(0, length)));
        }));
    }

    [Fact]
    public void An_avro_path_of_an_item_that_the_schema_lacks_is_a_mistake_at_that_item()
    {
        var source = Source with
        {
            Format = RecordFormat.Avro,
            Topic = "events",
            Fields = [Tags with { Type = "list(bool)" }, Products with { Items = [Item("skew", "string"), Item("note", "int")] },
                new FieldOptions { Name = "t", Type = "list(int)" }],
        };
        var e = Assert.Throws<ConfigException>(() => new Decoding(source, new Schemas((7, AvroSchema.Parse(Schema)))));
        Assert.Contains("the field 'products[].skew' is not in the schema", e.Message, StringComparison.Ordinal);
        Assert.Contains("the field 't' is long in the schema, which can't become a list", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_allocate_nothing_once_warm()
    {
        var decoding = new Decoding(Source);
        var line = Encoding.UTF8.GetBytes(
            Line(",\"tags\":[\"a\",\"b\"],\"products\":[{\"sku\":\"x\",\"price\":1.5},{\"size\":{\"n\":2}}]"));
        var e = new Event(decoding.Catalog.Fields);
        void Run()
        {
            for (var i = 0; i < 200; i++)
            {
                if (i % 50 == 0) e.BeginBatch();
                e.Clear();
                Assert.True(decoding.Decode(line, new Range32(0, line.Length), e) == RejectReason.None);
            }
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }

    [Fact]
    public void Mistakes_of_declarations_are_all_told()
    {
        EventSourceOptions[] sources =
        [
            Source with
            {
                Fields =
                [
                    Decoding.Field("bare", "list"), Decoding.Field("nested", "list(list(string))"), Tags,
                    Decoding.Field("labels", "list(int)", "tags"), Products with { Type = "double" },
                    new() { Name = "a", Items = [Item("1x", "string"), Item("y", "money")] },
                    Tags with { Name = "cut", Separator = ";" },
                ],
                Id = "hash(tags)",
            },
            Csv with
            {
                Topic = "second",
                Fields = [Products, Tags with { Type = "list(int)" }, Tags with { Name = "d", Separator = "||" }],
            },
        ];
        var errors = new ConfigErrors();
        EventCatalog.Compile(sources, [], new Schemas(), AppContext.BaseDirectory, errors);
        var told = string.Join("\n", errors.All);
        foreach (var message in new[]
        {
            "the list 'bare' does not say what its items are", "'list(string)' is no type", "the list at 'tags' is taken by another field",
            "'products' has 'items', so it is a list of records, and no double", "'1x' can't be used in an expression",
            "'money' is no type", "only in CSV does one text hold a list", "the list 'tags' can't be part of a hash",
            "'products' can't be a list of them", "items of this list have another type in the list at", "'||' can't separate items",
        }) Assert.Contains(message, told, StringComparison.Ordinal);
    }

    [Fact]
    public void Personal_data_beside_a_field_of_items_is_masked_and_the_field_is_read()
    {
        var decoding = new Decoding(Source with { Pii = ["products.note"] });
        Assert.Equal(RejectReason.None, decoding.Decode(Line(",\"products\":[{\"sku\":\"x\",\"note\":\"to Ann\"}]")));
        var masked = new System.Buffers.ArrayBufferWriter<byte>();
        var line = Encoding.UTF8.GetBytes(Line(",\"products\":[{\"sku\":\"x\",\"note\":\"to Ann\"}]"));
        Assert.True(decoding.Catalog.TryMask(0, line, masked));
        Assert.DoesNotContain("Ann", Encoding.UTF8.GetString(masked.WrittenSpan), StringComparison.Ordinal);
        Assert.Throws<ConfigException>(() => new Decoding(Source with { Pii = ["products.sku"] }));
    }

    private static EventSourceOptions Csv => Source with
    {
        Name = "table",
        Format = RecordFormat.Csv,
        Columns = ["c", "id", "t", "tags", "prices"],
        Nulls = ["NULL"],
        Fields = [Tags, Decoding.Field("prices", "list(decimal(2))") with { MaxItems = 3 }],
    };

    private static ItemFieldOptions Item(string name, string type, string? from = null) =>
        new() { Name = name, Type = type, From = from };

    private static string Line(string rest) => $$"""{"c":"ann","id":"e1","t":1000{{rest}}}""";

    /// <summary>The items of a list: a dash for what is absent, numbers in their smallest unit.</summary>
    private static string Show(Decoding decoding, string name)
    {
        var (value, items) = (decoding[name], decoding.Catalog.Fields.Find(name)!.Items!);
        if (!value.Present) return "-";
        string Cell(int item, Field f)
        {
            var cell = decoding.Event.Items.Cells[value.Start + item * items.Count + f.Index];
            return !cell.Present ? "-" : f.Type == FieldType.String ? Encoding.UTF8.GetString(cell.Text) : $"{cell.Bits}";
        }
        return string.Join(items.IsSingle ? "," : ", ",
            Enumerable.Range(0, value.Length).Select(i => string.Join("/", items.Fields.Select(f => Cell(i, f)))));
    }

    private static GenericRecord Record(global::Avro.RecordSchema schema, Order order)
    {
        var record = new GenericRecord(schema);
        record.Add("c", "ann");
        record.Add("id", "e1");
        record.Add("t", 1000L);
        record.Add("tags", order.Tags);
        var array = (global::Avro.ArraySchema)((global::Avro.UnionSchema)schema["products"].Schema)[1];
        var union = (global::Avro.UnionSchema)array.ItemSchema;
        record.Add("products", order.Lines?.Select(l => l is null ? null : Line((global::Avro.RecordSchema)union[1], l)).ToArray());
        return record;
    }

    private static GenericRecord Line(global::Avro.RecordSchema schema, OrderLine line)
    {
        var size = new GenericRecord((global::Avro.RecordSchema)schema["size"].Schema);
        size.Add("n", line.N);
        var record = new GenericRecord(schema);
        record.Add("sku", line.Sku);
        record.Add("note", "n");
        record.Add("price", line.Price);
        record.Add("size", size);
        return record;
    }

    private sealed record Order(string?[]? Tags, OrderLine?[]? Lines);

    private sealed record OrderLine(string? Sku, double? Price, int N);

    private static Arbitrary<Order> Orders
    {
        get
        {
            var texts = Gen.Elements<string?>(null, "a", "ü", "x,y", "quoted \"text\"");
            var lines = from sku in texts
                        from price in Gen.Elements<double?>(null, 0, 12.5, 3.25)
                        from n in Gen.Choose(-3, 300)
                        from missing in Gen.Choose(0, 6)
                        select missing == 0 ? null : new OrderLine(sku, price, n);
            return (from tags in texts.ArrayOf()
                    from noTags in Gen.Choose(0, 5)
                    from count in Gen.Choose(0, 6)
                    from items in lines.ArrayOf(count)
                    from none in Gen.Choose(0, 5)
                    select new Order(noTags == 0 ? null : tags, none == 0 ? null : items)).ToArbitrary();
        }
    }
}
