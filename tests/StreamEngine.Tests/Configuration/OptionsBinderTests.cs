using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.Host.Configuration;
using Xunit;

namespace StreamEngine.Tests.Configuration;

public sealed class OptionsBinderTests
{
    private readonly ConfigErrors _errors = new();

    [Fact]
    public void Every_kind_of_value_binds()
    {
        var options = Bind("""
            name: shop
            events:
              clicks:
                topic: events
                format: csv
                time: { field: at, format: iso }
                requires: [marketing, analytics]
                fields:
                  value: decimal(2)
                  page: { from: context.page, type: string }
            time: { out_of_orderness: 1m30s, lateness: 0, earliest: 2010-12-01 }
            duplicates: { fate: dead-letter, max_per_customer: 100 }
            features:
              views_1h: { op: count, where: event.type == 'view', window: { sliding: 1h, every: 5m } }
              since: { op: time_since, unit: days, previous: true, default: -1 }
            offers:
              hello:
                propensity: 0.25
                levers: { spring: 0.2 }
                attributes: { price: 9.5, colour: red, active: true }
            state: { memory: 64mb }
            runtime: { commit_interval: 250ms }
            kafka: { settings: { security.protocol: SSL } }
            """);

        Assert.Empty(_errors.All);
        Assert.Equal("shop", options.Name);
        var clicks = Assert.Single(options.Events);
        Assert.Equal(("clicks", RecordFormat.Csv, "at", "iso"),
            (clicks.Name, clicks.Format, clicks.Time.Field.ToString(), clicks.Time.Format));
        Assert.Equal(["marketing", "analytics"], clicks.Requires);
        Assert.Equal([("value", "decimal(2)", null), ("page", "string", "context.page")],
            clicks.Fields.Select(f => (f.Name, f.Type, f.From)));
        Assert.Equal((TimeSpan.FromSeconds(90), TimeSpan.Zero, new DateTimeOffset(2010, 12, 1, 0, 0, 0, TimeSpan.Zero)),
            (options.Time.OutOfOrderness, options.Time.Lateness, options.Time.Earliest));
        Assert.Equal((DuplicateFate.DeadLetter, 100), (options.Duplicates.Fate, options.Duplicates.MaxPerCustomer));
        Assert.Equal(["views_1h", "since"], options.Features.Select(f => f.Name));
        Assert.Equal((FeatureOperator.Count, "event.type == 'view'", TimeSpan.FromMinutes(5)),
            (options.Features[0].Op, options.Features[0].Where!.Text, options.Features[0].Window!.Every));
        Assert.Equal((FeatureOperator.TimeSince, TimeUnit.Days, true, -1.0),
            (options.Features[1].Op, options.Features[1].Unit, options.Features[1].Previous, options.Features[1].Default));
        var offer = Assert.Single(options.Offers);
        Assert.Equal((0.25, "0.2"), (offer.Propensity.Default, Assert.Single(offer.Levers).By.Text));
        Assert.Equal([("price", "9.5"), ("colour", "red"), ("active", "true")], offer.Attributes.Select(a => (a.Key, a.Value)));
        Assert.Equal((64L << 20, TimeSpan.FromMilliseconds(250)), (options.State.Memory.Bytes, options.Runtime.CommitInterval));
        Assert.Equal("SSL", options.Kafka.Settings["security.protocol"]);
    }

    [Fact]
    public void An_expression_knows_where_it_stands()
    {
        var options = Bind("features:\n  a:\n    where: event.x > 1\n");
        Assert.Equal(new ConfigLocation("t.yaml", 3, 12, "features.a.where"), options.Features[0].Where!.Node.At);
    }

    [Fact]
    public void An_empty_value_keeps_the_default()
    {
        var options = Bind("features:\ntime:\n  lateness:\n");
        Assert.Empty(_errors.All);
        Assert.Empty(options.Features);
        Assert.Equal(TimeSpan.FromHours(1), options.Time.Lateness);
    }

    [Fact]
    public void One_path_or_several_and_consent_by_purpose()
    {
        var options = Bind("""
            events:
              one: { customer: c, time: t, consent: ok }
              list: { customer: [a, b], time: [t, u], id: [x], consent: { ads: p.a, email: p.b } }
              long: { time: { field: [t, u], format: iso } }
            """);
        Assert.Empty(_errors.All);
        Assert.Equal(["c t event_id ok", "[a, b] [t, u] [x] {ads: p.a, email: p.b}", "customer_id [t, u] event_id "],
            options.Events.Select(e => $"{e.Customer} {e.Time.Field} {e.Id} {e.Consent}"));

        Bind("events: { e: { customer: [], id: { a: b }, time: [[t]], consent: [a], type: [a] } }");
        Assert.Equal(["a list is not a list with values. Write at least one",
            "a mapping is not one value or a list of them. Write one, or several as [first, second]",
            "a list is not a single value. Write one value an item",
            "a list is not one value or a mapping of names to values. Write one value, or { name: value, ... }",
            "a list is not a single value. Write one value behind the name"], _errors.All.Select(e => $"{e.Message}. {e.Remedy}"));
    }

    [Fact]
    public void Ten_mistakes_make_ten_messages()
    {
        Bind("""
            nmae: shop
            events:
              clicks:
                format: avor
                requires: marketing
            time:
              lateness: 5
              earliest: yesterday
            duplicates: { max_per_customer: 3 }
            features:
              views: { op: count, previous: maybe }
            decisions:
              caps:
                - daily
            offers:
              hello: { propensity: 1.5 }
            state: { memory: big }
            """);

        string[] expected =
        [
            "t.yaml:1:7: nmae: 'nmae' is no option here. Did you mean 'name'?",
            "t.yaml:4:13: events.clicks.format: 'avor' is not known here. Did you mean 'avro'?",
            "t.yaml:5:15: events.clicks.requires: 'marketing' is not a list. Write [marketing]",
            "t.yaml:7:13: time.lateness: '5' is not a duration. Write a number and a unit",
            "t.yaml:8:13: time.earliest: 'yesterday' is not a time. Write ISO 8601",
            "t.yaml:9:33: duplicates.max_per_customer: '3' is out of bounds. Choose from 16 to 1048576",
            "t.yaml:11:33: features.views.previous: 'maybe' is not true or false. Write true or false",
            "t.yaml:14:5: decisions.caps: a list is not a mapping of names",
            "t.yaml:16:24: offers.hello.propensity: '1.5' is out of bounds. Choose from 0 to 1",
            "t.yaml:17:18: state.memory: 'big' is not a size. Write a number of bytes or 512kb",
        ];
        Assert.Equal(expected.Length, _errors.All.Count);
        foreach (var (start, error) in expected.Zip(_errors.All)) Assert.StartsWith(start, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_comma_in_braces_is_explained()
    {
        Bind("features: { a: { expr: max(features.b, 1.0) } }");
        Assert.Contains("quotes", Assert.Single(_errors.All).Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("20ms", 0.02)]
    [InlineData("5s", 5.0)]
    [InlineData("1.5h", 5400.0)]
    [InlineData("7d", 604800.0)]
    [InlineData("1h30m", 5400.0)]
    [InlineData("0", 0.0)]
    [InlineData("5", null)]
    [InlineData("-5s", null)]
    [InlineData("5 s", null)]
    [InlineData("", null)]
    [InlineData("99999999999d", null)]
    public void Durations(string text, double? seconds) => Assert.Equal(seconds, ScalarText.Duration(text)?.TotalSeconds);

    [Theory]
    [InlineData("runtime: { workers: 99999999999 }", "not a whole number")]
    [InlineData("runtime: { workers: 1.5 }", "not a whole number")]
    [InlineData("offers: { a: { propensity: .nan } }", "not a number")]
    [InlineData("state: { memory: 99999999999gb }", "not a size")]
    [InlineData("time: 5s", "not a mapping")]
    [InlineData("decisions: { triggers: { t: { when: [1] } } }", "not a mapping or a single value")]
    [InlineData("runtime: { commit_interval: 20s }", "out of bounds")]
    public void A_bad_value_is_an_error(string yaml, string message)
    {
        Bind(yaml);
        Assert.Contains(message, Assert.Single(_errors.All).Message, StringComparison.Ordinal);
    }

    private HostOptions Bind(string yaml) => OptionsBinder.Bind<HostOptions>(YamlConfigReader.Read("t.yaml", yaml, _errors)!, _errors);
}
