using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Confluent.SchemaRegistry;
using StreamEngine.Configuration;
using StreamEngine.Events;
using SchemaRegistryException = StreamEngine.Events.Registry.SchemaRegistryException;

namespace StreamEngine.Connectors.SchemaRegistry;

/// <summary>
/// The HTTP below Confluent's client. Its own (2.16) can't check a certificate against a CA of ours: it refuses every certificate whose CA
/// is not in the chain that the system builds, where a private one never is, and would take one of another host. So its clients are
/// replaced by ones that check chain and host name, and that look the registry's address up again every few minutes.
/// </summary>
internal sealed class RegistryTransport
{
    private readonly X509Certificate2Collection? _authorities;
    private readonly X509Certificate2? _certificate;
    private readonly bool _checks;

    private RegistryTransport(X509Certificate2Collection? authorities, X509Certificate2? certificate, bool checks) =>
        (_authorities, _certificate, _checks) = (authorities, certificate, checks);

    /// <summary>The transport that the options describe; null, with the mistakes told, where a file of theirs can't be used.</summary>
    public static RegistryTransport? Of(SchemaOptions options, Secrets secrets, string baseDirectory, ConfigErrors errors)
    {
        var before = errors.All.Count;
        var authorities = Load(options.SslCaLocation, "ssl_ca_location", "Write a PEM file with certificates", path =>
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(path);
            return all.Count > 0 ? all : throw new CryptographicException("it holds no certificate in PEM");
        });
        var certificate = Load(options.SslKeystoreLocation, "ssl_keystore_location",
            "Write a PKCS#12 file with a certificate and its key, and its password as ssl_keystore_password or ssl_keystore_password_file",
            path => X509CertificateLoader.LoadPkcs12FromFile(path, secrets.KeystorePassword));
        if (certificate is { HasPrivateKey: false })
            errors.Add(options.Node, "ssl_keystore_location", $"'{options.SslKeystoreLocation}' holds no private key",
                "Export the certificate with its key.");
        return errors.All.Count > before ? null
            : new RegistryTransport(authorities, certificate, options.EnableSslCertificateVerification);

        T? Load<T>(string? file, string key, string remedy, Func<string, T> load) where T : class
        {
            if (file is null) return null;
            try
            {
                return load(Path.Combine(baseDirectory, file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                errors.Add(options.Node, key, $"'{file}' can't be used: {e.Message}",
                    $"{remedy}; the path is relative to the config file.");
                return null;
            }
        }
    }

    /// <summary>Puts clients of ours in the place of those that Confluent's client has made.</summary>
    public void Carry(CachedSchemaRegistryClient client)
    {
        var clients = Clients(client);
        for (var i = 0; i < clients.Count; i++)
        {
            using var theirs = clients[i];
            clients[i] = Open(theirs.BaseAddress, theirs.Timeout);
        }
    }

    /// <summary>An HTTP client that checks certificates as the options say.</summary>
    public HttpClient Open(Uri? address, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = timeout, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        if (_certificate is not null) handler.SslOptions.ClientCertificates = [_certificate];
        if (!_checks) handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        else if (_authorities is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.AddRange(_authorities);
            handler.SslOptions.CertificateChainPolicy = policy;
        }
        return new HttpClient(handler) { BaseAddress = address, Timeout = timeout, MaxResponseContentBufferSize = 16 << 20 };
    }

    /// <summary>The list is private to Confluent's client; a test with a CA of its own finds out where a newer version has changed
    /// shape.</summary>
    private static List<HttpClient> Clients(CachedSchemaRegistryClient client)
    {
        const BindingFlags Private = BindingFlags.Instance | BindingFlags.NonPublic;
        var service = typeof(CachedSchemaRegistryClient).GetField("restService", Private)?.GetValue(client);
        return service?.GetType().GetField("clients", Private)?.GetValue(service) as List<HttpClient>
            ?? throw new SchemaRegistryException($"Confluent.SchemaRegistry"
                + " {typeof(CachedSchemaRegistryClient).Assembly.GetName().Version} no "
                + "longer keeps its HTTP clients in RestService.clients. Build with the version that Directory.Packages.props names.");
    }
}
