using System.Globalization;

namespace StreamEngine.Cluster;

/// <summary>Where a node is reached: <c>host:port</c>.</summary>
/// <param name="Host">A name or an IP address, as written.</param>
/// <param name="Port">The port.</param>
internal readonly record struct HostPort(string Host, int Port)
{
    /// <summary>Reads one; null where the text is none.</summary>
    public static HostPort? Read(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && IsHost(text[..colon])
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= 65_535 ? new HostPort(text[..colon], port) : null;
    }

    /// <summary>Whether a text is a name or an IPv4 address that others can connect to.</summary>
    public static bool IsHost(string text) => Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4 && text != "0.0.0.0";

    /// <summary>Whether two are the same; names have no case.</summary>
    public bool Is(HostPort other) => Port == other.Port && Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
