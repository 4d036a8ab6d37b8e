using System.Collections;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Configuration;

/// <summary>Secrets come from files and variables, and no message shows one, however it is mistyped.</summary>
public sealed class SecretsTests : IDisposable
{
    private const string Secret = "hunter2-correct-horse";
    private readonly string _folder = Directory.CreateTempSubdirectory("secrets-test-").FullName;
    private readonly ConfigErrors _errors = new();

    public SecretsTests() => File.WriteAllText(Path.Combine(_folder, "c.yaml"), """
        name: t
        events:
          e: { topic: e, format: json, customer: c, id: id, time: t, type: type }
        """);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("STREAMENGINE__KAFKA__SETTINGS__SASL_PASSWORD", "sasl.password")]
    [InlineData("STREAMENGINE__KAFKA__SETTINGS__SASL__PASSWORD", "sasl.password")]
    [InlineData("STREAMENGINE__KAFKA__SETTINGS__CONSUMER_SESSION_TIMEOUT_MS", "consumer.session.timeout.ms")]
    [InlineData("STREAMENGINE__KAFKA__SETTINGS__SASL_OAUTHBEARER_ASSERTION_FILE", "sasl.oauthbearer.assertion.file")]
    public void A_variable_reaches_a_setting_with_dots(string variable, string setting)
    {
        var settings = Load([], (variable, Secret)).Options.Kafka.Settings;
        Assert.Empty(_errors.All);
        Assert.Equal(Secret, Assert.Contains(setting, settings));
    }

    [Fact]
    public void Files_hold_values_in_the_config_on_the_command_line_and_in_the_environment()
    {
        File.WriteAllText(Path.Combine(_folder, "password"), Secret + "\n");
        var options = Load(["kafka.settings.sasl.password_file=password"],
            ("STREAMENGINE__KAFKA__SETTINGS__SSL_KEY_PASSWORD_FILE", "password")).Options;
        Assert.Empty(_errors.All);
        Assert.Equal([("sasl.password", Secret), ("ssl.key.password", Secret)],
            options.Kafka.Settings.Select(s => (s.Key, s.Value)).OrderBy(s => s.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_that_is_not_there_and_a_value_given_twice_are_mistakes()
    {
        File.WriteAllText(Path.Combine(_folder, "password"), Secret);
        Load(["kafka.settings.sasl.password_file=password", "kafka.settings.sasl.password=" + Secret,
            "kafka.settings.ssl.key.pem_file=gone"]);
        Assert.Equal(["kafka.settings.sasl.password_file", "kafka.settings.ssl.key.pem_file"], _errors.All.Select(e => e.At.Path).Order());
        Assert.DoesNotContain(Secret, string.Join('\n', _errors.All));
    }

    [Theory]
    [InlineData("--set", "kafka.settings.sasl.pasword=" + Secret)]
    [InlineData("--set", "kafka.settings.sasl.jaas.config=password=" + Secret)]
    [InlineData("--set", "kafka.settings.sasl.mechanisms.pasword=" + Secret)]
    [InlineData("--set", "kafka.settings.enable.ssl.certificate.verification=" + Secret)]
    [InlineData("--set", "kafka.settings.sasl.password:" + Secret)]
    [InlineData("--set", "kafka.settings.sasl.password", Secret)]
    [InlineData("--set", "kafka.settings={sasl.password: " + Secret)]
    [InlineData("--set", "kafka.settings={sasl.password: a," + Secret + "}")]
    [InlineData("--set", "kafka.settings={sasl.password: *" + Secret + "}")]
    [InlineData("--set", "kafka.settings=" + Secret)]
    [InlineData("--set", "kafka=" + Secret)]
    [InlineData("--set", "kafka.settings.sasl.password=[" + Secret + "]")]
    [InlineData("--set", "kafka.sasl.password=" + Secret)]
    [InlineData("--set", "schemas.registry=http://user:" + Secret + "@host:port/x")]
    public async Task No_message_shows_a_value_that_may_be_a_secret(params string[] arguments)
    {
        foreach (var json in new[] { false, true })
        {
            var (code, output, error) = await Cli.RunAsync(["validate", "--config", Path.Combine(_folder, "c.yaml"), .. arguments,
                .. json ? ["--json"] : Array.Empty<string>()]);
            Assert.InRange(code, 1, 2);
            Assert.NotEmpty(output + error);
            Assert.DoesNotContain("hunter2", output + error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_value_that_holds_no_secret_is_shown_with_what_is_wrong()
    {
        var (_, _, error) = await Cli.RunAsync("validate", "--config", Path.Combine(_folder, "c.yaml"), "--set",
            "kafka.settings.linger.ms=soon", "--set", "kafka.settings.acks=1");
        Assert.Contains("'linger.ms: soon' can't be used", error, StringComparison.Ordinal);
        Assert.Contains("'acks: 1' can't be used: an acknowledged record", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssl.key.pem=" + Secret, "ssl.key.pem")]
    [InlineData("ssl.keystore.location=/nowhere", "ssl.keystore")]
    [InlineData("ssl.ca.location=/nowhere", "ssl.ca.location")]
    public async Task A_client_that_cannot_be_made_is_told_without_a_trace(string setting, string expected)
    {
        var (code, _, error) = await Cli.RunAsync("run", "--config", Path.Combine(_folder, "c.yaml"), "--kafka", "localhost:1",
            "--set", "http.port=0", "--set", "kafka.settings.security.protocol=SSL", "--set", "kafka.settings." + setting);
        Assert.Equal(3, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Contains("can't be made with kafka.settings", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }

    private LoadedConfig Load(string[] sets, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach (var (name, value) in variables) environment[name] = value;
        return ConfigLoader.Load(Path.Combine(_folder, "c.yaml"), sets, environment, _errors);
    }
}
