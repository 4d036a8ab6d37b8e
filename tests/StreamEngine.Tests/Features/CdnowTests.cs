using System.Globalization;
using StreamEngine.Features;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>
/// Recency, frequency, age and repeat spending of the CDNOW sample against published numbers: the frequencies of repeat purchases in the
/// first 39 weeks in Fader, Hardie and Lee, "Counting Your Customers" the Easy Way (Marketing Science 24, 2005), and the first rows of the
/// summary in the Python package lifetimes.
/// </summary>
public sealed class CdnowTests
{
    [SkippableFact]
    public void Repeat_purchases_are_those_that_were_published()
    {
        var rfm = new FeatureOptions { Name = "shop", Op = FeatureOperator.Rfm, Of = "event.price", SameDayMerge = true, Default = -1 };
        var harness = new FeatureHarness([rfm]);
        var end = Milliseconds("19970930");
        var customers = Purchases().Where(p => p.Event.Time <= end).GroupBy(p => p.Customer).OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToList();

        // Published: repeat purchase days, weeks from the first to the last purchase, weeks from the first purchase to the end.
        (double, double, double)[] published = [(2, 30.43, 38.86), (1, 1.71, 38.86), (0, 0, 38.86), (0, 0, 38.86), (0, 0, 38.86)];
        var histogram = new int[8];
        for (var i = 0; i < customers.Count; i++)
        {
            harness.Reset();
            var features = harness.Apply(customers[i].Select(p => p.Event)).Read(end);
            var (recency, days, age) = (features[0], features[1], features[3]);
            histogram[Math.Min((int)days - 1, 7)]++;
            if (i < published.Length) Assert.Equal(published[i], (days - 1, Math.Round((age - recency) / 7, 2), Math.Round(age / 7, 2)));
            Assert.Equal((double)(customers[i].Sum(p => p.Event.Price!.Value) / 100m / (decimal)days), features[2], 9);
        }
        Assert.Equal(2_357, customers.Count);
        Assert.Equal([1_411, 439, 214, 100, 62, 38, 29, 64], histogram);
    }

    /// <summary>
    /// The spending of a repeat purchase day, which the Gamma-Gamma model takes: the summary in Fader, Hardie and Lee, "RFM and CLV: Using
    /// Iso-Value Curves for Customer Base Analysis" (Journal of Marketing Research 42, 2005).
    /// </summary>
    [SkippableFact]
    public void Spending_of_repeat_purchase_days_is_that_which_was_published()
    {
        var harness = new FeatureHarness([new() { Name = "m", Op = FeatureOperator.RepeatMonetary, Of = "event.price", Default = -1 }]);
        var end = Milliseconds("19970930");
        var means = new List<double>();
        foreach (var customer in Purchases().Where(p => p.Event.Time <= end).GroupBy(p => p.Customer).OrderBy(g => g.Key,
            StringComparer.Ordinal))
        {
            harness.Reset();
            var read = harness.Apply(customer.Select(p => p.Event)).Read(end)[0];
            if (read >= 0) means.Add(read);
        }
        // The first rows of the same summary in the Python package lifetimes.
        Assert.Equal([22.35, 11.77, 73.74, 11.77, 25.55], means.Take(5), (a, b) => Math.Abs(a - b) <= 0.0051);
        var mean = means.Average();
        var sorted = means.Order().ToList();
        Assert.Equal((946, 35.08, 30.28), (means.Count, Math.Round(mean, 2),
            Math.Round(Math.Sqrt(means.Sum(m => (m - mean) * (m - mean)) / (means.Count - 1)), 2)));
        Assert.Equal((2.99, 27.50), (sorted[0], Math.Round((sorted[472] + sorted[473]) / 2, 2)));
    }

    private static IEnumerable<(string Customer, ShopEvent Event)> Purchases()
    {
        var path = Path.Combine(DataFolder(), "cdnow", "CDNOW_sample.txt");
        Skip.IfNot(File.Exists(path), "there is no CDNOW sample; set STREAMENGINE_TEST_DATA to a folder with cdnow/CDNOW_sample.txt");
        ulong id = 0;
        foreach (var line in File.ReadLines(path))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var cents = (long)(decimal.Parse(columns[4], CultureInfo.InvariantCulture) * 100);
            yield return (columns[1], new ShopEvent(Milliseconds(columns[2]), ++id, "purchase", Price: cents));
        }
    }

    private static long Milliseconds(string day) =>
        DateTimeOffset.ParseExact(day, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();

    /// <summary>STREAMENGINE_TEST_DATA, or the folder shared/data beside the checkout.</summary>
    private static string DataFolder()
    {
        if (Environment.GetEnvironmentVariable("STREAMENGINE_TEST_DATA") is { Length: > 0 } given) return given;
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StreamEngine.sln"))) folder = folder.Parent;
        return Path.Combine(folder?.Parent?.FullName ?? "", "shared", "data");
    }
}
