using System.Security.Cryptography.X509Certificates;
using StreamEngine.Cluster;
using StreamEngine.Configuration;
using StreamEngine.Tests.Events;
using Xunit;
using static StreamEngine.Tests.Cluster.Membership.TestNode;

namespace StreamEngine.Tests.Cluster.Membership;

/// <summary>TLS between nodes, with certificates of authorities of the test's own.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-tls-").FullName;
    private readonly Certificates _ours = new("ours"), _others = new("others");

    public void Dispose()
    {
        _ours.Dispose();
        _others.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Nodes_with_certificates_of_one_authority_form_a_cluster_and_others_stay_out()
    {
        var ports = FreePorts(3);
        await using var a = Start("a", Options(ports[0], ports[0]) with { Tls = Pfx("a", _ours, _ours, "secret") });
        await using var b = Start("b", Options(ports[1], ports[0]) with { Tls = Pem("b", _ours) });
        await Formed(a, b);
        // Its own authority is another one; it would trust ours, and so its connection shows whether they trust it.
        await using var c = Start("c", Options(ports[2], ports[0]) with { Tls = Pfx("c", _others, _ours) });
        await Until(() => a.Lines.Contains("comes from none of cluster.tls.authority", StringComparison.Ordinal), a, c);
        Assert.False(c.Node.View.IsUp);
        await Formed(a, b);
    }

    [Fact]
    public async Task A_node_without_TLS_stays_out()
    {
        var ports = FreePorts(2);
        await using var a = Start("a", Options(ports[0], ports[0]) with { Tls = Pfx("a", _ours, _ours) });
        await Formed(a);
        await using var b = Start("b", Options(ports[1], ports[0]));
        await Until(() => b.Lines.Contains("Akka: ", StringComparison.Ordinal), a, b);
        Assert.False(b.Node.View.IsUp);
    }

    [Fact]
    public void A_wrong_password_and_a_missing_key_are_told_at_the_start()
    {
        var right = Pfx("a", _ours, _ours, "secret");
        Assert.Empty(Check(right));
        Assert.Contains("tls.certificate: '", Assert.Single(Check(right with { Password = "other" })), StringComparison.Ordinal);
        Assert.Contains("can't be used", Assert.Single(Check(right with { Authority = right.Certificate })), StringComparison.Ordinal);
        var keyless = new ClusterTlsOptions { Certificate = Authority(_ours) };
        Assert.Contains("can't be used", Assert.Single(Check(keyless)), StringComparison.Ordinal);
    }

    private IEnumerable<string> Check(ClusterTlsOptions options)
    {
        var errors = new ConfigErrors();
        StreamEngine.Cluster.Membership.TlsFiles.Of(options, _folder, errors)!.Check(options with
        {
            Node = new ConfigNode(
            new ConfigLocation("shop.yaml", 7, 3, "cluster.tls"))
        }, errors);
        return errors.All.Select(e => e.ToString());
    }

    private ClusterTlsOptions Pfx(string name, Certificates by, Certificates trusts, string? password = null)
    {
        using var certificate = by.For("localhost");
        File.WriteAllBytes(Path.Combine(_folder, $"{name}.pfx"), certificate.Export(X509ContentType.Pkcs12, password));
        var path = Path.Combine(_folder, $"{name}.pfx");
        return new ClusterTlsOptions { Certificate = path, Password = password, Authority = Authority(trusts) };
    }

    private ClusterTlsOptions Pem(string name, Certificates by)
    {
        using var certificate = by.For("localhost");
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(_folder, $"{name}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        return new ClusterTlsOptions
        {
            Certificate = Path.Combine(_folder, $"{name}.pem"),
            Key = Path.Combine(_folder, $"{name}.key"),
            Authority = Authority(by)
        };
    }

    private string Authority(Certificates of)
    {
        var path = Path.Combine(_folder, $"{(of == _ours ? "ours" : "others")}.ca.pem");
        File.WriteAllText(path, of.Pem);
        return path;
    }
}
