using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace StreamEngine.Cluster.Membership;

/// <summary>TLS of Akka's transport by this node's files.</summary>
internal static class TlsSetup
{
    /// <summary>Reads the files.</summary>
    /// <exception cref="IOException">A file can't be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file holds nothing that fits.</exception>
    public static DotNettySslSetup Make(TlsFiles files, ClusterTlsOptions options)
    {
        var authorities = files.Authorities();
        return new DotNettySslSetup(files.Certificate(), suppressValidation: false, options.Mutual, options.CheckHost,
            authorities is null ? null : (certificate, chain, peer, faults, log) =>
                Passes(certificate, authorities, options.CheckHost, peer, faults, log));
    }

    /// <summary>
    /// Whether a certificate comes from one of the authorities: Akka itself knows those of the system only. Its name is checked of a node
    /// that was connected to; of one that connects, nobody knows which name it should have.
    /// </summary>
    private static bool Passes(X509Certificate2? certificate, X509Certificate2Collection authorities, bool checkHost, string peer,
        SslPolicyErrors faults, ILoggingAdapter log)
    {
        if (certificate is null)
        {
            log.Warning("a node showed no certificate: {0}", peer);
            return false;
        }
        if (checkHost && faults.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            log.Warning("the certificate of {0} is for another name: {1}", peer, certificate.Subject);
            return false;
        }
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck }
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        if (chain.Build(certificate)) return true;
        log.Warning("the certificate of {0} ({1}) comes from none of cluster.tls.authority, or is not valid now: {2}", peer,
            certificate.Subject, string.Join(", ", chain.ChainStatus.Select(s => s.Status)));
        return false;
    }
}
