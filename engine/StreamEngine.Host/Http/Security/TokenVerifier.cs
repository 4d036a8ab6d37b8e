using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>What a token came to.</summary>
/// <param name="Caller">Whose it is; null where it is refused.</param>
/// <param name="Status">The HTTP status of a refusal.</param>
/// <param name="Reason">A word for the metric.</param>
/// <param name="Detail">What is at fault, and what to do. It repeats nothing of the token.</param>
/// <param name="Ends">When the token is over.</param>
internal readonly record struct TokenVerdict(Caller? Caller, int Status, string Reason, string Detail, DateTimeOffset Ends = default);

/// <summary>
/// Verifies the tokens of an identity provider: signature, issuer, audience and time. Only signatures by a private key count, so neither
/// 'none' nor one that is made with what is public.
/// </summary>
internal sealed class TokenVerifier
{
    private const int LongestToken = 16 << 10, LongestName = 200;

    private static readonly TimeSpan Away = TimeSpan.FromSeconds(5), LeastBetween = TimeSpan.FromSeconds(30);

    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly Dictionary<string, Scope> Scopes = Enum.GetValues<Scope>().ToDictionary(s => Spelling.Snake(s.ToString()));

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly JwtOptions _options;
    private readonly TimeProvider _time;
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _keys;
    private readonly TokenValidationParameters _demands;
    private long _awayUntil = long.MinValue;

    /// <summary>Prepares; asks for no keys yet.</summary>
    /// <param name="options">The config's.</param>
    /// <param name="folder">The config's folder.</param>
    /// <param name="time">The clock by which a provider that is away is left alone for a while.</param>
    /// <param name="leastBetween">How long it waits at least before it asks again for a key that is not known; half a minute.</param>
    public TokenVerifier(JwtOptions options, string folder, TimeProvider time, TimeSpan? leastBetween = null)
    {
        (_options, _time, _keys) = (options, time, TokenKeys.Open(options, folder, leastBetween ?? LeastBetween));
        _demands = new TokenValidationParameters
        {
            ConfigurationManager = _keys,
            ValidAlgorithms = Algorithms,
            ValidIssuer = options.Issuer,
            ValidAudiences = options.Audiences,
            ClockSkew = options.ClockSkew,
        };
    }

    /// <summary>Whether what is presented has the form of a token, which no key of the config has.</summary>
    public static bool IsToken(string presented) =>
        presented.StartsWith("ey", StringComparison.Ordinal) && presented.Count(c => c == '.') == 2;

    /// <summary>Verifies a token.</summary>
    public async Task<TokenVerdict> VerifyAsync(string token, CancellationToken stop)
    {
        if (token.Length > LongestToken) return Refused("The token is longer than 16 KiB: let it carry fewer claims.");
        if (!await HasKeysAsync(stop).ConfigureAwait(false))
            return new TokenVerdict(null, StatusCodes.Status503ServiceUnavailable, "issuer_away",
                "The keys of http.jwt.issuer can't be had now, so no token can be verified: ask again later, or use a key.");
        var result = await _handler.ValidateTokenAsync(token, _demands).ConfigureAwait(false);
        if (!result.IsValid) return Refused(Why(result.Exception));
        var verified = (JsonWebToken)result.SecurityToken;
        var name = new[] { "sub", "client_id", "azp" }.Select(c => verified.TryGetPayloadValue<string>(c, out var text) ? text : "")
            .FirstOrDefault(n => n.Length > 0);
        if (name is not { Length: <= LongestName } || name.Any(char.IsControl))
            return Refused("The token does not say whose it is: it needs sub or client_id, of at most 200 characters.");
        var scopes = result.ClaimsIdentity.FindAll(_options.ScopeClaim).SelectMany(c => c.Value.Split(' '))
            .Where(w => w.StartsWith(_options.ScopePrefix, StringComparison.Ordinal))
            .Select(w => Scopes.TryGetValue(w[_options.ScopePrefix.Length..], out var scope) ? scope : (Scope?)null).OfType<Scope>()
            .Distinct().ToList();
        return new TokenVerdict(new Caller(name, scopes, _options.Rate, ByToken: true), StatusCodes.Status200OK, "", "",
            new DateTimeOffset(verified.ValidTo, TimeSpan.Zero) + _options.ClockSkew);
    }

    /// <summary>Whether there are keys to verify with. A provider that does not answer is not asked again for a while.</summary>
    private async Task<bool> HasKeysAsync(CancellationToken stop)
    {
        if (_time.GetTimestamp() < Volatile.Read(ref _awayUntil)) return false;
        try
        {
            await _keys.GetConfigurationAsync(stop).ConfigureAwait(false);
            return true;
        }
        catch (InvalidOperationException)
        {
            Volatile.Write(ref _awayUntil, _time.GetTimestamp() + (long)(Away.TotalSeconds * _time.TimestampFrequency));
            return false;
        }
    }

    private static TokenVerdict Refused(string detail) => new(null, StatusCodes.Status401Unauthorized, "token", detail);

    private static string Why(Exception? e) => e switch
    {
        SecurityTokenExpiredException => "The token's time is over: get a new one.",
        SecurityTokenNotYetValidException => "The token is not valid yet: compare the clocks, or raise http.jwt.clock_skew.",
        SecurityTokenNoExpirationException => "The token has no end (exp): let the provider set one.",
        SecurityTokenInvalidAudienceException => "The token is for somebody else: its aud has to be one of http.jwt.audiences.",
        SecurityTokenInvalidIssuerException => "The token is of another provider: its iss has to be http.jwt.issuer.",
        SecurityTokenSignatureKeyNotFoundException => "The token's key is none that the provider publishes: get a new one; a key that the "
            + "provider has only just begun to use is known within half a minute.",
        SecurityTokenInvalidAlgorithmException => "The token is signed by an algorithm that is not taken: RS, PS and ES are.",
        _ => "The token can't be verified: its form or its signature is wrong.",
    };
}
