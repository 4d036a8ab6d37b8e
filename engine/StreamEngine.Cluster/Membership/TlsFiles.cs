using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StreamEngine.Configuration;

namespace StreamEngine.Cluster.Membership;

/// <summary>The files of the cluster's TLS: checked at the start, and read anew whenever the cluster starts in this process, so that a
/// renewed certificate is taken up.</summary>
internal sealed class TlsFiles
{
    private readonly string _certificate;
    private readonly string? _key, _password, _authority;

    private TlsFiles(string certificate, string? key, string? password, string? authority) =>
        (_certificate, _key, _password, _authority) = (certificate, key, password, authority);

    /// <summary>The files that the options name; null, with the mistake told, where they can't be named.</summary>
    public static TlsFiles? Of(ClusterTlsOptions options, string folder, ConfigErrors errors)
    {
        if (options.Certificate.Length == 0)
        {
            errors.Add(options.Node, "certificate", "there is none", "Name a PKCS#12 or PEM file with this node's certificate");
            return null;
        }
        var password = options.Password;
        if (options.PasswordFile is { } file)
        {
            if (password is not null) errors.Add(options.Node, "password_file", "password is given as well", "Keep one of them");
            password = SecretFile.Read(file, folder, options.Node, "password_file", errors);
            if (password is null) return null;
        }
        return new TlsFiles(Path.Combine(folder, options.Certificate), In(options.Key), password, In(options.Authority));

        string? In(string? path) => path is null ? null : Path.Combine(folder, path);
    }

    /// <summary>Reads all of them once; what can't be used is a mistake.</summary>
    public void Check(ClusterTlsOptions options, ConfigErrors errors)
    {
        try
        {
            using var certificate = Certificate();
            if (!certificate.HasPrivateKey)
                errors.Add(options.Node, "certificate", $"'{options.Certificate}' holds no private key",
                    "Export the certificate with its key, or name the key's PEM file as key");
        }
        catch (Exception e) when (IsOfTheFile(e))
        {
            errors.Add(options.Node, "certificate", $"'{options.Certificate}' can't be used: {e.Message}", "Name a PKCS#12 file (with its "
                + "password as password_file) or PEM files of certificate and key; paths are relative to the config file");
        }
        try
        {
            Authorities();
        }
        catch (Exception e) when (IsOfTheFile(e))
        {
            errors.Add(options.Node, "authority", $"'{options.Authority}' can't be used: {e.Message}",
                "Name a PEM file with certificates; the path is relative to the config file");
        }
    }

    /// <summary>This node's certificate with its key.</summary>
    public X509Certificate2 Certificate()
    {
        if (!IsPem(_certificate)) return X509CertificateLoader.LoadPkcs12FromFile(_certificate, _password, X509KeyStorageFlags.Exportable);
        using var pem = string.IsNullOrEmpty(_password) ? X509Certificate2.CreateFromPemFile(_certificate, _key)
            : X509Certificate2.CreateFromEncryptedPemFile(_certificate, _password, _key);
        // A key that was read from PEM lives in this object alone; the transport wants one that it can hand to the system's TLS.
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    /// <summary>The certificates that others' must come from; null where they are the system's.</summary>
    public X509Certificate2Collection? Authorities()
    {
        if (_authority is null) return null;
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(_authority);
        return all.Count > 0 ? all : throw new CryptographicException("it holds no certificate in PEM");
    }

    /// <summary>Whether an exception is what a file that can't be used gives.</summary>
    public static bool IsOfTheFile(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    private static bool IsPem(string path)
    {
        using var file = new StreamReader(path);
        var start = new char[4096];
        return new string(start, 0, file.ReadBlock(start)).Contains("-----BEGIN", StringComparison.Ordinal);
    }
}
