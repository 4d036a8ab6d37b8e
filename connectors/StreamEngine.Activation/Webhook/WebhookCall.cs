using System.Net;
using StreamEngine.Activation.Records;
using StreamEngine.Configuration;

namespace StreamEngine.Activation.Webhook;

/// <summary>What is sent where.</summary>
/// <param name="Url">The endpoint.</param>
/// <param name="Method">The method.</param>
/// <param name="Body">The body's template; null for the record as JSON.</param>
internal sealed record WebhookTarget(Uri Url, HttpMethod Method, BodyTemplate? Body);

/// <summary>A webhook's config, checked: template parsed, secrets read.</summary>
/// <param name="Options">The config.</param>
/// <param name="Target">What is sent where.</param>
/// <param name="Instead">The same for records that <paramref name="InsteadOf"/> takes; null where there are none.</param>
/// <param name="InsteadOf">Which records go there.</param>
/// <param name="Headers">All headers, with the secret ones as they were at the start.</param>
/// <param name="HeaderFiles">The files of the secret ones, in full.</param>
/// <param name="Signature">Signs; null without a secret.</param>
internal sealed record WebhookCall(WebhookOptions Options, WebhookTarget Target, WebhookTarget? Instead, RecordFilter? InsteadOf,
    IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> HeaderFiles, WebhookSignature? Signature)
{
    private static readonly string[] Ours =
        [WebhookSink.IdempotencyKey, WebhookSignature.Id, WebhookSignature.Timestamp, WebhookSignature.Signature, "Content-Type",
        "Content-Length", "Host", "Transfer-Encoding", "Connection"];

    /// <summary>Checks the config; null where it has mistakes, all of which are told.</summary>
    public static WebhookCall? Compile(WebhookOptions options, RecordKind kind, IReadOnlyList<string> identifiers, string folder,
        ConfigErrors errors)
    {
        var before = errors.All.Count;
        var url = OwnUrl(options, folder, errors);
        var body = Body(options.Body, options.Node, kind, options.ContentType, errors);
        var (instead, insteadOf) = (default(WebhookTarget), default(RecordFilter));
        if (options.Instead is { } other)
        {
            var otherUrl = other.Url is null ? url : CheckUrl(other.Url, "url", other.Node, options.AllowPrivate, errors);
            instead = otherUrl is null ? null : new WebhookTarget(otherUrl, Method(other.Method ?? options.Method),
                other.Body is null ? body : Body(other.Body, other.Node, kind, options.ContentType, errors));
            if (other.Where is null)
                errors.Add(other.Node, "where", "it does not say for which records", "Write an expression, as audience.change == 'leave'");
            else insteadOf = RecordFilter.Compile(other.Where, kind, identifiers, errors);
        }
        if (!System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(options.ContentType, out _))
            errors.Add(options.Node, "content_type", $"'{Printable.Text(options.ContentType)}' is no content type",
                "Write one as application/json");
        var headers = new Dictionary<string, string>(options.Headers, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, file) in options.HeaderFiles)
            if (SecretFile.Read(file, folder, options.Node["header_files"] ?? options.Node, name, errors) is { } value)
                headers[name] = value;
        foreach (var (name, value) in headers) CheckHeader(options, name, value, errors);
        var signature = Secret(options, folder, errors);
        return errors.All.Count > before ? null
            : new WebhookCall(options, new WebhookTarget(url!, Method(options.Method), body), instead, insteadOf, headers,
                options.HeaderFiles.ToDictionary(h => h.Key, h => Path.GetFullPath(h.Value, Path.GetFullPath(folder))), signature);
    }

    /// <summary>Whether a header can have this value.</summary>
    public static bool IsHeaderValue(string value) => !value.Any(c => c is < ' ' and not '\t' or > '~');

    private static HttpMethod Method(WebhookMethod method) => HttpMethod.Parse(method.ToString());

    private static BodyTemplate? Body(string? text, ConfigNode node, RecordKind kind, string contentType, ConfigErrors errors)
    {
        if (text is null) return null;
        var body = BodyTemplate.Parse(text, kind, contentType, out var fault);
        if (body is null)
            errors.Add(node, "body", $"it is no Liquid template: {fault}", $"Write {{{{ {kind.Word()}.FIELD }}}} for a field's value");
        return body;
    }

    private static Uri? OwnUrl(WebhookOptions options, string folder, ConfigErrors errors)
    {
        if (options.UrlFile is not { } file) return CheckUrl(options.Url, "url", options.Node, options.AllowPrivate, errors);
        if (options.Url.Length > 0) errors.Add(options.Node, "url_file", "url is given as well", "Keep one of the two");
        return SecretFile.Read(file, folder, options.Node, "url_file", errors) is { } text
            ? CheckUrl(text, "url_file", options.Node, options.AllowPrivate, errors) : null;
    }

    private static Uri? CheckUrl(string text, string key, ConfigNode node, bool allowPrivate, ConfigErrors errors)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
        {
            errors.Add(node, key, "it is no URL that could be called", "Write one that begins with https:// or http://");
            return null;
        }
        if (url.UserInfo.Length > 0)
            errors.Add(node, key, "it holds a user's name or password, which logs would show",
                "Take it out, and give the header Authorization under header_files");
        if (url.Fragment.Length > 0) errors.Add(node, key, "what stands behind '#' is never sent", "Take it out");
        if (!allowPrivate && (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !AddressGuard.IsPublic(address)
            || url.IsLoopback))
            errors.Add(node, key, $"{url.Host} is no public address",
                "Set allow_private to true where the partner is in this network");
        return url;
    }

    private static void CheckHeader(WebhookOptions options, string name, string value, ConfigErrors errors)
    {
        var section = options.HeaderFiles.ContainsKey(name) ? "header_files" : "headers";
        var node = options.Node[section] ?? options.Node;
        using var probe = new HttpRequestMessage();
        if (Ours.Contains(name, StringComparer.OrdinalIgnoreCase))
            errors.Add(node, name, $"'{name}' is set by the connector itself", "Take it out");
        else if (!probe.Headers.TryAddWithoutValidation(name, "x") || !IsHeaderValue(value))
            errors.Add(node, name, $"'{Printable.Text(name)}' is no header, or its value has characters that a header can't have",
                "Use visible ASCII characters");
        if (section == "header_files" && options.Headers.ContainsKey(name))
            errors.Add(node, name, $"'{Printable.Text(name)}' is given under headers as well", "Keep one of the two");
    }

    private static WebhookSignature? Secret(WebhookOptions options, string folder, ConfigErrors errors)
    {
        if (options.Secret is null && options.SecretFile is null) return null;
        if (options.Secret is not null && options.SecretFile is not null)
        {
            errors.Add(options.Node, "secret_file", "secret is given as well", "Keep one of the two");
            return null;
        }
        var key = options.Secret is null ? "secret_file" : "secret";
        var text = options.Secret ?? SecretFile.Read(options.SecretFile!, folder, options.Node, key, errors);
        if (text is null) return null;
        if (WebhookSignature.Of(text) is { } signature) return signature;
        errors.Add(options.Node, key, "it is no secret of Standard Webhooks",
            "Write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)");
        return null;
    }
}
