using System.Net;
using StreamEngine.Activation.Records;
using StreamEngine.Configuration;

namespace StreamEngine.Activation.Webhook;

/// <summary>A webhook's config, checked: template parsed, secrets read.</summary>
/// <param name="Options">The config.</param>
/// <param name="Url">The endpoint.</param>
/// <param name="Body">The body's template; null for the record as JSON.</param>
/// <param name="Headers">All headers, with the secret ones.</param>
/// <param name="Signature">Signs; null without a secret.</param>
internal sealed record WebhookCall(WebhookOptions Options, Uri Url, BodyTemplate? Body, IReadOnlyDictionary<string, string> Headers,
    WebhookSignature? Signature)
{
    private static readonly string[] Ours =
        [WebhookSink.IdempotencyKey, WebhookSignature.Id, WebhookSignature.Timestamp, WebhookSignature.Signature, "Content-Type",
        "Content-Length", "Host", "Transfer-Encoding", "Connection"];

    /// <summary>Checks the config; null where it has mistakes, all of which are told.</summary>
    public static WebhookCall? Compile(WebhookOptions options, RecordKind kind, string folder, ConfigErrors errors)
    {
        var before = errors.All.Count;
        var url = CheckUrl(options, folder, errors);
        BodyTemplate? body = null;
        if (options.Body is { } text && (body = BodyTemplate.Parse(text, kind, options.ContentType, out var fault)) is null)
            errors.Add(options.Node, "body", $"it is no Liquid template: {fault}", "Write {{ action.FIELD }} for a field's value");
        if (!System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(options.ContentType, out _))
            errors.Add(options.Node, "content_type", $"'{Printable.Text(options.ContentType)}' is no content type",
                "Write one as application/json");
        var headers = new Dictionary<string, string>(options.Headers, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, file) in options.HeaderFiles)
            if (SecretFile.Read(file, folder, options.Node["header_files"] ?? options.Node, name, errors) is { } value)
                headers[name] = value;
        foreach (var (name, value) in headers) CheckHeader(options, name, value, errors);
        var signature = Secret(options, folder, errors);
        return errors.All.Count > before ? null : new WebhookCall(options, url!, body, headers, signature);
    }

    private static Uri? CheckUrl(WebhookOptions options, string folder, ConfigErrors errors)
    {
        var (key, text) = ("url", options.Url);
        if (options.UrlFile is { } file)
        {
            if (options.Url.Length > 0) errors.Add(options.Node, "url_file", "url is given as well", "Keep one of the two");
            if (SecretFile.Read(file, folder, options.Node, key = "url_file", errors) is not { } read) return null;
            text = read;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
        {
            errors.Add(options.Node, key, "it is no URL that could be called", "Write one that begins with https:// or http://");
            return null;
        }
        if (url.UserInfo.Length > 0)
            errors.Add(options.Node, key, "it holds a user's name or password, which logs would show",
                "Take it out, and give the header Authorization under header_files");
        if (url.Fragment.Length > 0) errors.Add(options.Node, key, "what stands behind '#' is never sent", "Take it out");
        if (!options.AllowPrivate && (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !AddressGuard.IsPublic(address)
            || url.IsLoopback))
            errors.Add(options.Node, key, $"{url.Host} is no public address",
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
        else if (!probe.Headers.TryAddWithoutValidation(name, "x") || value.Any(c => c is < ' ' and not '\t' or > '~'))
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
