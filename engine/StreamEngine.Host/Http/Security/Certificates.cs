using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StreamEngine.Host.Configuration;
using StreamEngine.Telemetry;

namespace StreamEngine.Host.Http.Security;

/// <summary>
/// The certificate that callers are shown, and what is said of theirs. The files are looked at again while connections come, so that a
/// renewed certificate needs no restart; where they can't be read then, the old one stays, and a warning says so.
/// </summary>
internal sealed class Certificates : IDisposable
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2"; // RFC 5280, section 4.2.1.12: id-kp-clientAuth
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly string _certificate, _key;
    private readonly string? _clientCa;
    private readonly TimeProvider _clock;
    private readonly Action<string>? _warn;
    private readonly Meter _meter = EngineMeter.Create();
    private readonly Lock _reading = new();
    private volatile Loaded _loaded;
    private long _lookedAt;
    private string _unreadable = "";   // what the files were when they could not be read last
    private bool _isTold;

    /// <param name="options">The files, which <see cref="HttpCheck"/> has found good.</param>
    /// <param name="folder">Where relative ones start.</param>
    /// <param name="clock">The time.</param>
    /// <param name="warn">Takes what the log should say.</param>
    public Certificates(TlsOptions options, string folder, TimeProvider clock, Action<string>? warn = null)
    {
        _warn = warn;
        (_certificate, _key) = (Path.Combine(folder, options.CertificateFile), Path.Combine(folder, options.KeyFile));
        _clientCa = options.ClientCaFile is { } file ? Path.Combine(folder, file) : null;
        _clock = clock;
        (_loaded, _lookedAt) = (Read(), clock.GetTimestamp());
        _meter.CreateObservableGauge("streamengine.http.certificate.expires",
            () => (Now().Own.NotAfter.ToUniversalTime() - _clock.GetUtcNow().UtcDateTime).TotalSeconds, "s",
            "Time until the certificate that callers are shown is over.");
    }

    /// <summary>What a connection that begins now is secured with.</summary>
    /// <param name="from">Where the caller is.</param>
    /// <param name="to">Which address of this machine it called.</param>
    public SslServerAuthenticationOptions ForConnection(EndPoint? from = null, EndPoint? to = null)
    {
        var isHere = from is IPEndPoint caller
            && (IPAddress.IsLoopback(caller.Address) || caller.Address.Equals((to as IPEndPoint)?.Address));
        var now = Now();
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = now.Context,
            ClientCertificateRequired = now.Authorities is not null, // asked for; who has none is judged by what it asks for
            // A resumed session has the caller's certificate without those between it and its root.
            AllowTlsResume = now.Authorities is null,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                certificate is null || certificate is X509Certificate2 of && now.Trusts(of, chain, isHere),
        };
    }

    /// <summary>Reads a certificate with its key, and those that follow it.</summary>
    /// <exception cref="CryptographicException">A file is no PEM, or the key is another one's.</exception>
    public static (X509Certificate2 Own, X509Certificate2Collection Between) ReadOwn(string certificate, string key)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(certificate);
        X509Certificate2 own;
        try
        {
            own = X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (ArgumentException e)
        {
            throw new CryptographicException("the key is not this certificate's", e);
        }
        return (own, [.. all.Where(c => c.Thumbprint != own.Thumbprint)]);
    }

    /// <summary>Reads certificates of authorities.</summary>
    /// <exception cref="CryptographicException">The file is no PEM, or holds no certificate.</exception>
    public static X509Certificate2Collection ReadAuthorities(string file)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(file);
        if (all.Count == 0) throw new CryptographicException("it holds no certificate");
        var other = all.FirstOrDefault(c => !c.SubjectName.RawData.AsSpan().SequenceEqual(c.IssuerName.RawData));
        return other is null ? all : throw new CryptographicException($"'{other.Subject}' is no root: write the one that has signed it");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private Loaded Now()
    {
        if (_clock.GetElapsedTime(Volatile.Read(ref _lookedAt)) < LookAgain) return _loaded;
        lock (_reading)
        {
            if (_clock.GetElapsedTime(_lookedAt) < LookAgain) return _loaded;
            Volatile.Write(ref _lookedAt, _clock.GetTimestamp());
            byte[]? written = null;
            try
            {
                written = Written();
                if (!written.SequenceEqual(_loaded.Written)) _loaded = Read();
                (_unreadable, _isTold) = ("", false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                Warn(written is null ? e.Message : Convert.ToHexString(written), e.Message);
            }
            return _loaded;
        }
    }

    /// <summary>
    /// Half of two files may be new, and the next look finds both: only what is there at two looks is told, and once.
    /// </summary>
    private void Warn(string state, string why)
    {
        if (state != _unreadable) (_unreadable, _isTold) = (state, false);
        else if (!_isTold)
        {
            _isTold = true;
            _warn?.Invoke($"the files of http.tls have changed and can't be read: {why.TrimEnd('.')}. Callers are still shown the old "
                + $"certificate, which is good until {_loaded.Own.NotAfter.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss'Z'}: mend "
                + $"{_certificate}, {_key}{(_clientCa is null ? "" : $" or {_clientCa}")}");
        }
    }

    private Loaded Read()
    {
        var written = Written();
        var (own, between) = ReadOwn(_certificate, _key);
        return new Loaded(own, SslStreamCertificateContext.Create(own, between, offline: true),
            _clientCa is null ? null : ReadAuthorities(_clientCa), written);
    }

    /// <summary>What stands in the files. Their times say nothing where they are links, as Kubernetes mounts secrets.</summary>
    private byte[] Written() =>
        SHA256.HashData([.. new[] { _certificate, _key, _clientCa }.OfType<string>().SelectMany(File.ReadAllBytes)]);

    private sealed record Loaded(X509Certificate2 Own, SslStreamCertificateContext Context, X509Certificate2Collection? Authorities,
        byte[] Written)
    {
        /// <summary>
        /// Whether an authority has signed it, for clients where it says for whom; the engine's own commands show the engine's own one, on
        /// its machine.
        /// </summary>
        public bool Trusts(X509Certificate2 certificate, X509Chain? sent, bool isHere)
        {
            if (Authorities is null || isHere && certificate.RawDataMemory.Span.SequenceEqual(Own.RawDataMemory.Span)) return true;
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(Authorities);
            if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ForClients));
            return chain.Build(certificate);
        }
    }
}
