using System.Text.Json.Nodes;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>replay compare</c> on a history so small that every number can be counted by hand.</summary>
public sealed class CompareTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders:
            topic: orders
            format: csv
            time: { field: at, format: iso }
            id: order
            customer: who
            fields: { value: decimal(2) }
        features:
          spent: { op: sum, of: event.value }
        timers:
          thanks: { after: 1h }
        decisions:
          triggers:
            big: { when: event.value >= 10.0, placement: "'web'" }
            thanks: { timer: thanks, placement: "'mail'" }
          caps:
            once: { per: offer, max: 1, window: 1d, offers: [gift] }
        offers:
          gift: { placements: [web], channel: onsite, propensity: 0.5, value: "2.0" }
          poster: { placements: [web], treatment: large, propensity: 0.1, value: "4.0" }
          letter: { placements: [mail], channel: post, propensity: 0.1, value: "1.0" }
        state: { store: memory }
        """;

    /// <summary>Three large orders, of which ann's second meets the cap, and three customers who are thanked.</summary>
    private const string Csv = """
        order,who,at,value
        1,ann,2020-01-01T10:00:00Z,20
        2,bob,2020-01-01T10:10:00Z,15
        3,ann,2020-01-01T10:20:00Z,30
        4,cid,2020-01-01T10:30:00Z,5
        5,ann,2020-01-01T14:00:00Z,1
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("compare-test-").FullName;

    public CompareTests()
    {
        Write("a.yaml", Config);
        // Its lever makes 0.1 x 4 x (1 + 2) = 1.2 of poster's priority: more than gift's 0.5 x 2.
        Write("b.yaml", Changed("treatment: large, ", "treatment: large, levers: { season: \"2.0\" }, "));
        Write("orders.csv", Csv);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_lever_changes_what_was_counted_by_hand()
    {
        var report = await CompareAsync("a.yaml", "b.yaml");

        Assert.Equal((5, 4, 2, 0, 0), ((int)report["read"]!, (int)report["total"]!["same"]!, (int)report["total"]!["changed"]!,
            (int)report["total"]!["only_a"]!, (int)report["total"]!["only_b"]!));
        Assert.Equal("""[{"path":"offers.poster.levers","a":null,"b":"{ season: 2.0 }"}]""", report["differences"]!.ToJsonString());
        Assert.Equal("""[{"from":"gift","to":"poster","count":2}]""", report["total"]!["changes"]!.ToJsonString());
        AssertSide(report["total"]!["a"]!, expected: 2.7, priority: 2.7, """
            {"decisions":6,"outcomes":{"served":6},"customers_reached":3,
            "served_by_offer":{"gift":2,"letter":3,"poster":1},"served_by_channel":{"default":1,"onsite":2,"post":3},
            "dropped_by_offer":{"gift":{"offer_cap:once":1,"placement":3},"letter":{"placement":3},
            "poster":{"lost_arbitration":2,"placement":3}},"limits_reached":{"offer_cap:once":1},"fallbacks_by_offer":{}}
            """);
        AssertSide(report["total"]!["b"]!, expected: 1.5, priority: 3.9, """
            {"decisions":6,"outcomes":{"served":6},"customers_reached":3,
            "served_by_offer":{"letter":3,"poster":3},"served_by_channel":{"default":3,"post":3},
            "dropped_by_offer":{"gift":{"lost_arbitration":3,"placement":3},"letter":{"placement":3},
            "poster":{"placement":3}},"limits_reached":{},"fallbacks_by_offer":{}}
            """);
        var web = report["placements"]!["web"]!;
        Assert.Equal((1, 2, 2), ((int)web["same"]!, (int)web["changed"]!, (int)web["a"]!["customers_reached"]!));
        var mail = report["placements"]!["mail"]!;
        Assert.Equal((3, 0, 3), ((int)mail["same"]!, (int)mail["changed"]!, (int)mail["b"]!["customers_reached"]!));
        Assert.Contains("evaluate policy", (string)report["notes"]![0]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_experiment_tries_changes_the_same()
    {
        Write("b.yaml", Changed("  caps:", "  experiments: { e: { variations: { x: { weight: 0 }, y: { weight: 1, "
            + "propensities: { poster: 0.3 } } } } }\n  caps:"));
        var report = await CompareAsync("a.yaml", "b.yaml");
        Assert.Equal((4, 2), ((int)report["total"]!["same"]!, (int)report["total"]!["changed"]!));
        Assert.Equal("""[{"from":"gift","to":"poster","count":2}]""", report["total"]!["changes"]!.ToJsonString());
        // Three posters of 0.3 x 4, and three letters of 0.1.
        Assert.Equal(3.9, (double)report["total"]!["b"]!["expected_value"]!["total"]!, 1e-9);
    }

    [Fact]
    public async Task The_changed_decisions_are_a_table()
    {
        await CompareAsync("a.yaml", "b.yaml", "--out", In("out"));
        Assert.Equal("change,customer_id,decided_at,trigger,placement,decision_a,decision_b,"
            + "outcome_a,offer_a,treatment_a,channel_a,priority_a,expected_value_a,"
            + "outcome_b,offer_b,treatment_b,channel_b,priority_b,expected_value_b\n"
            + "changed,ann,2020-01-01T10:00:00.000Z,big,web,small/orders/0/0/0,small/orders/0/0/0,"
            + "served,gift,,onsite,1,1,served,poster,large,default,1.2000000000000002,0.4\n"
            + "changed,bob,2020-01-01T10:10:00.000Z,big,web,small/orders/0/1/0,small/orders/0/1/0,"
            + "served,gift,,onsite,1,1,served,poster,large,default,1.2000000000000002,0.4\n", File.ReadAllText(In("out/changes.csv")));
        Assert.Equal(2, (int)JsonNode.Parse(File.ReadAllText(In("out/comparison.json")))!["total"]!["changed"]!);
    }

    [Fact]
    public async Task Decisions_that_one_policy_alone_makes_are_told_apart()
    {
        Write("b.yaml", Changed("event.value >= 10.0", "event.value >= 20.0").Replace("after: 1h", "after: 2h", StringComparison.Ordinal));
        var report = await CompareAsync("a.yaml", "b.yaml", "--out", In("out"));
        Assert.Equal((2, 0, 4, 3), ((int)report["total"]!["same"]!, (int)report["total"]!["changed"]!,
            (int)report["total"]!["only_a"]!, (int)report["total"]!["only_b"]!));
        Assert.Equal(["only_a bob 10:10 big", "only_a bob 11:10 thanks", "only_a ann 11:20 thanks", "only_a cid 11:30 thanks",
            "only_b bob 12:10 thanks", "only_b ann 12:20 thanks", "only_b cid 12:30 thanks"],
            File.ReadLines(In("out/changes.csv")).Skip(1).Select(l => l.Split(',')).Select(c => $"{c[0]} {c[1]} {c[2][11..16]} {c[3]}"));
    }

    [Fact]
    public async Task The_same_config_twice_has_no_differences_however_long_the_history()
    {
        Write("orders.csv", "order,who,at,value\n" + string.Concat(Enumerable.Range(0, 5_000)
            .Select(i => $"{i},c{i * 7 % 60},2020-02-{i / 200 + 1:D2}T{i / 9 % 24:D2}:{i % 60:D2}:00Z,{i % 40}\n")));
        var report = await CompareAsync("a.yaml", "a.yaml", "--out", In("out"));
        Assert.Equal((0, 0, 0), ((int)report["total"]!["changed"]!, (int)report["total"]!["only_a"]!, (int)report["total"]!["only_b"]!));
        Assert.True((int)report["total"]!["same"]! > 4_000);
        Assert.Equal(report["total"]!["a"]!.ToJsonString(), report["total"]!["b"]!.ToJsonString());
        Assert.Empty(report["differences"]!.AsArray());
        Assert.Single(File.ReadLines(In("out/changes.csv")));
    }

    [Fact]
    public async Task The_order_of_the_policies_swaps_the_columns_and_nothing_else()
    {
        Write("b.yaml", File.ReadAllText(In("b.yaml")).Replace("after: 1h", "after: 2h", StringComparison.Ordinal));
        var (one, two) = (await CompareAsync("a.yaml", "b.yaml"), await CompareAsync("b.yaml", "a.yaml"));
        foreach (var (left, right) in new[] { (one["total"]!, two["total"]!), (one["placements"]!["web"]!, two["placements"]!["web"]!),
            (one["placements"]!["mail"]!, two["placements"]!["mail"]!) })
        {
            Assert.Equal(left["a"]!.ToJsonString(), right["b"]!.ToJsonString());
            Assert.Equal(left["b"]!.ToJsonString(), right["a"]!.ToJsonString());
            Assert.Equal(((int)left["same"]!, (int)left["changed"]!, (int)left["only_a"]!, (int)left["only_b"]!),
                ((int)right["same"]!, (int)right["changed"]!, (int)right["only_b"]!, (int)right["only_a"]!));
            Assert.Equal(left["changes"]!.AsArray().Select(c => $"{c!["from"]} {c["to"]} {c["count"]}"),
                right["changes"]!.AsArray().Select(c => $"{c!["to"]} {c["from"]} {c["count"]}"));
        }
        Assert.Equal("gift", (string)one["total"]!["changes"]![0]!["from"]!);
        Assert.Equal("poster", (string)two["total"]!["changes"]![0]!["from"]!);
    }

    [Fact]
    public async Task The_counts_are_those_that_each_config_has_in_a_replay_of_its_own()
    {
        Write("b.yaml", File.ReadAllText(In("b.yaml")).Replace("decisions:", "decisions:\n  holdout: { share: 0.3 }",
            StringComparison.Ordinal));
        Write("orders.csv", "order,who,at,value\n" + string.Concat(Enumerable.Range(0, 2_500)
            .Select(i => $"{i},c{i * 7 % 60},2020-02-{i / 100 + 1:D2}T{i / 5 % 24:D2}:{i % 60:D2}:00Z,{i % 40}\n")));
        var report = await CompareAsync("a.yaml", "b.yaml");
        foreach (var (side, config) in new[] { ("a", "a.yaml"), ("b", "b.yaml") })
        {
            var (code, output, error) = await Cli.RunAsync("replay", "--config", In(config), "--events", In("orders.csv"), "--out",
                In("out"), "--json");
            Assert.True(code == 0, error);
            var (alone, here) = (JsonNode.Parse(output)!, report["total"]![side]!);
            Assert.Equal((int)alone["decisions"]!, (int)here["decisions"]!);
            Assert.Equal(alone["outcomes"]!.ToJsonString(), here["outcomes"]!.ToJsonString());
            Assert.Equal(Sorted(alone["actions"]!), Sorted(here["served_by_offer"]!));
            Assert.Equal(alone["dropped"]!.AsObject().Sum(d => (int)d.Value!),
                here["dropped_by_offer"]!.AsObject().Sum(o => o.Value!.AsObject().Sum(d => (int)d.Value!)));
            Assert.Equal((int?)alone["dropped"]!["offer_cap"], (int?)here["limits_reached"]!["offer_cap:once"]);
        }
        Assert.True((int)report["total"]!["a"]!["limits_reached"]!["offer_cap:once"]! > 0);
        Assert.True((int)report["total"]!["b"]!["outcomes"]!["holdout"]! > 0);
        Assert.Contains("(holdout)", report["total"]!["changes"]!.AsArray().Select(c => (string)c!["to"]!));

        static string Sorted(JsonNode counts) => string.Join(',', counts.AsObject().Select(c => $"{c.Key} {c.Value}").Order());
    }

    [Fact]
    public async Task Placements_without_end_are_counted_together()
    {
        Write("a.yaml", Config.Replace("fields: {", "fields: { who: string,", StringComparison.Ordinal)
            .Replace("\"'web'\"", "event.who", StringComparison.Ordinal).Replace("placements: [web], ", "", StringComparison.Ordinal));
        Write("orders.csv", "order,who,at,value\n" + string.Concat(Enumerable.Range(0, 150)
            .Select(i => $"{i},c{i},2020-02-01T00:00:{i % 60:D2}Z,20\n")));
        var report = await CompareAsync("a.yaml", "a.yaml");
        Assert.Equal((150, 150), ((int)report["total"]!["same"]!, (int)report["total"]!["b"]!["customers_reached"]!));
        Assert.Equal(101, report["placements"]!.AsObject().Count);
        Assert.Equal(50, (int)report["placements"]!["(others)"]!["same"]!);
    }

    [Fact]
    public async Task Scores_that_defaults_stood_in_for_are_counted_by_offer()
    {
        // The model gives back what was spent, which is no probability: the default stands in wherever the offer comes to arbitration. By
        // A it does for ann and bob, whose first orders are large, and by B for bob alone, as ann has spent too much.
        var model = RepositoryRoot.At("tests/StreamEngine.ContractTests/Inference/models/two-outputs/1/model.onnx");
        Assert.Equal(0, (await Cli.RunAsync("models", "add", model, "--directory", In("models"), "--name", "relu", "--inputs", "f0,f1",
            "--output", "z", "--outputs", "x,y")).Code);
        Write("a.yaml", Changed("propensity: 0.5", "propensity: { model: relu, output: x, default: 0.25 }")
            .Replace("  spent: {", "  f1: { op: count }\n  f0: {", StringComparison.Ordinal)
            .Replace("decisions:", "models: { relu: {} }\ndecisions:", StringComparison.Ordinal));
        Write("b.yaml", File.ReadAllText(In("a.yaml")).Replace("channel: onsite,", "channel: onsite, eligible: features.f0 < 20.0,",
            StringComparison.Ordinal));
        var report = await CompareAsync("a.yaml", "b.yaml");
        Assert.Equal("""{"gift":2}""", report["total"]!["a"]!["fallbacks_by_offer"]!.ToJsonString());
        Assert.Equal("""{"gift":1}""", report["total"]!["b"]!["fallbacks_by_offer"]!.ToJsonString());
    }

    [Fact]
    public async Task What_the_configs_write_differently_is_told_features_and_the_order_of_triggers_too()
    {
        const string big = "    big: { when: event.value >= 10.0, placement: \"'web'\" }\n";
        const string thanks = "    thanks: { timer: thanks, placement: \"'mail'\" }\n";
        Write("b.yaml", Changed(big + thanks, thanks + big).Replace("spent: {", "orders: { op: count }\n  spent: { scale: 2,",
            StringComparison.Ordinal).Replace("placements: [mail]", "placements: [mail, web]", StringComparison.Ordinal));
        var report = await CompareAsync("a.yaml", "b.yaml");
        Assert.Equal(["features.spent.scale: absent -> 2", "features.orders: absent -> { op: count }",
            "decisions.triggers (order): big, thanks -> thanks, big", "offers.letter.placements: [mail] -> [mail, web]"],
            report["differences"]!.AsArray().Select(d => $"{d!["path"]}: {(string?)d["a"] ?? "absent"} -> {d["b"]}"));
    }

    [Fact]
    public async Task Declared_outcomes_are_said_to_be_those_of_what_was_shown_then()
    {
        var outcomes = Config + "\noutcomes: { events: { bought: { kind: conversion, when: event.value >= 30.0, "
            + "decision: \"''\", without_decision: last_decision } } }";
        Write("a.yaml", outcomes);
        Write("b.yaml", outcomes.Replace("large, ", "large, levers: { season: \"2.0\" }, ", StringComparison.Ordinal));
        var report = await CompareAsync("a.yaml", "b.yaml");
        Assert.Equal(2, report["notes"]!.AsArray().Count);
        Assert.Contains("of what was shown then", (string)report["notes"]![1]!, StringComparison.Ordinal);
        Assert.Contains("would have clicked", (string)report["notes"]![0]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_placement_that_learns_is_said_to_learn_from_what_was_shown_then()
    {
        var outcomes = Config + "\noutcomes: { events: { bought: { kind: conversion, when: event.value >= 30.0, "
            + "decision: \"''\", without_decision: last_decision } } }";
        Write("a.yaml", outcomes);
        Write("b.yaml", outcomes.Replace("decisions:\n", "decisions:\n  exploration: { mail: { method: thompson, reward: conversion } }\n",
            StringComparison.Ordinal));
        foreach (var (a, b) in new[] { ("a.yaml", "b.yaml"), ("b.yaml", "a.yaml") })
        {
            var notes = (await CompareAsync(a, b))["notes"]!.AsArray();
            Assert.Equal(3, notes.Count);
            Assert.Contains("learns from the rewards in the history", (string)notes[2]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task People_get_a_table()
    {
        var (code, output, error) = await Cli.RunAsync(Line("a.yaml", "b.yaml"));
        Assert.True(code == 0, error);
        Assert.Contains("  offers.poster.levers: absent -> { season: 2.0 }\n", output, StringComparison.Ordinal);
        Assert.Contains("all placements: 4 decisions are the same, 2 changed, 0 only in A, 0 only in B\n", output,
            StringComparison.Ordinal);
        Assert.Matches(@"\n  expected value \(P x V\) of what is shown +2\.7000 +1\.5000 +-1\.2000\n    mean +0\.4500 +0\.2500 +-0\.2000\n",
            output);
        Assert.Matches(@"\n    poster +1 +3 +\+2\n", output);
        Assert.Matches(@"\n +2  gift -> poster\n", output);
        Assert.Contains("can't be read from a replay", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topic: orders", "topic: bestellungen", "b.yaml:4:12: events.orders.topic: it is 'bestellungen' here and 'orders' in ")]
    [InlineData("  orders:\n", "  sales:\n", "there is no source 'orders', which ")]
    [InlineData("  orders:\n", "  sales:\n", "has no source 'sales'. ")]
    [InlineData("id: order", "id: hash(order)", "events.orders.id: it is 'hash(order)' here and 'order' in ")]
    [InlineData("state:", "time: { out_of_orderness: 1h }\nstate:", "time: event time is not handled as in ")]
    [InlineData("state:", "runtime: { max_record_bytes: 2kb }\nstate:", "runtime.max_record_bytes: it is 2kb here and 1mb in ")]
    public async Task Configs_that_read_other_events_are_refused(string old, string @new, string message)
    {
        Write("b.yaml", Changed(old, @new));
        var (code, _, error) = await Cli.RunAsync(Line("a.yaml", "b.yaml"));
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains(In("a.yaml"), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mistakes_of_both_configs_are_told_at_once_each_with_its_file()
    {
        Write("a.yaml", Changed("of: event.value", "of: event.valeu"));
        Write("b.yaml", Changed("propensity: 0.5", "propensty: 0.5").Replace("event.value >=", "event.valu >=", StringComparison.Ordinal));
        var (code, _, error) = await Cli.RunAsync([.. Line("a.yaml", "b.yaml"), "--set", "nmae=x"]);
        Assert.Equal(2, code);
        Assert.Contains($"{In("a.yaml")}:11:31: features.spent.of: ", error, StringComparison.Ordinal);
        Assert.Contains($"{In("b.yaml")}:21:58: offers.gift.propensty: ", error, StringComparison.Ordinal);
        Assert.Contains($"{In("b.yaml")}:16:24: decisions.triggers.big.when: ", error, StringComparison.Ordinal);
        Assert.EndsWith("\n4 mistakes\n", error, StringComparison.Ordinal);

        (code, _, error) = await Cli.RunAsync(Line("a.yaml", "no-such.yaml"));
        Assert.Equal(2, code);
        Assert.Contains($"{In("no-such.yaml")}: config: there is no such file", error, StringComparison.Ordinal);
        Assert.Contains(In("a.yaml"), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_the_files_is_told_once()
    {
        var (code, _, error) = await Cli.RunAsync("replay", "compare", "--policy", In("a.yaml"), "--policy", In("b.yaml"), "--events",
            In("none.csv"));
        Assert.Equal(2, code);
        Assert.EndsWith("\n1 mistake\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_is_refused_as_both_read_it()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", In("fifo"))) await made.WaitForExitAsync();
        var writing = Task.Run(() => File.WriteAllText(In("fifo"), Csv));
        var (code, _, error) = await Cli.RunAsync("replay", "compare", "--policy", In("a.yaml"), "--policy", In("b.yaml"), "--events",
            In("fifo"));
        await writing;
        Assert.Equal(2, code);
        Assert.Contains("it is a pipe, which can be read once only", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay compare --policy {0}/a.yaml --events x", "--policy is given 1 times: give it twice")]
    [InlineData("replay compare --policy {0}/a.yaml --policy {0}/a.yaml --policy {0}/b.yaml --events x", "--policy is given 3 times")]
    public async Task Two_policies_are_wanted(string line, string message)
    {
        line = string.Format(System.Globalization.CultureInfo.InvariantCulture, line, _folder);
        var (code, _, error) = await Cli.RunAsync(line.Split(' '));
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_comparison_says_so()
    {
        var (code, output, error) = await Cli.RunAsync(Line("a.yaml", "b.yaml"), new CancellationToken(true));
        Assert.Equal(130, code);
        Assert.Empty(output);
        Assert.Contains("error: stopped while reading", error, StringComparison.Ordinal);
    }

    private static void AssertSide(JsonNode side, double expected, double priority, string counts)
    {
        Assert.Equal(expected, (double)side["expected_value"]!["total"]!, 12);
        Assert.Equal(expected / 6, (double)side["expected_value"]!["mean"]!, 12);
        Assert.Equal(priority, (double)side["priority"]!["total"]!, 12);
        Assert.Equal(priority / 6, (double)side["priority"]!["mean"]!, 12);
        var rest = side.DeepClone().AsObject();
        rest.Remove("expected_value");
        rest.Remove("priority");
        Assert.Equal(counts.ReplaceLineEndings("").Trim(), rest.ToJsonString());
    }

    private async Task<JsonNode> CompareAsync(string a, string b, params string[] more)
    {
        var (code, output, error) = await Cli.RunAsync([.. Line(a, b), "--json", .. more]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private string[] Line(string a, string b) =>
        ["replay", "compare", "--policy", In(a), "--policy", In(b), "--events", In("orders.csv")];

    private static string Changed(string old, string @new)
    {
        Assert.Contains(old, Config, StringComparison.Ordinal);
        return Config.Replace(old, @new, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text) => File.WriteAllText(In(name), text);
}
