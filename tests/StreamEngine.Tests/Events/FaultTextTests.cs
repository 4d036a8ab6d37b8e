using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>What a rejected record's dead letter says.</summary>
public sealed class FaultTextTests
{
    private static readonly EventSourceOptions Json = new()
    {
        Name = "click",
        Topic = "clicks",
        Format = RecordFormat.Json,
        Customer = "user.id",
        Id = "hash(user.id)",
        Time = new TimeFieldOptions { Field = "ts" },
        Fields = [Decoding.Field("price", "decimal(2)"), Decoding.Field("n", "int", "items.0.n"), Decoding.Field("text", "string")],
    };

    [Theory]
    [InlineData("\"price\": \"12,50\"", "field 'price': '12,50' is not a decimal number of 64 bits with 2 digits after the point")]
    [InlineData("\"price\": 1e99", "field 'price': '1e99' is not a decimal number of 64 bits with 2 digits after the point")]
    [InlineData("\"items\": [{\"n\": 1.5}]", "field 'items.0.n': '1.5' is not a whole number of 64 bits")]
    [InlineData("\"items\": [{\"n\": true}]", "field 'items.0.n': 'true' is not a whole number of 64 bits")]
    [InlineData("\"text\": {}", "field 'text': the value has another type than the declared a text")]
    [InlineData("\"text\": \"\\ud800x\"", "field 'text': '\\ud800x' is not UTF-8")]
    [InlineData("\"price\": \"a\\nb\"", "field 'price': 'a\\x0ab' is not a decimal number of 64 bits with 2 digits after the point")]
    [InlineData("\"ts\": \"soon\"",
        "field 'ts': 'soon' is not a time written as ISO 8601 or as milliseconds since 1970 (another way needs a format)")]
    [InlineData("\"ts\": null", "no value in 'ts'")]
    [InlineData("\"user\": null", "no value in 'user.id'")]
    public void JsonSaysTheFieldTheValueAndWhatWasExpected(string member, string detail) =>
        Assert.Equal(detail, Detail(Json, $$"""{"user": {"id": "c"}, "ts": 5, {{member}} }"""));

    [Theory]
    [InlineData("", "the record is empty")]
    [InlineData("[1]", "the record is not one JSON object")]
    [InlineData("{} {}", "no JSON from byte 4 on")]
    [InlineData("{\"a\": 1, oops}", "no JSON from byte 10 on")]
    public void WhatIsNoJsonIsTold(string json, string detail) => Assert.Equal(detail, Detail(Json, json));

    [Fact]
    public void ALongValueIsCutAndNestingMayBeDeep()
    {
        Assert.Equal("field 'price': '" + new string('é', 20) + "...' is not a decimal number of 64 bits with 2 digits after the point",
            Detail(Json, $$"""{"user":{"id":"c"},"ts":5,"price":"{{new string('é', 500)}}"}"""));
        string Nested(int depth) => $$"""{"user":{"id":"c"},"ts":5,"x":{{new string('[', depth - 1)}}{{new string(']', depth - 1)}}}""";
        Assert.Equal("", Detail(Json, Nested(65)));
        Assert.Equal("", Detail(Json, Nested(1_000)));
        Assert.Equal("JSON is nested deeper than 1000 levels", Detail(Json, Nested(1_001)));
    }

    [Theory]
    [InlineData("c,5,1", "")]
    [InlineData("c,5", "the line has 2 fields, there are 3 columns")]
    [InlineData("c,5,1,2,3", "the line has 5 fields, there are 3 columns")]
    [InlineData("c,\"5,1", "the quote of field 2 is not closed, or has text behind it")]
    [InlineData("c,5,\"1\"x", "the quote of field 3 is not closed, or has text behind it")]
    [InlineData(",5,1", "no value in 'c'")]
    [InlineData("c,20240305,1",
        "field 't': '20240305' is not a time written as ISO 8601 or as milliseconds since 1970 (another way needs a format)")]
    [InlineData("c,5,one", "field 'v': 'one' is not a whole number of 64 bits")]
    public void CsvSaysTheFieldTheValueAndWhatWasExpected(string line, string detail) => Assert.Equal(detail, Detail(new()
    {
        Name = "s",
        Format = RecordFormat.Csv,
        Columns = ["c", "t", "v"],
        Customer = "c",
        Id = "hash(c, t)",
        Time = new() { Field = "t" },
        Fields = [Decoding.Field("v", "int")],
    }, line));

    [Theory]
    [InlineData("type")]
    [InlineData("time")]
    public void AFieldThatExpressionsCannotReachIsRefused(string name)
    {
        var errors = new ConfigErrors();
        EventCatalog.Compile([Json with { Fields = [Decoding.Field(name, "string")] }], [], new Schemas(), "", errors);
        Assert.Contains($"a field named '{name}' can't be reached", Assert.Single(errors.All).Message, StringComparison.Ordinal);
    }

    private static string Detail(EventSourceOptions source, string record)
    {
        var d = new Decoding(source);
        var reason = d.Decode(record);
        var detail = new byte[512];
        return Encoding.UTF8.GetString(detail, 0, d.Catalog.Sources[0].Explain(d.Event, reason, detail));
    }
}
