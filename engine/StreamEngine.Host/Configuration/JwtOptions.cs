using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>The signed tokens (JWT, RFC 7519) of an identity provider, which callers may present in place of a key.</summary>
internal sealed record JwtOptions : ILocated
{
    [Doc("The provider, as its tokens name it in iss. Its public keys are found below this address, at "
        + ".well-known/openid-configuration: over https, or on this machine.")]
    public string Issuer { get; init; } = "";

    [Doc("A file with the provider's public keys (a JSON Web Key Set, RFC 7517), in place of asking the provider. It is read again where a "
        + "token names a key that it did not have.")]
    public string? KeysFile { get; init; }

    [Doc("Whom a token has to be for: its aud names one of these.")]
    public IReadOnlyList<string> Audiences { get; init; } = [];

    [Doc("The claim that says what a caller may do, as http.keys.NAME.scopes does: a list, or a text with blanks between the words. Other "
        + "words in it are passed over.")]
    public string ScopeClaim { get; init; } = "scope";

    [Doc("What stands before each word in that claim: with 'streamengine:' it is streamengine:read that lets a caller read.")]
    public string ScopePrefix { get; init; } = "";

    [Doc("By how much the provider's clock may differ from this machine's.")]
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    [Doc("Requests a second that each caller may make; a further one is answered with 429 and Retry-After. 0 sets no limit.")]
    [Bounds(0, 1_000_000)]
    public int Rate { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
