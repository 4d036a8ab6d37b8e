using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StreamEngine.Host.Live;

/// <summary>
/// Tokens that let a page listen to one customer for a while: the second at which the token ends, and an HMAC-SHA-256 over that and the
/// customer. A shop's server asks for one with its key and hands it to the page of the customer that it knows, so that the page holds
/// nothing by which it could listen to anybody else.
/// </summary>
internal sealed class LiveTokens(byte[] secret)
{
    /// <summary>The least bytes of a secret.</summary>
    public const int LeastSecretBytes = 16;

    /// <summary>A secret of this process alone.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);

    /// <summary>A token for a customer.</summary>
    public string Make(string customer, DateTimeOffset until)
    {
        var end = until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{end}.{Base64Url.EncodeToString(Sign(customer, end))}";
    }

    /// <summary>Until when a token lets its holder listen to the customer; null where it does not.</summary>
    public DateTimeOffset? Verify(string token, string customer, DateTimeOffset now)
    {
        var dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !long.TryParse(token.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return null;
        Span<byte> signed = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (Base64Url.DecodeFromChars(token.AsSpan(dot + 1), signed, out _, out var length) != OperationStatus.Done
            || !CryptographicOperations.FixedTimeEquals(Sign(customer, token[..dot]), signed[..length])) return null;
        var until = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return until > now ? until : null;
    }

    private byte[] Sign(string customer, string end) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"live\n{end}\n{customer}"));
}
