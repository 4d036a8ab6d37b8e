using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Expressions;
using StreamEngine.Expressions.Functions;
using Xunit;
using Outcome = StreamEngine.Decisions.Outcome;

namespace StreamEngine.Tests.Decisions;

/// <summary>When a decision waits for the end of quiet hours, and until when.</summary>
public sealed class DeferralTests
{
    private static readonly QuietHoursOptions Night = new()
    {
        Name = "night",
        From = "21:00",
        To = "08:00",
        Channels = ["email"],
        TimeZone = "features.views == 9.0 ? 'Asia/Tokyo' : 'UTC'",
        Otherwise = "UTC",
        Then = QuietHoursFate.Defer,
        Spread = TimeSpan.Zero,
    };

    private static readonly OfferOptions Letter = Shop.Offer("letter", "10.0") with { Channel = "email" };
    private static readonly OfferOptions Text = Shop.Offer("text", "5.0") with { Channel = "sms" };
    private static readonly OfferOptions Banner = Shop.Offer("banner", "2.0");

    private const string Evening = "2024-01-15T22:00Z", Morning = "2024-01-16T08:00Z";

    [Fact]
    public void It_waits_where_nothing_but_quiet_hours_was_in_the_way()
    {
        Assert.Equal(Ms(Morning), Until([Letter], [Night]));
        Assert.Equal(0, Until([Letter, Banner], [Night])); // another channel's is shown
        Assert.Equal(0, Until([Letter], [Night], at: "2024-01-15T20:59Z"));
        Assert.Equal(0, Until([Letter with { Applicable = "false" }], [Night]));
        Assert.Equal(0, Until([Letter], [Night with { Then = QuietHoursFate.Drop }]));
        Assert.Equal(Ms("2024-01-15T23:00Z"), Until([Letter], [Night], isTokyo: true, at: "2024-01-15T14:00Z"));
    }

    [Fact]
    public void A_request_and_a_decision_that_waited_wait_for_nothing()
    {
        Assert.Equal(0, Until([Letter], [Night], change: r => r with { Origin = DecisionOrigin.Request }));
        Assert.Equal(0, Until([Letter], [Night], change: r => r with { IsDeferred = true }));
        Assert.Equal(Ms(Morning), Until([Letter], [Night], change: r => r with { Origin = DecisionOrigin.Timer }));
    }

    [Fact]
    public void It_waits_for_the_first_offer_that_is_free_of_all_quiet_hours()
    {
        var late = Night with { Name = "late", From = "20:00", To = "10:00", Channels = ["sms"] };
        Assert.Equal(Ms(Morning), Until([Letter, Text], [Night, late]));
        Assert.Equal(Ms("2024-01-16T10:00Z"), Until([Text], [Night, late]));
        // Hours that follow upon each other, whatever these say of their end.
        var all = Night with { Name = "morning", From = "07:00", To = "11:30", Then = QuietHoursFate.Drop };
        Assert.Equal(Ms("2024-01-16T11:30Z"), Until([Letter], [Night, all]));
    }

    [Fact]
    public void Of_several_that_are_on_for_an_offer_all_must_let_it_wait_and_the_shortest_wait_goes()
    {
        var other = Night with { Name = "other", MaxWait = TimeSpan.FromHours(9) };
        foreach (var both in new QuietHoursOptions[][] { [Night, other], [other, Night] })
        {
            Assert.Equal(0, Until([Letter], both, out var fate));
            Assert.Equal(DeferralFate.Expired, fate);
            Assert.Equal(Ms(Morning), Until([Letter], both, at: "2024-01-15T23:00Z"));
        }
        var drop = Night with { Name = "drop", Then = QuietHoursFate.Drop };
        Assert.Equal(0, Until([Letter], [drop, Night]));
        Assert.Equal(0, Until([Letter], [Night, drop]));
        // Those of other channels, and those that are not on, have no say.
        Assert.Equal(Ms(Morning), Until([Letter, Text], [Night, drop with { Channels = ["sms"] }]));
        Assert.Equal(Ms(Morning), Until([Letter], [Night, drop with { From = "12:00", To = "13:00" }]));
    }

    [Fact]
    public void Customers_are_spread_over_a_time_after_the_end_each_always_at_the_same()
    {
        const int Minutes = 10 * 60_000;
        var quiet = Night with { Spread = TimeSpan.FromMilliseconds(Minutes) };
        var all = Enumerable.Range(0, 300).Select(i => Of($"customer-{i}", quiet)).ToList();
        Assert.Equal(all[..10], Enumerable.Range(0, 10).Select(i => Of($"customer-{i}", quiet)));
        Assert.All(all, t => Assert.InRange(t, Ms(Morning), Ms(Morning) + Minutes - 1));
        for (var minute = 0; minute < 10; minute++) Assert.InRange(all.Count(t => (t - Ms(Morning)) / 60_000 == minute), 10, 60);
        // What is compared with the longest wait is the end.
        Assert.Equal(all[0], Of("customer-0", quiet with { MaxWait = TimeSpan.FromHours(10) }));
        // Where hours are quiet again meanwhile, the end stands.
        var late = all.IndexOf(all.Max());
        var again = quiet with { Name = "again", From = "08:01", To = "08:20" };
        Assert.True(all[late] >= Ms(Morning) + 60_000 && all.Min() < Ms(Morning) + 60_000);
        Assert.Equal(Ms(Morning), Of($"customer-{late}", quiet, again));
        Assert.Equal(all.Min(), Of($"customer-{all.IndexOf(all.Min())}", quiet, again));

        static long Of(string customer, params QuietHoursOptions[] quiet) => Until([Letter], quiet, change: r =>
        {
            var id = System.Text.Encoding.UTF8.GetBytes(customer);
            return r with { Buffer = id, Customer = new StreamEngine.Events.Range32(0, id.Length) };
        });
    }

    [Fact]
    public void It_waits_no_longer_than_max_wait()
    {
        Assert.Equal(Ms(Morning), Until([Letter], [Night with { MaxWait = TimeSpan.FromHours(10) }]));
        Assert.Equal(0, Until([Letter], [Night with { MaxWait = TimeSpan.FromHours(10) - TimeSpan.FromMilliseconds(1) }], out var fate));
        Assert.Equal(DeferralFate.Expired, fate);
        // Hours without an end are not waited for.
        Assert.Equal(0, Until([Letter], [Night with { From = "00:00", To = "24:00" }], out fate));
        Assert.Equal(DeferralFate.None, fate);
    }

    [Fact]
    public void A_placement_that_is_too_long_is_not_kept()
    {
        var quiet = Night with { TimeZone = null };
        Assert.Equal(Ms(Morning), Until([Letter], [quiet], placement: new string('x', 110)));
        Assert.Equal(0, Until([Letter], [quiet], out var fate, placement: new string('x', 111)));
        Assert.Equal(DeferralFate.TooLong, fate);
    }

    [Fact]
    public void The_default_offer_waits_too_and_what_is_withheld_does_not()
    {
        Assert.Equal(Ms(Morning), Until([Letter with { Applicable = "false" }], [Night], defaultOffer: "letter"));
        Assert.Equal(0, Until([Letter with { Eligible = "false" }], [Night], defaultOffer: "letter"));
        Assert.Equal(0, Until([Letter with { Holdout = new HoldoutOptions { Share = 1 } }], [Night]));
    }

    /// <summary>Minute by minute, by the runtime's own conversion, until they are off; over both changes of the clocks.</summary>
    [Fact]
    public void Their_end_is_the_first_minute_in_which_they_are_off()
    {
        string[] zones = ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
            "Africa/Casablanca", "Pacific/Apia", "+05:30", "UTC"];
        string[] starts = ["2024-03-09T20:00Z", "2024-03-30T12:00Z", "2024-04-06T09:00Z", "2024-10-05T06:00Z", "2024-10-26T18:00Z",
            "2024-11-02T22:00Z", "2011-12-29T01:00Z", "2018-11-03T20:00Z", "2024-04-13T22:00Z"];
        var cases = from zone in Gen.Elements(zones)
                    from first in Gen.Elements(starts)
                    from minute in Gen.Choose(0, 2_000)
                    from begin in Gen.OneOf(Gen.Choose(0, 1_439), Gen.Choose(0, 180), Gen.Elements(0, 120, 150))
                    from end in Gen.OneOf(Gen.Choose(1, 1_440), Gen.Choose(1, 200), Gen.Elements(180, 1_440))
                    from days in Gen.OneOf(Gen.Constant(127), Gen.Choose(1, 127))
                    where begin != end
                    select (zone, first, minute, begin, end, days);
        var (ended, waited, endless) = (0, 0, 0);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20_260_501, 7), Prop.ForAll(Arb.From(cases), c =>
        {
            var zone = TimeFunctions.Zone(c.zone)!;
            DayOfWeek[] days = [.. Enum.GetValues<DayOfWeek>().Where(d => (c.days >> (int)d & 1) != 0)];
            var quiet = Compile(Night with { From = Clock(c.begin), To = Clock(c.end), Days = days, TimeZone = null });
            var now = Ms(c.first) + c.minute * 60_000L;
            var expected = now;
            while (expected <= now + QuietHours.LongestMs && IsQuiet(expected)) expected += 60_000;
            if (expected > now + QuietHours.LongestMs) expected = long.MaxValue;
            Assert.Equal(expected, quiet.End(now, zone));
            if (expected == now) ended++;
            else if (expected == long.MaxValue) endless++;
            else
            {
                waited++;
                // Within a minute too: the last millisecond is quiet, and its end is the same.
                Assert.True(quiet.Contain(expected - 1, zone));
                Assert.Equal(expected, quiet.End(expected - 1, zone));
            }

            bool IsQuiet(long at)
            {
                var shown = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(at), zone).DateTime;
                var time = shown.Hour * 60 + shown.Minute;
                var began = c.begin < c.end || time >= c.begin ? shown.DayOfWeek : shown.AddDays(-1).DayOfWeek;
                return (c.begin < c.end ? time >= c.begin && time < c.end : time >= c.begin || time < c.end) && days.Contains(began);
            }
        }));
        Assert.True(ended > 50 && waited > 50, $"{ended} off, {waited} waited, {endless} endless");
    }

    [Fact]
    public void Times_at_both_ends_of_the_calendar_have_no_end()
    {
        var quiet = Compile(Night with { TimeZone = null });
        Assert.All(new[] { long.MinValue, -1, 253_402_300_799_999, long.MaxValue }, t => Assert.Equal(long.MaxValue, quiet.End(t,
            TimeZoneInfo.Utc)));
        Assert.Equal(8 * 3_600_000, quiet.End(0, TimeZoneInfo.Utc));
    }

    [Fact]
    public void A_decision_that_waits_allocates_nothing()
    {
        var shop = new Shop([Letter], new DecisionOptions { QuietHours = [Night with { From = "00:00", To = "08:00" }] });
        Assert.Equal(8 * 3_600_000, shop.Decide().DeferredUntil);
        Assert.Equal(0, shop.AllocatedByDecisions());
    }

    [Fact]
    public void Mistakes_are_told()
    {
        var errors = new ConfigErrors();
        new Shop([Letter]).Compile(new DecisionOptions
        {
            QuietHours =
            [
                Night with { Then = QuietHoursFate.Drop, MaxWait = TimeSpan.FromHours(1) },
                Night with { Name = "other", MaxWait = TimeSpan.Zero },
                Night with { Name = "event", TimeZone = "event.placement" },
                Night with { Name = "dropped", TimeZone = "event.placement", Then = QuietHoursFate.Drop },
                Night with { Name = "long", Spread = TimeSpan.FromHours(6.1) },
                Night with { Name = "back", Spread = TimeSpan.FromSeconds(-1) },
            ],
        }, [Letter], errors);
        Assert.Equal(["nothing waits for the end of quiet hours night", "a wait of 00:00:00 is none",
            "decisions that wait for the end of quiet hours event have no event then, so that the customer's zone would not be known",
            "decisions cannot be spread over 06:06:00", "decisions cannot be spread over -00:00:01"], errors.All.Select(e => e.Message));
    }

    private static QuietHours Compile(QuietHoursOptions options)
    {
        var errors = new ConfigErrors();
        var quiet = QuietHours.Compile([options], [Letter], new Scope { Event = Shop.Fields, Features = Shop.Features }, errors).Single();
        errors.ThrowIfAny();
        return quiet;
    }

    private static long Until(OfferOptions[] offers, QuietHoursOptions[] quiet, bool isTokyo = false, string at = Evening,
        Func<DecisionRequest, DecisionRequest>? change = null, string? defaultOffer = null, string placement = "") =>
        Until(offers, quiet, out _, isTokyo, at, change, defaultOffer, placement);

    private static long Until(OfferOptions[] offers, QuietHoursOptions[] quiet, out DeferralFate fate, bool isTokyo = false,
        string at = Evening, Func<DecisionRequest, DecisionRequest>? change = null, string? defaultOffer = null, string placement = "")
    {
        string[] channels = [.. offers.Select(o => o.Channel)];
        var shop = new Shop(offers, new DecisionOptions
        {
            DefaultOffer = defaultOffer,
            QuietHours = [.. quiet.Select(q => q with { Channels = [.. q.Channels.Where(channels.Contains)] })
                .Where(q => q.Channels.Count > 0)],
        });
        shop.Set("page_view", placement);
        if (isTokyo) shop.Context.Features[0] = 9;
        var request = shop.Request(Ms(at));
        request = change?.Invoke(request) ?? request;
        shop.Scorer.Score(shop.Context.Features, Shop.Features.Length, 1);
        shop.Funnel.Decide(request, shop.Context, shop.Scorer, 0, shop.Profile, shop.Policy.AllOn, shop.Result);
        fate = shop.Result.NotDeferred;
        if (shop.Result.DeferredUntil > 0)
        {
            Assert.Equal((Outcome.NoOffer, DeferralFate.None), (shop.Result.Outcome, fate));
            // What is asked before anything is scored is never later.
            Assert.InRange(shop.Funnel.MayWaitUntil(shop.Context, request.DecidedAt), request.DecidedAt + 1, shop.Result.DeferredUntil);
        }
        return shop.Result.DeferredUntil;
    }

    private static string Clock(int minutes) => $"{minutes / 60:00}:{minutes % 60:00}";

    private static long Ms(string time) => ScalarText.Time(time)!.Value.ToUnixTimeMilliseconds();
}
