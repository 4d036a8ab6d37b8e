using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>
/// Where the public keys of an identity provider come from: a file, or what the provider serves (OpenID Connect Discovery).
/// </summary>
internal static class TokenKeys
{
    private const string Discovery = ".well-known/openid-configuration";
    private const int LargestDocument = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What gives the keys. It keeps them, asks again twice a day, and where a token names a key that it does not have: providers change
    /// theirs.
    /// </summary>
    /// <param name="options">The config's.</param>
    /// <param name="folder">The config's folder, where a relative file starts.</param>
    /// <param name="leastBetween">How long it waits at least before it asks again for a key that it does not have.</param>
    public static ConfigurationManager<OpenIdConnectConfiguration> Open(JwtOptions options, string folder, TimeSpan leastBetween)
    {
        var keys = options.KeysFile is { } file
            ? new ConfigurationManager<OpenIdConnectConfiguration>(Path.Combine(folder, file), new KeySet(), new FileDocumentRetriever())
            : new ConfigurationManager<OpenIdConnectConfiguration>($"{options.Issuer.TrimEnd('/')}/{Discovery}",
                new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(new HttpClient
                {
                    Timeout = Patience,
                    MaxResponseContentBufferSize = LargestDocument,
                })
                {
                    RequireHttps = !IsThisMachine(new Uri(options.Issuer)),
                });
        keys.RefreshInterval = leastBetween;
        return keys;
    }

    /// <summary>Whether an address is one of this machine, where nobody can listen between.</summary>
    public static bool IsThisMachine(Uri address) => address.Scheme == Uri.UriSchemeHttp && address.IsLoopback;

    /// <summary>Reads a set of keys.</summary>
    /// <exception cref="ArgumentException">It is none, or none of its keys can verify a signature.</exception>
    public static OpenIdConnectConfiguration Read(string json)
    {
        var read = new OpenIdConnectConfiguration { JsonWebKeySet = new JsonWebKeySet(json) };
        // A key for signatures that both sides know (oct) is a secret, and has no place among public keys.
        foreach (var key in read.JsonWebKeySet.GetSigningKeys().Where(k => k is not SymmetricSecurityKey)) read.SigningKeys.Add(key);
        return read.SigningKeys.Count > 0 ? read : throw new ArgumentException("it has no public key for signatures");
    }

    private sealed class KeySet : IConfigurationRetriever<OpenIdConnectConfiguration>
    {
        public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(string address, IDocumentRetriever retriever,
            CancellationToken cancel) => Read(await retriever.GetDocumentAsync(address, cancel).ConfigureAwait(false));
    }
}
