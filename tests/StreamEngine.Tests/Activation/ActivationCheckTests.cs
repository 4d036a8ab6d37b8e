using StreamEngine.Tests.Host;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Every mistake of the section is told at once, with its line.</summary>
public sealed class ActivationCheckTests
{
    [Fact]
    public async Task All_mistakes_are_told_at_once_by_validate()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("activation-check-").FullName, "shop.yaml");
        await File.WriteAllTextAsync(file, """
            events: { clicks: { topic: clicks, format: json, customer: who, id: id, time: { field: at, format: iso } } }
            activations:
              nowhere: {}
              both: { webhook: { url: "https://partner.example/" }, redis: { connection: "redis:6379" } }
              topic: { topic: clicks, webhook: { url: "https://partner.example/" } }
              where: { where: action.ofer == 'x', webhook: { url: "https://partner.example/" } }
              private: { webhook: { url: "http://169.254.169.254/latest" } }
              user: { webhook: { url: "https://user:pass@partner.example/" } }
              body: { webhook: { url: "https://partner.example/", body: "{{ action.customer_id" } }
              secret: { webhook: { url: "https://partner.example/", secret: abc } }
              header: { webhook: { url: "https://partner.example/", headers: { Idempotency-Key: x } } }
              table: { postgres: { connection: "Host=db", table: a.b.c, key: [id], columns: { id: acton_id } } }
              folder: { files: { format: csv } }
              one: { files: { folder: out } }
              two: { files: { folder: ./out/ } }
              file: { webhook: { url: "https://partner.example/", url_file: nothing.url } }
              letter: { dead_letter: decisions, webhook: { url: "https://partner.example/" } }
            """);
        var (code, _, error) = await Cli.RunAsync("validate", "--config", file);
        Assert.Equal(2, code);
        foreach (var told in new[]
        {
            "activations.nowhere: it does not say where to", "it has several targets: webhook, redis", "'clicks' is no topic of actions",
            "unknown name 'action.ofer'", "169.254.169.254 is no public address", "it holds a user's name or password",
            "it is no Liquid template", "it is no secret of Standard Webhooks", "'Idempotency-Key' is set by the connector itself",
            "'a.b.c' is no table", "the records have no field 'acton_id'", "it names no folder",
            "activations.two.files.folder: another connector", "topic 'decisions' has another use",
            "webhook.url_file: url is given as well", "webhook.url_file: the file can't be read",
        })
            Assert.Contains(told, error);
        Assert.DoesNotContain("pass@", error);
        Assert.Contains("16 mistakes", error);
    }
}
