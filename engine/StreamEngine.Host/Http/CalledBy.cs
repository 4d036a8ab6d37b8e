using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>
/// Refuses requests that a web page of others sends through a user's browser. Such a page can give its own name this machine's address
/// (DNS rebinding), and is then the same origin for the browser; but the name stands in <c>Host</c>. A page that does not do that is told
/// by <c>Origin</c>, unless the endpoint is there for pages. Nobody can give an IP address to another machine, so requests by address pass.
/// Metrics and health are open: they act on nothing and tell of no customer.
/// </summary>
/// <param name="address">The address that is listened on, as the config has it.</param>
/// <param name="hosts">Further names, of the config.</param>
internal sealed class CalledBy(string address, IReadOnlyList<string> hosts)
{
    private static readonly string[] Open = ["/metrics", "/healthz"];

    /// <summary>Passes a request on, or answers it with 403 and the remedy.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var refusal = Array.Exists(Open, p => context.Request.Path.StartsWithSegments(p)) ? null : Refusal(context);
        if (refusal is null)
        {
            await next(context).ConfigureAwait(false);
            return;
        }
        await Problems.RefuseAsync(context, StatusCodes.Status403Forbidden, refusal.Value.Reason, refusal.Value.Text).ConfigureAwait(false);
    }

    private (string Reason, string Text)? Refusal(HttpContext context)
    {
        var (request, host) = (context.Request, context.Request.Host);
        if (!IsOurs(host.Host))
            return ("host", "This host name is not one of http.hosts: call by IP address, or add the name there.");
        var demand = context.GetEndpoint()?.Metadata.GetMetadata<Demand>();
        if (demand is { FromPages: true })
        {
            // The endpoint judges the origin itself; a page that may call is to be able to read why it is refused before that.
            PageOrigins.Allow(context, demand.Origins);
            return null;
        }
        if (demand is { Origins.Count: > 0 } && PageOrigins.Allow(context, demand.Origins)) return null;
        return Pages(request.Headers.Origin, host) ? ("origin", "This is a request of another site's page.") : null;
    }

    private bool IsOurs(string name) => name.Length > 0 && (IPAddress.TryParse(name, out _)
        || Same(name, "localhost") || Same(name, address) || Same(name, Environment.MachineName) || hosts.Any(h => Same(name, h)));

    /// <summary>Whether a page of another origin than the one that is called sends it.</summary>
    private static bool Pages(StringValues origin, HostString host) => origin.Count > 0
        && !(Uri.TryCreate(origin, UriKind.Absolute, out var page)
            && Same(page.IsDefaultPort ? page.Host : page.Authority, host.Port is 80 or 443 ? host.Host : host.Value ?? ""));

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
