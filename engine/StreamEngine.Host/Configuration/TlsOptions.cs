using StreamEngine.Configuration;

namespace StreamEngine.Host.Configuration;

/// <summary>TLS of the HTTP endpoints and of gRPC, by files in PEM.</summary>
internal sealed record TlsOptions : ILocated
{
    [Doc("The certificate that callers are shown, PEM; those of the authorities between it and its root follow it in the file. It is read "
        + "again when the file changes.")]
    public string CertificateFile { get; init; } = "";

    [Doc("Its private key, PEM, without a password.")]
    public string KeyFile { get; init; } = "";

    [Doc("Certificates of authorities, PEM. Everything but /healthz then needs a caller's certificate that one of them has signed (mutual "
        + "TLS), beside the key where there are keys. Without it callers are asked for none.")]
    public string? ClientCaFile { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
