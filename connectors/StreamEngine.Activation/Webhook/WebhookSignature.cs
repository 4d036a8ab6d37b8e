using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace StreamEngine.Activation.Webhook;

/// <summary>
/// Signs calls as Standard Webhooks has it (https://www.standardwebhooks.com): HMAC-SHA256 over <c>id.timestamp.body</c>, so that the
/// partner knows who called, and that nobody plays an old call again.
/// </summary>
internal sealed class WebhookSignature
{
    public const string Id = "webhook-id", Timestamp = "webhook-timestamp", Signature = "webhook-signature";

    private const string Prefix = "whsec_";
    private readonly byte[] _secret;

    private WebhookSignature(byte[] secret) => _secret = secret;

    /// <summary>Reads a secret; null where it is none: <c>whsec_</c> and 24 to 64 bytes in base64.</summary>
    public static WebhookSignature? Of(string secret)
    {
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal) || !Base64.IsValid(secret.AsSpan(Prefix.Length))) return null;
        var bytes = Convert.FromBase64String(secret[Prefix.Length..]);
        return bytes.Length is >= 24 and <= 64 ? new WebhookSignature(bytes) : null;
    }

    /// <summary>Adds the headers of a call.</summary>
    public void Sign(HttpRequestHeaders headers, string id, DateTimeOffset now, byte[] body)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var mac = HMACSHA256.HashData(_secret, signed);
        headers.Add(Id, id);
        headers.Add(Timestamp, timestamp);
        headers.Add(Signature, $"v1,{Convert.ToBase64String(mac)}");
    }
}
