using System.Text.Json;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>The sample of ad platforms, from the collector's events to what its connectors read.</summary>
public sealed class PaidMediaReplayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("paid-media-replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Big_spenders_enter_and_leave_and_their_purchases_are_outcomes()
    {
        var events = Path.Combine(_folder, "events.ndjson");
        await File.WriteAllLinesAsync(events,
        [
            Event("1", "Product Viewed", "2026-01-01T10:00:00Z"), Event("2", "Order Completed", "2026-01-01T10:05:00Z", 400),
            Event("3", "Order Completed", "2026-01-20T10:00:00Z", 200), Event("4", "Product Viewed", "2026-06-01T10:00:00Z"),
        ]);
        var config = Path.Combine(_folder, "paid-media.yaml");
        File.Copy(Configuration.Repository.Path("deploy", "samples", "paid-media", "paid-media.yaml"), config);
        foreach (var token in new[] { "meta.token", "google.token" }) File.WriteAllText(Path.Combine(_folder, token), "Bearer x");
        var (code, _, error) = await Cli.RunAsync("replay", "--config", config, "--events", events, "--out", Path.Combine(_folder, "out"));
        Assert.True(code == 0, error);
        var changes = Lines("audiences.ndjson");
        // 400 were spent within the day of January 1, which leaves a window of 90 days by days on April 1.
        Assert.Equal(["enter event 2026-01-20T10:00:00.000Z", "leave timer 2026-04-01T10:00:00.000Z"],
            changes.Select(c => $"{c.GetProperty("change")} {c.GetProperty("cause")} {c.GetProperty("changed_at")}"));
        Assert.All(changes, c => Assert.Equal("""{"email":"hash"}""", c.GetProperty("identifiers").GetRawText()));
        var conversion = Assert.Single(Lines("outcomes.ndjson"), o => o.GetProperty("kind").GetString() == "conversion");
        Assert.Equal((400, "hash"),
            (conversion.GetProperty("value").GetDouble(), conversion.GetProperty("identifiers").GetProperty("email").GetString()));
    }

    private List<JsonElement> Lines(string file) =>
        [.. File.ReadLines(Path.Combine(_folder, "out", file)).Select(l => JsonDocument.Parse(l).RootElement)];

    private static string Event(string id, string type, string time, double revenue = 0) => JsonSerializer.Serialize(new
    {
        messageId = id,
        userId = "ann",
        @event = type,
        timestamp = time,
        properties = new { revenue },
        context = new { traits = new { email_sha256 = "hash" }, consent = new { categoryPreferences = new { Advertising = true } } },
    });
}
