using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using Xunit;

namespace StreamEngine.Tests.Configuration;

public sealed class ConfigLoaderTests : IDisposable
{
    private const string Yaml = """
        name: shop
        events:
          clicks: { time: at, pii: [email] }
        offers:
          Big.Deal: { channel: mail }
        kafka: { settings: { linger.ms: 5 } }
        """;

    private readonly string _file = Path.GetTempFileName();
    private readonly ConfigErrors _errors = new();

    public ConfigLoaderTests() => File.WriteAllText(_file, Yaml);

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void The_command_line_wins_over_the_environment_and_that_over_the_file()
    {
        Assert.Equal("shop", Load([]).Options.Name);
        Assert.Equal("env", Load([], ("STREAMENGINE__NAME", "env")).Options.Name);
        Assert.Equal("set", Load(["name=set"], ("STREAMENGINE__NAME", "env")).Options.Name);
        Assert.Empty(_errors.All);
    }

    [Fact]
    public void Keyed_entries_go_by_name_lists_by_index_and_shorthands_open()
    {
        var options = Load(["events.clicks.time.format=iso", "events.clicks.pii.1=phone", "offers.Big.Deal.channel=web",
            "offers.new.value=2.0", "purposes=[a, b]", "kafka.settings.security.protocol=SSL"]).Options;
        Assert.Empty(_errors.All);
        Assert.Equal(("at", "iso"), (options.Events[0].Time.Field.ToString(), options.Events[0].Time.Format));
        Assert.Equal(["email", "phone"], options.Events[0].Pii);
        Assert.Equal([("Big.Deal", "web", "1.0"), ("new", "default", "2.0")],
            options.Offers.Select(o => (o.Name, o.Channel, o.Value.Text)));
        Assert.Equal(["a", "b"], options.Purposes);
        Assert.Equal(["5", "SSL"], options.Kafka.Settings.Values);
    }

    [Fact]
    public void Paths_can_be_a_list_and_a_list_opens_as_a_single_one_does()
    {
        var source = Load(["events.clicks.customer=[userId, anonymousId]", "events.clicks.time=[t, u]", "events.clicks.time.format=iso",
            "events.clicks.consent.ads=c.ads"]).Options.Events[0];
        Assert.Empty(_errors.All);
        Assert.Equal("[userId, anonymousId] [t, u] iso {ads: c.ads}",
            $"{source.Customer} {source.Time.Field} {source.Time.Format} {source.Consent}");
        source = Load(["events.clicks.time=[t, u]", "events.clicks.time.1=v"]).Options.Events[0];
        Assert.Equal("[t, v]", $"{source.Time.Field}");
    }

    [Fact]
    public void The_environment_does_not_mind_case()
    {
        var options = Load([], ("streamengine__OFFERS__BIG.DEAL__CHANNEL", "web"),
            ("STREAMENGINE__KAFKA__SETTINGS__SECURITY__PROTOCOL", "SSL"), ("OTHER__NAME", "x")).Options;
        Assert.Empty(_errors.All);
        Assert.Equal("web", Assert.Single(options.Offers).Channel);
        Assert.Equal("SSL", options.Kafka.Settings["security.protocol"]);
    }

    [Fact]
    public void Mistakes_name_the_override()
    {
        Load(["state.memory=big", "nmae=x", "name", "events.clicks.pii.7=x"], ("STREAMENGINE__TIME__LATENESS", "5"));
        Assert.Equal(
            [
                "--set name: set: there is no value",
                "--set events.clicks.pii.7: events.clicks.pii.7: '7' is no index of a list with 1 items",
                "STREAMENGINE__TIME__LATENESS: time.lateness: '5' is not a duration",
                "--set state.memory: state.memory: 'big' is not a size",
                "--set nmae: nmae: 'nmae' is no option here",
            ],
            _errors.All.Select(e => e.ToString()[..e.ToString().IndexOf(". ", StringComparison.Ordinal)]));
    }

    private LoadedConfig Load(string[] sets, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach (var (name, value) in variables) environment[name] = value;
        return ConfigLoader.Load(_file, sets, environment, _errors);
    }
}
