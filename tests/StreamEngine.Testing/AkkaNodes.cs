namespace StreamEngine.Testing;

/// <summary>
/// Where the nodes of an Akka cluster are on this machine, and the settings with which engines form it and take requests.
/// </summary>
public sealed class AkkaNodes : IDisposable
{
    private readonly Dictionary<string, int> _ports = [];
    private readonly Dictionary<string, TcpProxy> _proxies = [];
    private readonly bool _proxied;
    private readonly string[] _seeds;

    /// <param name="seeds">The names of the nodes that are the seeds.</param>
    /// <param name="proxied">Whether nodes hear each other through proxies, which can be blocked.</param>
    public AkkaNodes(IEnumerable<string> seeds, bool proxied = false)
    {
        _proxied = proxied;
        _seeds = [.. seeds.Select(n => $"'127.0.0.1:{Ports(n).Address}'")];
    }

    /// <summary>The settings of a node: its address stays the same through all of its processes.</summary>
    public string[] Settings(string name)
    {
        var (address, bound) = Ports(name);
        return
        [
            "requests.enabled=true", "runtime.wrong_partition=refuse", $"cluster={{address: 127.0.0.1, port: {address}, "
                + $"bind_port: {bound}, seeds: [{string.Join(", ", _seeds)}]}}",
        ];
    }

    /// <summary>The nodes do not hear each other.</summary>
    public void Split()
    {
        foreach (var proxy in _proxies.Values) proxy.Block();
    }

    /// <summary>They hear each other again.</summary>
    public void Heal()
    {
        foreach (var proxy in _proxies.Values) proxy.Unblock();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var proxy in _proxies.Values) proxy.Dispose();
    }

    private (int Address, int Bound) Ports(string name)
    {
        lock (_ports)
        {
            if (!_ports.TryGetValue(name, out var bound))
            {
                while (_ports.ContainsValue(bound = FreePort.Find()))
                {
                    // The system may give the same one twice.
                }
                _ports[name] = bound;
                if (_proxied) _proxies[name] = new TcpProxy(bound);
            }
            return (_proxies.TryGetValue(name, out var proxy) ? proxy.Port : bound, bound);
        }
    }
}
