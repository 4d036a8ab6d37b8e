using StreamEngine.Configuration;
using StreamEngine.Decisions;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>What the list of offers is made of: levers by factor, and diversity by group.</summary>
public sealed class ArbitrationTests
{
    private static readonly DecisionOptions OnePerGroup = new() { Diversity = new() { MaxPerGroup = 1 } };

    [Fact]
    public void Levers_add_inside_their_factor_and_multiply_across()
    {
        var offer = Shop.Offer("a", "10.0") with
        {
            Levers =
            [
                new() { Name = "season", By = "0.5" },
                new() { Name = "stock", By = "0.25", Factor = "supply" },
                new() { Name = "return", By = "-0.25" },
                new() { Name = "warehouse", By = "0.75", Factor = "supply" },
            ],
        };
        var d = new Shop([offer]).Decide();
        Assert.Equal((1 + 0.5 - 0.25) * (1 + 0.25 + 0.75), d.L[0]);
        Assert.Equal(0.5 * 10 * 2.5, d.Priority[0]);
    }

    [Fact]
    public void A_group_has_no_more_places_than_it_may_have()
    {
        var shop = new Shop([Of("a", "9.0", "tv"), Of("b", "8.0", "tv"), Of("c", "7.0", ""), Of("d", "6.0", ""), Of("e", "5.0", "tv"),
            Of("f", "4.0", "book")], new DecisionOptions { Diversity = new() { MaxPerGroup = 2 } });
        var d = shop.Decide();
        Assert.Equal("a", shop.Chosen);
        Assert.Equal([1, 2, 3, 4, 0, 5], d.Rank);
        Assert.Equal((DropReason.None, DropReason.LostArbitration, DropReason.Diversity), (d.Drop[0], d.Drop[1], d.Drop[4]));
        Assert.Equal(2.5, d.Priority[4]); // it took part: its factors stay in the record
        Assert.Equal(d.Rank, shop.Decide().Rank);
    }

    [Fact]
    public void The_default_offer_takes_its_groups_place_where_it_goes_first()
    {
        var shop = new Shop([Of("a", "9.0", "tv"), Of("default", "8.0", "tv"), Of("b", "7.0", "")],
            OnePerGroup with { DefaultOffer = "default" });
        var d = shop.Decide(coldStart: true);
        Assert.Equal("default", shop.Chosen);
        Assert.Equal([0, 1, 2], d.Rank);
        Assert.Equal(DropReason.Diversity, d.Drop[0]);
        Assert.Equal([1, 0, 2], shop.Decide().Rank);
    }

    [Fact]
    public void Diversity_without_groups_is_a_mistake()
    {
        var errors = new ConfigErrors();
        new Shop([Shop.Offer("a")]).Compile(OnePerGroup, [Shop.Offer("b")], errors);
        Assert.Contains(errors.All, e => e.Message == "no offer has a group");
    }

    [Fact]
    public void A_list_allocates_nothing()
    {
        var shop = new Shop([Of("a", "9.0", "tv"), Of("b", "8.0", "tv"), Of("c", "7.0", "")], OnePerGroup);
        Assert.Equal(0, shop.AllocatedByDecisions());
    }

    private static OfferOptions Of(string name, string value, string group) => Shop.Offer(name, value) with { Group = group };
}
