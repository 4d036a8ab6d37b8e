using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>What an endpoint asks of its callers. One without it needs <see cref="Scope.Admin"/>, so that a new one is not open.</summary>
/// <param name="Scope">What the caller's key must be allowed; null for nothing.</param>
/// <param name="FromPages">
/// Whether pages of other sites may call, which hold a key that everybody can read: it may then stand in the address or in Basic
/// authentication, and the endpoint itself judges <c>Origin</c>.
/// </param>
internal sealed record Demand(Scope? Scope, bool FromPages = false) : IRequestSizeLimitMetadata
{
    /// <summary>The most bytes of a body where an endpoint says nothing else.</summary>
    public const long MostBodyBytes = 64 << 10;

    /// <summary>
    /// Whether a request without a key elsewhere may have it in its body, which the endpoint reads and shows to <see
    /// cref="Access.AdmitAsync"/>.
    /// </summary>
    public bool KeyInBody { get; init; }

    /// <summary>
    /// The parameter of the address that may hold a token instead of a key; the endpoint itself verifies it. Null where none may.
    /// </summary>
    public string? TokenParameter { get; init; }

    /// <summary>
    /// The browsers that have logged in, where one of those may call without showing its key again; null where none may.
    /// </summary>
    public Sessions? Sessions { get; init; }

    /// <summary>Answers a browser that shows no key with a form for one; null where it is refused as everybody is.</summary>
    public Func<HttpContext, Task>? LogIn { get; init; }

    /// <summary>
    /// The origins of the pages that may call and read what the endpoint answers, refusals too. Where the endpoint does not judge
    /// <c>Origin</c> itself, pages of all others are refused before it.
    /// </summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Whether callers without a certificate may call, where all others need one (<c>http.tls.client_ca_file</c>).</summary>
    public bool WithoutCertificate { get; init; }

    /// <summary>The most bytes of a request's body, unpacked.</summary>
    public long? MaxRequestBodySize { get; init; } = MostBodyBytes;
}

/// <summary>Puts demands on endpoints.</summary>
internal static class Demands
{
    /// <summary>Only keys with the scope may call.</summary>
    public static T Needs<T>(this T endpoint, Scope scope) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new Demand(scope));

    /// <summary>Only keys with the scope may call, from pages of these origins too, which may ask beforehand whether they may.</summary>
    /// <param name="app">Where the endpoint is.</param>
    /// <param name="path">Its path.</param>
    /// <param name="endpoint">The endpoint, of POST.</param>
    /// <param name="scope">What a key must be allowed.</param>
    /// <param name="origins">The pages' origins; none where no page may call.</param>
    public static T NeedsFromPages<T>(this WebApplication app, string path, T endpoint, Scope scope, IReadOnlyList<string> origins)
        where T : IEndpointConventionBuilder
    {
        if (origins.Count > 0)
            app.MapMethods(path, [HttpMethods.Options], context =>
            {
                PageOrigins.Preflight(context, HttpMethods.Post, $"content-type, authorization, if-none-match, {PresentedKey.Header}");
                return Task.CompletedTask;
            }).WithMetadata(new Demand(null) { Origins = origins, WithoutCertificate = true });
        return endpoint.WithMetadata(new Demand(scope) { Origins = origins });
    }

    /// <summary>A browser asks whether its page may call, and never shows who it is with that.</summary>
    public static T IsPreflight<T>(this T endpoint) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new Demand(null, FromPages: true) { WithoutCertificate = true });

    /// <summary>Everybody may call, without a certificate too.</summary>
    public static T IsForAll<T>(this T endpoint) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new Demand(null) { WithoutCertificate = true });

    /// <summary>Nobody needs a key.</summary>
    public static T IsOpen<T>(this T endpoint, bool fromPages = false) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new Demand(null, fromPages));
}
