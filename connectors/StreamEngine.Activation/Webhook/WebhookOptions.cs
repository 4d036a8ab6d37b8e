using StreamEngine.Configuration;

namespace StreamEngine.Activation.Webhook;

/// <summary>How a webhook is called.</summary>
public enum WebhookMethod
{
    /// <summary>POST.</summary>
    Post,

    /// <summary>PUT.</summary>
    Put,

    /// <summary>PATCH.</summary>
    Patch,

    /// <summary>DELETE.</summary>
    Delete,
}

/// <summary>A partner's HTTP endpoint, called once for each record, or for many at a time.</summary>
public sealed record WebhookOptions : ILocated
{
    [Doc("The endpoint's URL, http or https. Logs and /healthz show scheme, host and port of it.")]
    public string Url { get; init; } = "";

    [Doc("A file with the URL, in the place of url, where the URL itself is a secret.")]
    public string? UrlFile { get; init; }

    [Doc("post, put, patch or delete.")]
    public WebhookMethod Method { get; init; } = WebhookMethod.Post;

    [Doc("The body: a Liquid template over action, decision, outcome or audience, as {\"user\": \"{{ action.customer_id }}\"}. What is put "
        + "in is escaped for the content type; absent, the body is the record as JSON. With batch it is over the list actions, decisions, "
        + "outcomes or audiences; absent, a JSON array.")]
    public string? Body { get; init; }

    [Doc("Another call for some of the records, as for customers who leave an audience.")]
    public WebhookInsteadOptions? Instead { get; init; }

    [Doc("Delivers many records in one call; each has its own where absent.")]
    public WebhookBatchOptions? Batch { get; init; }

    [Doc("The body's content type. A body that is to be JSON and is none is a dead letter.")]
    public string ContentType { get; init; } = "application/json";

    [Doc("Headers: name to value.")]
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    [Doc("Headers whose values are secrets: name to the file that holds the value.")]
    public IReadOnlyDictionary<string, string> HeaderFiles { get; init; } = new Dictionary<string, string>();

    [Doc("The secret by which each call is signed (HMAC-SHA256, Standard Webhooks): whsec_ and base64. Prefer the file.")]
    public string? Secret { get; init; }

    [Doc("A file with the secret, in the place of secret.")]
    public string? SecretFile { get; init; }

    [Doc("For how long an answer is waited for.")]
    [Bounds(0.01, 600)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    [Doc("How many calls run at the same time; those for one customer follow each other.")]
    [Bounds(1, 1_000)]
    public int Parallelism { get; init; } = 8;

    [Doc("The most calls a second, retries included; 0 sets no limit.")]
    [Bounds(0, 1_000_000)]
    public double RateLimit { get; init; }

    [Doc("For how long a delivery that fails is tried again before it is a dead letter.")]
    [Bounds(0, 2_592_000)]
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(1);

    [Doc("Whether the URL may lead to an address that is private, of this machine or of its link; refused where false, whatever the name "
        + "resolves to.")]
    public bool AllowPrivate { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Where to, and nothing of the secrets.</summary>
    public override string ToString() => Uri.TryCreate(Url, UriKind.Absolute, out var url)
        ? $"{Method} {url.GetLeftPart(UriPartial.Authority)}" : $"{Method}";
}

/// <summary>Another call for some of the records; what is not given is as for the others.</summary>
public sealed record WebhookInsteadOptions : ILocated
{
    [Doc("For which records: an expression as the connector's own where, as audience.change == 'leave'.")]
    public ExprText? Where { get; init; }

    [Doc("The URL.")]
    public string? Url { get; init; }

    [Doc("post, put, patch or delete.")]
    public WebhookMethod? Method { get; init; }

    [Doc("The body's template.")]
    public string? Body { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>Calls that deliver many records.</summary>
public sealed record WebhookBatchOptions : ILocated
{
    [Doc("The most records of a call.")]
    [Bounds(1, 10_000)]
    public int Max { get; init; } = 500;

    [Doc("How long a record waits for others.")]
    [Bounds(0.01, 3_600)]
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
