using System.Text;
using Microsoft.AspNetCore.Http;

namespace StreamEngine.Host.Http.Security;

/// <summary>Where a request may have its key.</summary>
internal static class PresentedKey
{
    /// <summary>The header for callers that can't set <c>Authorization</c>.</summary>
    public const string Header = "X-Api-Key";

    /// <summary>The parameter of the address, for pages: a beacon has no headers.</summary>
    public const string Parameter = "key";

    /// <summary>The key; empty where there is none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="fromPages">Whether Basic authentication and the address are looked at as well.</param>
    /// <param name="shown">Whether it stood where proxies and browsers write it down.</param>
    public static string Of(HttpRequest request, bool fromPages, out bool shown)
    {
        shown = false;
        var authorization = request.Headers.Authorization.ToString();
        if (Behind(authorization, "Bearer ") is { } bearer) return bearer;
        if (request.Headers.TryGetValue(Header, out var header)) return header.ToString();
        if (!fromPages) return "";
        if (Behind(authorization, "Basic ") is { } basic) return User(basic);
        shown = true;
        return request.Query[Parameter].ToString();
    }

    private static string? Behind(string authorization, string scheme) =>
        authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? authorization[scheme.Length..].Trim() : null;

    /// <summary>The user of Basic authentication, which is the key: there is no password.</summary>
    private static string User(string basic)
    {
        var bytes = new byte[basic.Length];
        if (!Convert.TryFromBase64String(basic, bytes, out var length)) return "";
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var end = text.IndexOf(':', StringComparison.Ordinal);
        return end < 0 ? text : text[..end];
    }
}
