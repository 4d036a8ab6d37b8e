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
    [InlineData("a: { topic: a, format: json, time: { field: [t] } }", "events.a.time.field")]
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
