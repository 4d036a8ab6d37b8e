using System.Text.Json.Nodes;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary>
/// The config as a person writes it: every mistake is told once, where it stands, and none that only follows from another.
/// </summary>
public sealed class ValidateTests
{
    /// <summary>Mistakes end with their line's remark: the path that is told.</summary>
    private const string Mistaken = """
        name: shop
        schemas:
          registry: no-such-folder                                      # schemas.registry
        purposes:
          - ads
          - mail
          - ads                                                         # purposes.2
        events:
          clicks:
            topic: clicks
            format: json
            fields:
              value: doubel                                             # events.clicks.fields.value.type
              place: string
          orders:
            topic: clicks                                               # events.orders.topic
            format: json
            requires: [ads]                                             # events.orders.requires
            pii: [customer_id]                                          # events.orders.pii
            fields:
              amount: decimal(2)
        features:
          clicked:
            op: cuont                                                   # features.clicked.op
          spent:
            op: sum
            of: event.amuont                                            # features.spent.of
          largest:
            op: max
            of: event.value
        timers:
          cart:
            start: event.typ == 'cart'                                  # timers.cart.start
            after: 30m
        models:
          buys:
            path: no-such-model                                         # models.buys.path
        decisions:
          triggers:
            view:
              when: event.type == 'view' && event.value > 1.0
          caps:
            daily:
              max: many                                                 # decisions.caps.daily.max
        offers:
          club:
            eligible: features.clickd > 3.0                             # offers.club.eligible
            propensity: { model: buys, default: 0.1 }
        outputs:
          dead_letter: clicks                                           # outputs.dead_letter
        checkpoints:
          intervall: 5s                                                 # checkpoints.intervall
        """;

    [Fact]
    public async Task Names_that_no_log_takes_are_mistakes_and_so_is_every_topic_with_two_uses()
    {
        var path = Path.GetTempFileName();
        try
        {
            string[] names = ["decisions", "dead_letter", "late", "actions"];
            foreach (var (yaml, expected) in new (string, string)[]
            {
                ("name: ''", "'' can't be an engine's name"),
                ("name: ..", "'..' can't be an engine's name"),
                ("name: \"a\\nb\"", @"'a\nb' can't be an engine's name"),
                ("outputs: { late: ../x }", "'../x' can't be a topic's name"),
                ("outputs: { channels: { web: a/b } }", "'a/b' can't be a topic's name"),
                ("checkpoints: { topic: 'a b' }", "'a b' can't be a topic's name"),
                ("outputs: { late: '' }", "the topic's name is empty"),
                ("features: { '': { op: count } }", "'' is no name"),
                ("kafka: { node_name: '' }", "'' is no name"),
                ("outputs: { decisions: x, channels: { web: x } }", $"topic 'x' is also that of outputs.decisions ({path}:3:23)"),
                ("outputs: { channels: { web: e } }", $"topic 'e' is also that of events.e.topic ({path}:2:23)"),
                ("outputs: { channels: { web: late } }", "topic 'late' is also that of outputs.late (its default)"),
                ("checkpoints: { topic: e }", "topic 'e' is also that of events.e.topic"),
                ("control: { topic: e }", "topic 'e' is also that of events.e.topic"),
                ("checkpoints: { topic: actions }", "topic 'actions' is also that of outputs.actions"),
            }.Concat(from a in names
                     from b in names
                     where Array.IndexOf(names, a) < Array.IndexOf(names, b)
                     select ($"outputs: {{ {a}: x, {b}: x }}", $"topic 'x' is also that of outputs.{a} ({path}:3:")))
            {
                await File.WriteAllTextAsync(path, (yaml.StartsWith("name", StringComparison.Ordinal) ? "" : "name: t\n")
                    + "events: { e: { topic: e, format: json, customer: c, id: id, time: t, type: type } }\n" + yaml);
                var (code, _, error) = await Cli.RunAsync("validate", "--config", path);
                Assert.True(code == 2 && error.Contains(expected, StringComparison.Ordinal), $"{yaml}: {error}");
                Assert.Contains("1 mistake", error, StringComparison.Ordinal);
            }
            await File.WriteAllTextAsync(path, "events: { e: { topic: e, format: json, customer: c, id: id, time: t, type: type } }\n"
                + "outputs: { actions: x, channels: { web: x, mail: x } }");
            Assert.Equal(0, (await Cli.RunAsync("validate", "--config", path)).Code);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>What validate says of a command is what the command says.</summary>
    [Theory]
    [InlineData("format: json, customer: c, time: $timestamp", "replay, features", "time: a file's records have no time of their own")]
    [InlineData("format: json, customer: [c, $key], time: t", "replay, features", "customer: a file's records have no key")]
    [InlineData("format: csv, customer: c, time: t", "run, savepoint", "columns: a topic's CSV records have no header")]
    [InlineData("format: json, customer: c, time: t, encoding: latin1", "run, savepoint", "encoding: a topic's records are read as UTF-8")]
    [InlineData("format: json, customer: c, time: timestamp", "", "")]
    public async Task Commands_that_will_refuse_a_source_are_named(string source, string commands, string why)
    {
        var folder = Directory.CreateTempSubdirectory("validate-").FullName;
        var (config, events) = (Path.Combine(folder, "c.yaml"), Path.Combine(folder, "events.dat"));
        await File.WriteAllTextAsync(config, $"name: t\nevents:\n  e: {{ topic: e, id: hash(c), {source} }}\n");
        await File.WriteAllTextAsync(events, source.Contains("csv", StringComparison.Ordinal) ? "c,t\na,5\n"
            : """{"c":"a","t":5,"timestamp":"2024-03-01T10:00:00Z"}""" + "\n");
        try
        {
            var (code, output, error) = await Cli.RunAsync("validate", "--config", config);
            Assert.Equal(0, code);
            if (why.Length > 0) Assert.Contains($"{commands} will refuse source 'e' for its {why}", error, StringComparison.Ordinal);
            else Assert.DoesNotContain("refuse", error, StringComparison.Ordinal);
            var json = JsonNode.Parse((await Cli.RunAsync("validate", "--config", config, "--json")).Output)!;
            Assert.Equal(commands, json["refused_by"]!.AsArray() is [{ } one] ? (string)one["commands"]! : "");

            var replay = await Cli.RunAsync("replay", "--config", config, "--events", events, "--out", Path.Combine(folder, "out"));
            var run = await Cli.RunAsync("run", "--config", config, "--embedded", Path.Combine(folder, "log"), "--drain");
            Assert.Equal(commands.StartsWith("replay", StringComparison.Ordinal) ? 2 : 0, replay.Code);
            if (replay.Code == 2) Assert.Contains(why.Split(": ")[1], replay.Error, StringComparison.Ordinal);
            Assert.Equal(commands.StartsWith("run", StringComparison.Ordinal), run.Code == 2);
            if (run.Code == 2) Assert.Contains(why.Split(": ")[1], run.Error, StringComparison.Ordinal);
            if (commands.Length > 0) return;
            // A plain name is a field, and that it meant something else once is said by each.
            Assert.Contains("admitted           1\n", replay.Output, StringComparison.Ordinal);
            foreach (var told in new[] { error, replay.Error, run.Error })
                Assert.Contains("events.e.time: 'timestamp' is read as the field of that name", told, StringComparison.Ordinal);
            Assert.Contains("$timestamp", Assert.Single(json["warnings"]!.AsArray())!.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Every_mistake_is_told_once_with_its_line()
    {
        var expected = Mistaken.Split('\n').Select((text, i) => (Line: i + 1, Parts: text.Split('#'))).Where(l => l.Parts.Length == 2)
            .Select(l => $"{l.Line} {l.Parts[1].Trim()}").ToList();
        Assert.True(expected.Count > 10);
        var errors = await Errors(Mistaken);
        Assert.Equal(expected.Order(StringComparer.Ordinal), errors.Select(e => $"{e["line"]} {e["path"]}").Order(StringComparer.Ordinal));
        Assert.All(errors, e => Assert.NotEmpty((string)e["remedy"]!));
    }

    [Theory]
    [InlineData("a: { topic: [x], format: json }", "events.a.topic")]
    [InlineData("a: { topic: a, format: jsn }", "events.a.format")]
    [InlineData("[a]", "events")]
    [InlineData("a: { topic: a, format: json, time: { field: { t: u } } }", "events.a.time.field")]
    public async Task What_follows_from_an_unreadable_value_is_not_told(string events, string path) =>
        Assert.Equal(path, (string)Assert.Single(await Errors($"purposes: [ads]\nevents:\n  {events}\n"))["path"]!);

    [Fact]
    public async Task A_registry_folder_that_is_named_must_be_there()
    {
        const string Events = "events:\n  a: { topic: a, format: json }\n";
        Assert.Empty(await Errors(Events));
        Assert.Empty(await Errors("schemas: { registry: . }\n" + Events));
        var error = Assert.Single(await Errors("schemas: { registry: no-such-folder }\n" + Events));
        Assert.Equal(("1", "schemas.registry"), (error["line"]!.ToString(), (string)error["path"]!));
        Assert.Contains("no-such-folder", (string)error["message"]!, StringComparison.Ordinal);
        Assert.Contains("relative to the config file", (string)error["remedy"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_interval_that_no_transaction_outlives_is_refused()
    {
        const string Events = "events:\n  a: { topic: a, format: json }\nruntime: { commit_interval: 2s }\n";
        Assert.Empty(await Errors(Events));
        var error = Assert.Single(await Errors(Events + "kafka: { transaction_timeout: 2s }\n"));
        Assert.Equal(("4", "kafka.transaction_timeout"), (error["line"]!.ToString(), (string)error["path"]!));
        Assert.Contains("runtime.commit_interval", (string)error["message"]!, StringComparison.Ordinal);
    }

    private static async Task<List<JsonNode>> Errors(string config)
    {
        var folder = Directory.CreateTempSubdirectory("config").FullName;
        try
        {
            var path = Path.Combine(folder, "streamengine.yaml");
            File.WriteAllText(path, config);
            var (_, output, error) = await Cli.RunAsync("validate", "--config", path, "--json");
            Assert.True(error.Length == 0, error);
            return [.. JsonNode.Parse(output)!["errors"]!.AsArray().Select(e => e!)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
