using System.Net;
using System.Security.Cryptography;
using StreamEngine.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Configuration;

/// <summary>Checks the section <c>http</c>: the address, the keys, and that nobody else can call where there are none.</summary>
internal static class HttpCheck
{
    private const int HashDigits = 64;

    /// <summary>Adds every mistake.</summary>
    /// <param name="options">The section.</param>
    /// <param name="folder">The config's folder, where a relative file starts.</param>
    /// <param name="errors">Takes them.</param>
    public static void Check(HttpOptions options, string folder, ConfigErrors errors)
    {
        if (options.Address != "localhost" && !IPAddress.TryParse(options.Address, out _))
            errors.Add(options.Node, "address", $"'{options.Address}' is no address to listen on",
                "Write an IP address, 0.0.0.0 for all, or localhost");
        else if (options is { Port: > 0, Keys.Count: 0, Jwt: null, Tls: null or { ClientCaFile: null } } && !IsLoopback(options.Address))
            errors.Add(options.Node, "address", "other machines could reach this address, and there is no key: anybody there could read "
                + "profiles and end the engine", "Make a key with `streamengine keys new NAME --scope ...` and put the line that it prints "
                + "under http.keys, or listen on 127.0.0.1");
        if (options.GrpcPort > 0 && options.GrpcPort == options.Port)
            errors.Add(options.Node, "grpc_port", $"port {options.Port} is http.port's already",
                "Give gRPC a port of its own: without TLS one port has either HTTP/1.1 or HTTP/2");
        if (options is { GrpcPort: > 0, Port: 0 })
            errors.Add(options.Node, "grpc_port", "gRPC is served beside the HTTP endpoints, which http.port: 0 turns off",
                "Give http.port a port as well, or turn gRPC off");
        Origins.Check(options.Origins, options.Node, errors);
        var seen = new Dictionary<string, string>();
        foreach (var key in options.Keys) CheckKey(key, seen, errors);
        if (options.Jwt is { } jwt) CheckJwt(jwt, folder, errors);
        if (options.Tls is { } tls) CheckTls(tls, folder, errors);
    }

    private static void CheckTls(TlsOptions tls, string folder, ConfigErrors errors)
    {
        if (tls.CertificateFile.Length == 0)
            errors.Add(tls.Node, "certificate_file", "it is missing", "Name the file with the certificate (PEM)");
        if (tls.KeyFile.Length == 0) errors.Add(tls.Node, "key_file", "it is missing", "Name the file with the private key (PEM)");
        if (tls is { CertificateFile.Length: > 0, KeyFile.Length: > 0 })
            Read("certificate_file", $"'{tls.CertificateFile}' and '{tls.KeyFile}' can't be read as a certificate and its key", () =>
            {
                var own = Certificates.ReadOwn(Path.Combine(folder, tls.CertificateFile), Path.Combine(folder, tls.KeyFile)).Own;
                if (own.NotAfter.ToUniversalTime() < TimeProvider.System.GetUtcNow().UtcDateTime)
                    errors.Add(tls.Node, "certificate_file", $"the certificate is over since {own.NotAfter.ToUniversalTime():u}",
                        "Have it renewed");
            });
        if (tls.ClientCaFile is { } file)
            Read("client_ca_file", $"'{file}' can't be read as certificates of authorities",
                () => Certificates.ReadAuthorities(Path.Combine(folder, file)));

        void Read(string key, string otherwise, Action read)
        {
            try
            {
                read();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                errors.Add(tls.Node, key, $"{otherwise}: {e.Message}",
                    "Write PEM files, the key without a password, that this process may read; paths are relative to the config file");
            }
        }
    }

    private static void CheckJwt(JwtOptions jwt, string folder, ConfigErrors errors)
    {
        if (jwt.Issuer.Length == 0)
            errors.Add(jwt.Node, "issuer", "it is missing", "Write the provider's address as its tokens name it in iss");
        else if (jwt.KeysFile is null && (!Uri.TryCreate(jwt.Issuer, UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttps && !TokenKeys.IsThisMachine(uri))))
            errors.Add(jwt.Node, "issuer", $"'{jwt.Issuer}' is no https address, so that its keys could be anybody's",
                "Write an https address, or name a file with the keys (keys_file)");
        if (jwt.Audiences.Count == 0)
            errors.Add(jwt.Node, "audiences", "none is given, so that tokens for any service of the provider would be taken",
                "Write what tokens for this engine have in aud");
        if (jwt.KeysFile is not { } file) return;
        try
        {
            TokenKeys.Read(File.ReadAllText(Path.Combine(folder, file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add(jwt.Node, "keys_file", $"'{file}' can't be read as a JSON Web Key Set: {e.Message}",
                "Write a file with the provider's jwks_uri's contents; paths are relative to the config file");
        }
    }

    private static void CheckKey(KeyOptions key, Dictionary<string, string> seen, ConfigErrors errors)
    {
        // The value is not shown: it may be the key itself, written here by mistake.
        if (key.Sha256.Length != HashDigits || !key.Sha256.All(char.IsAsciiHexDigit))
            errors.Add(key.Node, "sha256", "this is no SHA-256, which has 64 hex digits",
                "Write the hash that `streamengine keys new` prints; should this be a key, it is known to all who read the config: make "
                + "another one");
        else if (!seen.TryAdd(key.Sha256.ToLowerInvariant(), key.Name))
            errors.Add(key.Node, "sha256", $"it is the same key as '{seen[key.Sha256.ToLowerInvariant()]}'",
                "Give every caller a key of its own, so that one can be taken back alone");
        if (key.Scopes.Count == 0)
            errors.Add(key.Node, "scopes", "the key may do nothing", "Name what it may do: [collect], [decide, read], [admin], ...");
    }

    private static bool IsLoopback(string address) =>
        address == "localhost" || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));
}
