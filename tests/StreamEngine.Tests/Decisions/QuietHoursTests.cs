using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Expressions.Functions;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>Hours in which channels are quiet, by the customer's own clock.</summary>
public sealed class QuietHoursTests
{
    /// <summary>The event's text stands for the customer's zone here.</summary>
    private static readonly QuietHoursOptions Night = new()
    {
        Name = "night",
        From = "21:00",
        To = "08:00",
        Channels = ["email"],
        TimeZone = "event.placement",
        Otherwise = "Europe/Berlin",
    };

    // Priorities 5 and 1: the letter wins unless it must not be sent.
    private static readonly OfferOptions[] Offers =
        [Shop.Offer("letter", "10.0") with { Channel = "email" }, Shop.Offer("banner", "2.0") with { Channel = "onsite" }];

    [Theory]
    [InlineData("Europe/Berlin", "2024-01-15T19:59:59.999Z", false)] // 20:59:59.999 there
    [InlineData("Europe/Berlin", "2024-01-15T20:00Z", true)]
    [InlineData("Europe/Berlin", "2024-01-16T06:59:59.999Z", true)]
    [InlineData("Europe/Berlin", "2024-01-16T07:00Z", false)]
    [InlineData("Europe/Berlin", "2024-07-15T19:00Z", true)] // in summer an hour before
    [InlineData("Europe/Berlin", "2024-07-15T18:59Z", false)]
    [InlineData("America/New_York", "2024-01-16T01:59Z", false)]
    [InlineData("America/New_York", "2024-01-16T02:00Z", true)]
    [InlineData("Asia/Kathmandu", "2024-01-15T15:15Z", true)] // 21:00 at +05:45
    [InlineData("Asia/Kathmandu", "2024-01-15T15:14Z", false)]
    [InlineData("+05:30", "2024-01-15T15:30Z", true)]
    [InlineData("-10:00", "2024-01-15T15:30Z", true)]
    [InlineData("", "2024-01-15T20:00Z", true)] // otherwise: Berlin
    [InlineData("Moon/Base", "2024-01-15T19:59Z", false)]
    [InlineData("Moon/Base", "2024-01-15T20:00Z", true)]
    public void An_offer_whose_channel_is_quiet_leaves_the_place_to_another_channel(string zone, string time, bool quiet)
    {
        var shop = Make(Night);
        shop.Set("page_view", zone);
        var d = shop.Decide(Ms(time));
        Assert.Equal(quiet ? "banner" : "letter", shop.Chosen);
        Assert.Equal(quiet ? "quiet_hours:night" : "", Drop(shop, 0));
        Assert.Equal(zone is "" or "Moon/Base", d.ZoneIsUnknown);
        Assert.Equal((quiet ? 0 : 5.0, quiet ? 0 : 1), (d.Priority[0], d.Rank[0]));
    }

    /// <summary>Against the runtime's own conversion, minute by minute over both changes of the clocks.</summary>
    [Theory]
    [InlineData("02:30", "03:00", "Europe/Berlin")] // an hour that is left out in spring, and comes twice in autumn
    [InlineData("01:59", "02:01", "Europe/Berlin")]
    [InlineData("23:00", "02:15", "Europe/Berlin")]
    [InlineData("22:10", "22:05", "America/St_Johns")]
    [InlineData("00:00", "24:00", "Australia/Lord_Howe")]
    [InlineData("09:00", "00:00", "Asia/Kolkata")]
    public void Agrees_with_what_clocks_show(string from, string to, string zone)
    {
        var (found, errors) = (TimeZoneInfo.FindSystemTimeZoneById(zone), new ConfigErrors());
        DayOfWeek[] days = [DayOfWeek.Sunday, DayOfWeek.Tuesday];
        var quiet = QuietHours.Compile([Night with { From = from, To = to, Days = days }], Offers, All, errors).Single();
        var (start, end, seen) = (Minutes(from), Minutes(to), new HashSet<bool>());
        foreach (var first in new[] { "2024-03-29T00:00Z", "2024-10-04T00:00Z", "2024-10-25T00:00Z", "2024-11-01T00:00Z" })
            for (var minute = 0; minute < 5 * 1_440; minute++)
            {
                var now = Ms(first) + minute * 60_000L;
                var shown = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(now), found).DateTime;
                var at = shown.Hour * 60 + shown.Minute;
                var began = start < end || at >= start ? shown.DayOfWeek : shown.AddDays(-1).DayOfWeek;
                var expected = (start < end ? at >= start && at < end : at >= start || at < end) && days.Contains(began);
                Assert.Equal(expected, quiet.Contain(now, found));
                seen.Add(expected);
            }
        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public void Days_are_those_on_which_they_begin()
    {
        var shop = Make(Night with { Days = [DayOfWeek.Friday] });
        shop.Set("page_view", "UTC");
        string[] times = ["2024-01-12T20:59Z", "2024-01-12T21:00Z", "2024-01-13T07:59Z", "2024-01-13T21:00Z", "2024-01-12T07:59Z"];
        Assert.Equal(["letter", "banner", "banner", "letter", "letter"], times.Select(t =>
        {
            shop.Decide(Ms(t));
            return shop.Chosen;
        }));
    }

    [Fact]
    public void Times_at_both_ends_of_the_calendar_are_decided_for()
    {
        var quiet = QuietHours.Compile([Night], Offers, All, new ConfigErrors()).Single();
        foreach (var now in new[] { long.MinValue, 0, long.MaxValue })
            foreach (var zone in new[] { "+14:00", "-14:00", "Europe/Berlin" })
                _ = quiet.Contain(now, TimeFunctions.Zone(zone)!);
        Assert.True(quiet.Contain(long.MinValue, TimeZoneInfo.Utc)); // 00:00 in the year 1
    }

    [Fact]
    public void The_default_offer_obeys_and_nothing_is_left()
    {
        var shop = new Shop([Offers[0] with { Applicable = "false" }, Offers[1] with { Placements = ["elsewhere"] }],
            new DecisionOptions { DefaultOffer = "letter", QuietHours = [Night with { TimeZone = "'UTC'" }] });
        Assert.Equal((Outcome.Served, true), (shop.Decide(Ms("2024-01-15T20:59Z")).Outcome, shop.Result.IsDefault));
        var d = shop.Decide(Ms("2024-01-15T21:00Z"));
        Assert.Equal((Outcome.NoOffer, "not_applicable"), (d.Outcome, Drop(shop, 0)));
        Assert.False(d.ZoneIsUnknown);
    }

    [Fact]
    public void Caps_speak_first_and_the_first_quiet_hours_are_told()
    {
        var cap = new CapOptions { Name = "once", Per = LimitScope.Offer, Window = TimeSpan.FromHours(1), Offers = ["letter"] };
        var shop = new Shop(Offers, new DecisionOptions
        {
            Caps = [cap],
            QuietHours =
            [
                Night with { TimeZone = null, Otherwise = "UTC" },
                Night with { Name = "all", Channels = [], TimeZone = null, Otherwise = "+01:00" },
            ],
        });
        shop.Decide(Ms("2024-01-15T19:59Z"));
        Assert.Equal("letter", shop.Chosen);
        Assert.Equal(Outcome.NoOffer, shop.Decide(Ms("2024-01-15T20:30Z")).Outcome);
        Assert.Equal(("offer_cap:once", "quiet_hours:all"), (Drop(shop, 0), Drop(shop, 1)));
        shop.Decide(Ms("2024-01-15T21:30Z"));
        Assert.Equal(("quiet_hours:night", "quiet_hours:all"), (Drop(shop, 0), Drop(shop, 1)));
    }

    [Fact]
    public void Nobodys_zone_is_looked_for_where_no_offer_of_theirs_is_left()
    {
        var shop = Make(Night);
        shop.Set("page_view", "nowhere");
        shop.Off.Add(new SwitchTarget(SwitchKind.Channel, "email"));
        Assert.False(shop.Decide().ZoneIsUnknown);
    }

    [Fact]
    public void A_decision_allocates_nothing_once_its_zone_is_known()
    {
        var shop = Make(Night);
        foreach (var zone in new[] { "Asia/Kathmandu", "-03:30", "no zone at all", "" })
        {
            shop.Set("page_view", zone);
            Assert.Equal(0, shop.AllocatedByDecisions());
        }
    }

    [Fact]
    public void The_cache_is_bounded_and_looks_for_no_file_outside_the_database()
    {
        var cache = new TimeZoneCache();
        for (var i = 0; i < TimeZoneCache.Most + 10; i++) Assert.Null(cache.Find(Encoding.UTF8.GetBytes($"?{i}")));
        Assert.Equal(10, cache.Count);
        Assert.Same(cache.Find("Europe/Berlin"u8), cache.Find("Europe/Berlin"u8));
        Assert.Equal(TimeSpan.FromMinutes(-210), cache.Find("-03:30"u8)!.BaseUtcOffset);
        // The first would be read without end, were it opened.
        foreach (var text in new[] { "/dev/zero", "../../../dev/zero", "Europe/../Europe/Berlin", "Europe", "Europe/", "Zürich", "\0" })
            Assert.Null(cache.Find(Encoding.UTF8.GetBytes(text)));
        foreach (var text in new[] { "europe/berlin", "utc", "localtime" })
            Assert.Null(new TimeZoneCache().Find(Encoding.UTF8.GetBytes(text))); // whatever was found before
        foreach (var text in new[] { "UTC", "Etc/UTC", "GMT", "Zulu", "Asia/Calcutta", "America/Argentina/Buenos_Aires" })
            Assert.NotNull(cache.Find(Encoding.UTF8.GetBytes(text)));
        Assert.Null(cache.Find([0xff, 0xfe]));
        Assert.Null(cache.Find(Encoding.UTF8.GetBytes(new string('x', 65))));
    }

    [Fact]
    public void The_config_reads_as_documented()
    {
        var errors = new ConfigErrors();
        var options = OptionsBinder.Bind<DecisionOptions>(StreamEngine.Host.Configuration.YamlConfigReader.Read("t.yaml", """
            quiet_hours:
              night:
                from: 21:00
                to: "08:00"
                channels: [email, onsite]
                days: [monday, sunday]
                time_zone: event.placement
                otherwise: Europe/Berlin
            """, errors)!, errors);
        errors.ThrowIfAny();
        var night = Assert.Single(options.QuietHours);
        Assert.Equal(("night", "21:00", "08:00", "event.placement", "Europe/Berlin"),
            (night.Name, night.From, night.To, night.TimeZone!.Text, night.Otherwise));
        Assert.Equal([DayOfWeek.Monday, DayOfWeek.Sunday], night.Days);
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = new ConfigErrors();
        new Shop(Offers).Compile(new DecisionOptions
        {
            QuietHours =
            [
                Night with { From = "9pm", To = "25:00", Channels = ["sms"], Otherwise = "Berlin" },
                Night with { From = "08:00", TimeZone = "'Europe/Berlim'" },
                Night with { Name = "plain", From = "24:00", TimeZone = "Europe/Berlin" },
                Night with { Name = "number", TimeZone = "event.value" },
            ],
        }, Offers, errors);
        var told = string.Join('\n', errors.All.Select(e => e.ToString()));
        foreach (var expected in new[]
        {
            "'9pm' is no time of day", "'25:00' is no time of day", "'sms' is no offer's channel", "unknown time zone 'Berlin'",
            "quiet hours night is declared twice", "quiet hours night end when they begin", "unknown time zone 'Europe/Berlim'",
            "no quiet hours begin at the day's end", "Europe/Berlin is no expression", "must be string",
        })
            Assert.Contains(expected, told, StringComparison.Ordinal);
        Assert.Equal(10, errors.All.Count);
    }

    [Fact]
    public void Without_a_database_of_zones_no_customers_can_be_found_which_is_told()
    {
        var errors = new ConfigErrors();
        QuietHours.Compile([Night with { Otherwise = "UTC" }, Night with { TimeZone = null }], Offers, All, errors,
            name => name == "UTC" ? TimeZoneInfo.Utc : null);
        Assert.Equal(["no time zones are known here, so no customer's can be found", "unknown time zone 'Europe/Berlin'"],
            errors.All.Select(e => e.Message));
        Assert.All(errors.All, e => Assert.Contains("nstall the system's tzdata", e.Remedy, StringComparison.Ordinal));
    }

    private static Scope All => new() { Event = Shop.Fields, Features = Shop.Features };

    private static Shop Make(QuietHoursOptions quiet) => new(Offers, new DecisionOptions { QuietHours = [quiet] });

    private static string Drop(Shop shop, int offer)
    {
        var parts = new EncodedPolicy("e", ["t"], shop.Policy, "");
        return Encoding.UTF8.GetString(parts.Drop(shop.Result, offer)[1..]);
    }

    private static long Ms(string time) => ScalarText.Time(time)!.Value.ToUnixTimeMilliseconds();

    private static int Minutes(string time) => int.Parse(time[..2], null) * 60 + int.Parse(time[3..], null);
}
