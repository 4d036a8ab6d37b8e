using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http;
using StreamEngine.Host.Run;

namespace StreamEngine.Host.Catalogue;

/// <summary><c>features show</c>: the features of one customer, as a running engine has them.</summary>
internal static class ShowCommand
{
    private static readonly Option<string> Config = SharedOptions.Config();
    private static readonly Argument<string> Customer = new("CUSTOMER") { Description = "The customer id, as events have it." };
    private static readonly Option<Uri?> Url = new("--url")
    {
        Description = "Where the engine's HTTP endpoints are; those of the config on this machine where absent.",
        HelpName = "URL",
        CustomParser = r =>
        {
            if (Uri.TryCreate(r.Tokens[0].Value.TrimEnd('/') + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
                return url;
            r.AddError($"--url is an address such as http://shop-1:9464, not '{r.Tokens[0].Value}'.");
            return null;
        },
    };

    /// <summary>The command.</summary>
    public static Command Make() => Invocation.Act(new Command("show", "Shows the features of one customer as a running engine has them "
        + $"(GET /v1/customers/ID). With http.keys, a key with the scope read is taken from {RunningProcess.KeyVariable}.")
    {
        Customer, Config, Url,
    }, ShowAsync);

    private static async Task<int> ShowAsync(Invocation call)
    {
        var errors = new ConfigErrors();
        var config = call.Load(Config, errors);
        var options = config.Options;
        errors.ThrowIfAny();
        if (call.Get(Url) is null && options.Http.Port == 0)
            throw new LogException("http.port is 0: a process of this config listens nowhere and can't be asked. Give it a port, or "
                + "--url.");
        using var client = call.Get(Url) is { } url ? RunningProcess.Client(url, TimeSpan.FromSeconds(15))
            : RunningProcess.Client(options.Http, config.BaseDirectory, TimeSpan.FromSeconds(15));
        var answer = await AskAsync(client, call.Get(Customer)!, call.Stop).ConfigureAwait(false);
        if (call.Json) call.Print(JsonSerializer.SerializeToNode(answer, CustomerEndpoints.Json)!);
        else foreach (var line in Lines(answer)) call.Out.WriteLine(Printable.Text(line));
        return ExitCode.Done;
    }

    private static async Task<CustomerAnswer> AskAsync(HttpClient client, string customer, CancellationToken stop)
    {
        try
        {
            using var response = await client.GetAsync(new Uri($"v1/customers/{Uri.EscapeDataString(customer)}", UriKind.Relative), stop)
                .ConfigureAwait(false);
            if (RunningProcess.Refused(response, client, Scope.Read) is { } refused) throw new LogException(refused);
            if (!response.IsSuccessStatusCode)
                throw new LogException($"What listens at {client.BaseAddress} answers {(int)response.StatusCode}: "
                    + Printable.Short(await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false)));
            return (await response.Content.ReadFromJsonAsync<CustomerAnswer>(Read, stop).ConfigureAwait(false))!;
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            throw new LogException(RunningProcess.Nobody(client), e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || e is TaskCanceledException && !stop.IsCancellationRequested)
        {
            throw new LogException(RunningProcess.NoWholeAnswer(client, e), e);
        }
    }

    /// <summary>A newer engine may tell more.</summary>
    private static readonly JsonSerializerOptions Read = new(CustomerEndpoints.Json)
    {
        MaxDepth = 16,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip,
    };

    private static IEnumerable<string> Lines(CustomerAnswer answer)
    {
        yield return answer.Found ? $"{answer.Customer} as of {answer.At}; the newest event is of {answer.NewestEvent ?? "no time"}"
            : $"{answer.Customer} is not known; a stranger has";
        string[][] rows =
        [
            .. answer.Features.Select(f => new[] { f.Key, f.Value.ToString("R", CultureInfo.InvariantCulture) }),
            .. answer.Texts.Select(t => new[] { t.Key, t.Value.Length == 0 ? "-" : t.Value }),
        ];
        foreach (var line in CatalogueText.Aligned(["feature", "value"], rows)) yield return line;
    }
}
