using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>Mistakes in tables and lookups: each is told once, at its place, and all at once.</summary>
public sealed class LookupConfigTests : IDisposable
{
    private readonly TableFolder _folder = new TableFolder().Write("p.csv", "sku,category,margin\na,shoes,0.5\n");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("{ lookup: 'products[event.sku]' }", "'products[event.sku]' is no lookup of an event. "
        + "Write TABLE[event.KEY].FIELD, such as products[event.sku].category.")]
    [InlineData("{ lookup: 'products[item.sku].category' }", "is no lookup of an event")]
    [InlineData("{ lookup: 'product[event.sku].category' }", "there is no table 'product'. Did you mean 'products'?")]
    [InlineData("{ lookup: 'products[event.sku].categroy' }", "the table 'products' has no field 'categroy'. Did you mean 'category'?")]
    [InlineData("{ lookup: 'products[event.skv].category' }", "there is no field 'skv' with the key in the source 'shop'. "
        + "Did you mean 'sku'?")]
    [InlineData("{ lookup: 'products[event.n].category' }", "'event.n' is int, and the keys of 'products' are string")]
    [InlineData("{ lookup: 'products[event.late].category' }", "'event.late' is looked up itself, and stands behind 'x'")]
    [InlineData("{ lookup: 'products[event.x].category' }", "'event.x' is looked up itself, and stands behind 'x'")]
    [InlineData("{ lookup: 'products[event.sku].margin', default: much }", "'much' is no double")]
    [InlineData("{ lookup: 'products[event.sku].margin', type: double }", "'x' is looked up, so it has no 'type' of its own")]
    [InlineData("{ lookup: 'products[event.sku].margin', from: y }", "'x' is looked up, so it has no 'from' of its own")]
    [InlineData("{ from: y, default: z }", "only a field that is looked up has a default")]
    [InlineData("{ type: list, items: { sku: string, y: { lookup: 'products[event.sku].category' } } }", "is no lookup of an item")]
    [InlineData("{ type: list, items: { sku: string, y: { lookup: 'products[item.id].category' } } }",
        "there is no field 'id' with the key")]
    [InlineData("{ type: list, items: { sku: int, y: { lookup: 'products[item.sku].category' } } }", "'item.sku' is int, and the keys")]
    public void A_lookup_that_can_t_be_done_is_told(string field, string mistake)
    {
        var mistakes = _folder.Mistakes(Config("products: { file: p.csv, key: sku, fields: { category: string, margin: double } }", field));
        Assert.Contains(mistake, Assert.Single(mistakes), StringComparison.Ordinal);
        Assert.StartsWith("c.yaml:13:", mistakes[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("products: { key: sku, fields: { category: string } }", "the table names no file")]
    [InlineData("products: { file: p.csv, fields: { category: string } }", "the table has no key")]
    [InlineData("products: { file: p.csv, key: sku, fields: {} }", "the table has no fields")]
    [InlineData("products: { file: p.csv, key: { field: sku, type: double }, fields: { category: string } }",
        "can't be of the type 'double'")]
    [InlineData("products: { file: p.csv, key: sku, fields: { category: strnig } }", "'strnig' is no type (did you mean 'string')")]
    [InlineData("products: { file: p.csv, key: sku, fields: { category: list(string) } }", "'list(string)' is no type")]
    [InlineData("products: { file: p.csv, key: sku, fields: { category: { from: '', type: string } } }", "'' is no path")]
    [InlineData("products: { file: p.csv, key: $key, fields: { category: string } }", "'$key' is the record's key, which can't stand here")]
    [InlineData("products: { file: p.csv, key: sku, fields: { category: string, the-margin: double } }",
        "'the-margin' can't be used in a lookup")]
    [InlineData("products: { file: p.csv, key: sku, separator: ab, fields: { category: string } }", "'ab' can't separate fields")]
    [InlineData("my-products: { file: p.csv, key: sku, fields: { category: string } }", "'my-products' can't be used in a lookup")]
    public void A_table_that_can_t_be_declared_is_told(string table, string mistake) =>
        Assert.Contains(_folder.Mistakes(Config(table, "string")), m => m.Contains(mistake, StringComparison.Ordinal)
            && m.StartsWith("c.yaml:3:", StringComparison.Ordinal));

    [Fact]
    public void All_mistakes_are_told_at_once()
    {
        _folder.Write("bad.csv", "sku,category\na,shoes\na,hats\n");
        var mistakes = _folder.Mistakes("""
            name: shop
            tables:
              half: { file: p.csv, key: sku, fields: { category: strnig } }
              products: { file: p.csv, key: sku, fields: { category: string } }
              doubled: { file: bad.csv, key: sku, fields: { category: string } }
              gone: { file: gone.csv, key: sku, fields: { category: string } }
            events:
              shop:
                topic: shop
                format: json
                id: "hash(c, category)"
                fields:
                  sku: string
                  category: { lookup: "products[event.sku].category" }
                  other: { lookup: "nothing[event.sku].category" }
            features:
              drawn: { op: top, of: event.other }
              typo: { op: top, of: event.categry }
            """);
        Assert.Equal(
        [
            "c.yaml:3:54: tables.half.fields.category.type: 'strnig' is no type (did you mean 'string')",
            "bad.csv:3:1: tables.doubled: the key 'a' is there already, in line 2",
            "c.yaml:6:17: tables.gone.file: the file of the table 'gone' is not there: gone.csv",
            "c.yaml:15:24: events.shop.fields.other.lookup: there is no table 'nothing'",
            "c.yaml:11:9: events.shop.id: 'category' is looked up in a table, so it can't be part of a hash",
            "c.yaml:18:30: features.typo.of: unknown name 'event.categry'",
        ], mistakes.Select(m => m[..m.IndexOf(". ", StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData("customer: c\n    id: x", "id: 'x' is looked up in a table, so it can't be the id")]
    [InlineData("customer: c\n    id: [i, x]", "id: 'x' is looked up in a table, so it can't be the id")]
    [InlineData("customer: c\n    id: id\n    type: x", "type: 'x' is looked up in a table, so it can't be the type")]
    [InlineData("customer: x\n    id: id", "customer: 'x' is looked up in a table, so it can't be the customer")]
    [InlineData("customer: c\n    id: id\n    time: x", "'x' is looked up in a table, so it can't be the time")]
    public void What_an_event_is_can_t_be_looked_up(string parts, string mistake)
    {
        var config = Config("products: { file: p.csv, key: sku, fields: { category: string } }",
            "{ lookup: 'products[event.sku].category' }");
        var mistakes = _folder.Mistakes(config.Replace("customer: c\n    id: id", parts, StringComparison.Ordinal));
        Assert.Contains(mistake, Assert.Single(mistakes), StringComparison.Ordinal);
    }

    private static string Config(string table, string field) => $$"""
        name: shop
        tables:
          {{table}}
        events:
          shop:
            topic: shop
            format: json
            customer: c
            id: id
            fields:
              sku: string
              n: int
              x: {{field}}
              late: {{(field.Contains("event.late", StringComparison.Ordinal) ? "{ lookup: 'products[event.sku].category' }" : "string")}}
        """;
}
