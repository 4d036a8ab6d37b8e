using System.Text.Json.Nodes;
using StreamEngine.State.Checkpoints;
using Xunit;

namespace StreamEngine.Tests.Savepoints;

/// <summary>
/// Savepoints by the real command line: what a changed config goes on with is what it would have had, had it run from the start.
/// </summary>
public sealed class SavepointTests
{
    private const int First = 2_500, Meanwhile = 600, Then = 1_500;

    [Theory]
    [InlineData("memory")]
    [InlineData("faster")]
    public async Task Backfilled_restore_equals_a_run_that_had_the_config_from_the_start(string store)
    {
        using var shop = new SavepointShop { Store = store };
        var (decided, slots, told) = await Changed(shop, "--backfill");
        Assert.Contains("checkpoint 0 with", told.Run, StringComparison.Ordinal);
        Assert.Contains("carts_24h", string.Join(',', Names(told.Restore, "dropped")), StringComparison.Ordinal);
        Assert.Equal(["feature session_max", "feature carts_1h", "feature returns_7d", "feature last_value", "feature drawn_to",
            "feature last_type", "timer win_back",
            "cap weekly"], Names(told.Restore, "backfilled"));

        using var fresh = new SavepointShop();
        await fresh.Create(fresh.New);
        foreach (var count in new[] { First, Meanwhile, Then }) await fresh.Live(fresh.New, count);
        Assert.Equal(await fresh.Slots(fresh.New, "end"), slots);
        var expected = fresh.Decisions();
        Assert.Equal(expected.Count, decided.Count);
        var compared = 0;
        foreach (var (was, now) in expected.Zip(decided))
        {
            Assert.Equal((string?)was["id"], (string?)now["id"]);
            Assert.Equal((string?)was["chosen"], (string?)now["chosen"]);
            if (now["features"]!.AsArray().Count != was["features"]!.AsArray().Count) continue; // decided under the old config
            Assert.Equal(was["features"]!.ToJsonString(), now["features"]!.ToJsonString());
            compared++;
        }
        Assert.True(compared > 300, $"{compared}");
    }

    [Fact]
    public async Task Restore_keeps_what_both_configs_have_and_starts_the_rest_empty()
    {
        using var shop = new SavepointShop();
        var (decided, slots, told) = await Changed(shop);
        Assert.Equal(["feature session_max", "feature carts_1h", "feature returns_7d", "feature last_value", "feature drawn_to",
            "feature last_type", "timer win_back",
            "cap weekly"], Names(told.Restore, "added"));
        Assert.Empty(Names(told.Restore, "backfilled"));

        using var fresh = new SavepointShop();
        await fresh.Create(fresh.Old);
        foreach (var count in new[] { First, Meanwhile, Then }) await fresh.Live(fresh.Old, count);
        var expected = await fresh.Slots(fresh.Old, "end");
        // In the ring of views_1h the new carts_1h turns the clock too: there the features are the same, not the bytes.
        bool Common(string slot) => expected.ContainsKey(slot) && slots.ContainsKey(slot)
            && !slot.Contains("panes 300000ms", StringComparison.Ordinal);
        Assert.True(expected.Keys.Count(Common) > 40 * 10, $"{expected.Keys.Count(Common)}");
        Assert.Equal(expected.Where(s => Common(s.Key)), slots.Where(s => Common(s.Key)));
        Assert.Equal(fresh.Decisions().Select(Told), decided.Select(Told));

        // The first eight features are those that both configs have.
        static string Told(JsonObject d) => $"{d["id"]} {d["outcome"]} {d["chosen"]} {string.Join(' ', d["features"]!.AsArray().Take(8))}";
    }

    [Fact]
    public async Task Same_config_restored_is_the_same_state_also_after_its_checkpoints_are_lost()
    {
        using var shop = new SavepointShop();
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, First);
        var before = await shop.Slots(shop.Old, "a");
        await shop.Live(shop.Old, Meanwhile);
        Directory.Delete(Path.Combine(shop.Folder, "state", "checkpoints"), recursive: true);
        await shop.Do(shop.Old, "savepoint", "restore", "a");
        Assert.Contains("checkpoint 0 with", await shop.Live(shop.Old, 0), StringComparison.Ordinal);
        Assert.NotEqual(before, await shop.Slots(shop.Old, "b"));
        Directory.Delete(Path.Combine(shop.Folder, "state", "checkpoints"), recursive: true);
        // Made of the log alone, and of a checkpoint that goes on from a savepoint: the same.
        Assert.Equal(SavepointShop.Read(shop.Savepoint("b")), await shop.Slots(shop.Old, "c"));
    }

    [Fact]
    public async Task What_changed_under_its_name_is_refused_all_at_once()
    {
        using var shop = new SavepointShop();
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, 300);
        await shop.Do(shop.Old, "savepoint", "create", "a");
        var changed = shop.Old.Replace("views_1h: { op: count,", "views_1h: { op: sum, of: event.value,", StringComparison.Ordinal)
            .Replace("hourly: { per: customer, max: 3", "hourly: { per: customer, max: 4", StringComparison.Ordinal)
            .Replace("same_offer: { per: offer", "same_offer: { per: customer", StringComparison.Ordinal)
            .Replace("{ after: 30m }", "{ start: event.type == 'page_view', after: 30m }", StringComparison.Ordinal)
            .Replace("lateness: 1h", "lateness: 2h", StringComparison.Ordinal);
        var files = Directory.GetFiles(shop.Checkpoints(0)).Order().ToList();
        var error = await shop.Fail(2, changed, "savepoint", "restore", "a", "--backfill");
        Assert.Contains("feature views_1h: it was count where event.type == 'page_view' over the last 1h by panes of 5m; it is sum of "
            + "event.value", error, StringComparison.Ordinal);
        Assert.Contains("cap hourly: it was the times of the last 3 offers shown, per customer, of all offers; it is the times of the last "
            + "4", error, StringComparison.Ordinal);
        Assert.Contains("cap same_offer: it was the times of the last 2 offers shown, per offer", error, StringComparison.Ordinal);
        Assert.Contains("timer session_end: it was timer, started by true; it is timer, started by event.type == 'page_view'", error,
            StringComparison.Ordinal);
        Assert.Contains("feature session_events: its state was 'Session 3", error, StringComparison.Ordinal);
        Assert.Contains("Give it another name: under that it starts empty, or filled from the log with --backfill", error,
            StringComparison.Ordinal);
        Assert.Contains("6 mistakes", error, StringComparison.Ordinal); // session_minutes stands in the same session
        Assert.Equal(files, Directory.GetFiles(shop.Checkpoints(0)).Order());

        error = await shop.Fail(2, shop.Old.Replace("customer: customer_id", "customer: type", StringComparison.Ordinal)
            .Replace("decisions, actions", "others, actions", StringComparison.Ordinal), "savepoint", "restore", "a");
        Assert.Contains("profiles are kept by customer", error, StringComparison.Ordinal);
        Assert.Contains("decisions were logged in topic 'decisions', are now logged in 'others'", error, StringComparison.Ordinal);
        // A field that is read elsewhere may mean the same: told, not refused.
        (_, error) = await shop.Do(shop.Old.Replace("placement: string", "placement: { type: string, from: place }",
            StringComparison.Ordinal), "savepoint", "restore", "a");
        Assert.Contains("placement of events was read as string, is now read as string from place", error, StringComparison.Ordinal);
        error = await shop.Fail(2, shop.Old.Replace("topic: events", "topic: others", StringComparison.Ordinal), "savepoint", "restore",
            "a");
        Assert.Contains("folded from events, this config reads others", error, StringComparison.Ordinal);
        error = await shop.Fail(2, shop.Old.Replace(", directory: state", "", StringComparison.Ordinal), "savepoint", "restore", "a",
            "--directory", shop.Folder);
        Assert.Contains("state.directory: no folder for checkpoints is named", error, StringComparison.Ordinal);
        error = await shop.Fail(2, shop.Old.Replace("interval: 20ms", "interval: 0s", StringComparison.Ordinal), "savepoint", "restore",
            "a");
        Assert.Contains("checkpoints.interval", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mean_of_an_old_sum_and_a_new_count_is_refused_without_a_backfill()
    {
        using var shop = new SavepointShop();
        var old = shop.Old + "  x: { after: 1h }\n";
        old = old.Replace("  since:", "  spent: { op: sum, of: event.value, where: event.type == 'cart_add' }\n  since:",
            StringComparison.Ordinal);
        await shop.Create(old);
        await shop.Live(old, First);
        await shop.Do(old, "savepoint", "create", "a");
        var changed = old.Replace("op: sum, of: event.value, where: event.type == 'cart_add'", "op: mean, of: event.value, where: "
            + "event.type == 'cart_add'", StringComparison.Ordinal).Replace("spent:", "mean_spent:", StringComparison.Ordinal);
        Assert.Contains("its values would be wrong. Fill it from the log with --backfill",
            await shop.Fail(2, changed, "savepoint", "restore", "a"), StringComparison.Ordinal);
        await shop.Do(changed, "savepoint", "restore", "a", "--backfill");
        await shop.Live(changed, Then);
        var restored = await shop.Slots(changed, "b");

        using var fresh = new SavepointShop();
        await fresh.Create(changed);
        await fresh.Live(changed, First);
        await fresh.Live(changed, Then);
        Assert.Equal(await fresh.Slots(changed, "b"), restored);
    }

    [Theory]
    [InlineData("savepoint.json", "savepoint.json is damaged")]
    [InlineData("shard-1.ckpt", "shard-1.ckpt is damaged from byte")]
    public async Task A_flipped_byte_anywhere_is_found_and_nothing_is_written(string file, string expected)
    {
        using var shop = new SavepointShop();
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, 300);
        await shop.Do(shop.Old, "savepoint", "create", "a");
        var path = Path.Combine(shop.Savepoint("a"), file);
        var whole = File.ReadAllBytes(path);
        var files = Directory.GetFiles(shop.Checkpoints(0)).Order().ToList();
        for (var i = 1; i <= 6; i++)
        {
            var damaged = whole.ToArray();
            var at = whole.Length * i / 7;
            while (char.IsWhiteSpace((char)damaged[at])) at++;
            damaged[at] ^= 1;
            File.WriteAllBytes(path, damaged);
            Assert.Contains(expected, await shop.Fail(3, shop.Old, "savepoint", "restore", "a"), StringComparison.Ordinal);
        }
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        Assert.Contains("damaged", await shop.Fail(3, shop.Old, "savepoint", "restore", "a"), StringComparison.Ordinal);
        File.Delete(path);
        await shop.Fail(3, shop.Old, "savepoint", "restore", "a");
        Assert.Equal(files, Directory.GetFiles(shop.Checkpoints(0)).Order());
    }

    [Fact]
    public async Task Names_are_taken_once_and_listed()
    {
        using var shop = new SavepointShop();
        await shop.Create(shop.Old);
        Assert.Contains("has committed no offsets", await shop.Fail(3, shop.Old, "savepoint", "create", "a"), StringComparison.Ordinal);
        await shop.Live(shop.Old, 300);
        Assert.Contains("give --directory DIR",
            await shop.Fail(2, shop.Old.Replace(", directory: state", "", StringComparison.Ordinal), "savepoint", "create", "a"),
            StringComparison.Ordinal);

        // What an interrupted one left is no savepoint, and its name is free.
        Directory.CreateDirectory(shop.Savepoint("a"));
        File.WriteAllText(Path.Combine(shop.Savepoint("a"), "shard-7.ckpt"), "x");
        var (made, _) = await shop.Do(shop.Old, "savepoint", "create", "a", "--json");
        Assert.Equal(["savepoint.json", "shard-0.ckpt", "shard-1.ckpt"],
            Directory.GetFiles(shop.Savepoint("a")).Select(Path.GetFileName).Order());
        Assert.Contains("There is a savepoint", await shop.Fail(3, shop.Old, "savepoint", "create", "a"), StringComparison.Ordinal);
        await shop.Do(shop.Old, "savepoint", "create", "b", "--directory", shop.Folder);

        var (code, output, _) =
            await Host.Cli.RunAsync("savepoint", "list", "--directory", Path.Combine(shop.Folder, "state", "savepoints"), "--json");
        var row = Assert.Single(JsonNode.Parse(output)!["savepoints"]!.AsArray())!;
        Assert.Equal((0, "a", (long)JsonNode.Parse(made)!["profiles"]!), (code, (string)row["name"]!, (long)row["profiles"]!));
        (_, output, _) = await Host.Cli.RunAsync("savepoint", "list", "--directory", shop.Folder);
        Assert.Equal(2, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(1, (await Host.Cli.RunAsync("savepoint", "list")).Code);
        Assert.Equal(1, (await Host.Cli.RunAsync("savepoint", "create", "../x", "--config", "x", "--embedded", "y")).Code);
        await shop.Do(shop.Old, "savepoint", "restore", Path.Combine(shop.Folder, "b"));

        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        var (stop, _, error) = await shop.Run(shop.Old, stopped.Token, "savepoint", "create", "c");
        Assert.True(stop == 130, error);
        Assert.False(Directory.Exists(shop.Savepoint("c")));
    }

    [Fact]
    public async Task A_log_that_the_savepoint_does_not_fit_is_refused()
    {
        using var shop = new SavepointShop();
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, 300);
        await shop.Do(shop.Old, "savepoint", "create", "a");
        var error = await shop.Fail(3, shop.Old.Replace("name: shop", "name: other", StringComparison.Ordinal), "savepoint", "restore",
            "a");
        Assert.Contains("group other has committed nothing in events[0]", error, StringComparison.Ordinal);
        Assert.Contains("keep that name", error, StringComparison.Ordinal);

        using (new CheckpointFiles(shop.Checkpoints(1), _ => { }))
            Assert.Contains("Stop the engine first", await shop.Fail(3, shop.Old, "savepoint", "restore", "a"), StringComparison.Ordinal);

        using var other = new SavepointShop();
        await other.Create(other.Old);
        Assert.Contains("it is not the log that the savepoint was made of",
            await other.Fail(3, other.Old, "savepoint", "restore", shop.Savepoint("a")), StringComparison.Ordinal);
        using var wider = new SavepointShop();
        await wider.Do(wider.Old, "topics", "create", "--partitions", "3");
        Assert.Contains("The savepoint has 2 shards, the sources have 3 partitions",
            await wider.Fail(3, wider.Old, "savepoint", "restore", shop.Savepoint("a")), StringComparison.Ordinal);
    }

    /// <summary>
    /// Runs the old config, saves, runs on, restores under the new config, and runs that: what was decided in all, and every slot at the
    /// end.
    /// </summary>
    private static async Task<(List<JsonObject> Decided,
        SortedDictionary<string, string> Slots, (JsonNode Restore, string Run) Told)> Changed(SavepointShop shop, params string[] options)
    {
        await shop.Create(shop.Old);
        await shop.Live(shop.Old, First / 2);
        await shop.Live(shop.Old, First - First / 2);
        await shop.Do(shop.Old, "savepoint", "create", "a");
        await shop.Live(shop.Old, Meanwhile);
        var (restored, _) = await shop.Do(shop.New, ["savepoint", "restore", "a", "--json", .. options]);
        var run = await shop.Live(shop.New, Then);
        return (shop.Decisions(), await shop.Slots(shop.New, "end"), (JsonNode.Parse(restored)!, run));
    }

    private static List<string> Names(JsonNode restored, string fate) => [.. restored[fate]!.AsArray().Select(n => (string)n!)];
}
