using System.Security.Cryptography;
using System.Text;
using StreamEngine.Host.Configuration;

namespace StreamEngine.Host.Http.Security;

/// <summary>Who calls.</summary>
/// <param name="Name">The key's name, or whose token it is.</param>
/// <param name="Scopes">What the caller may do.</param>
/// <param name="Rate">Requests a second; 0 for no limit.</param>
/// <param name="ByToken">Whether it has shown a token, and no key.</param>
internal sealed record Caller(string Name, IReadOnlyList<Scope> Scopes, int Rate, bool ByToken = false)
{
    /// <summary>How messages call it.</summary>
    public string Title => ByToken ? $"token of '{Name}'" : $"key '{Name}'";

    /// <summary>Whether it may do this.</summary>
    public bool May(Scope scope) => Scopes.Contains(scope) || Scopes.Contains(Scope.Admin);

    /// <summary>Whether it may do nothing but write events, as a key that pages show to everybody.</summary>
    public bool OnlyCollects => Scopes.All(s => s == Scope.Collect);
}

/// <summary>The keys of the config, by their hashes.</summary>
internal sealed class KeyRing(IReadOnlyList<KeyOptions> keys)
{
    /// <summary>What a key begins with, so that people and scanners know one when they see it.</summary>
    public const string Prefix = "sek_";

    private const int LongestKey = 256;

    private readonly (byte[] Hash, Caller Caller)[] _keys =
        [.. keys.Select(k => (Convert.FromHexString(k.Sha256), new Caller(k.Name, k.Scopes, k.Rate)))];

    /// <summary>Whether there is a key: else only this machine can call, and needs none.</summary>
    public bool Any => _keys.Length > 0;

    /// <summary>
    /// Who presents this key; null for nobody. Its hash is compared with all, each in constant time, so that the time tells nothing.
    /// </summary>
    public Caller? Find(string presented)
    {
        if (presented.Length is 0 or > LongestKey) return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(presented), hash);
        Caller? found = null;
        foreach (var (known, caller) in _keys)
            if (CryptographicOperations.FixedTimeEquals(known, hash)) found = caller;
        return found;
    }

    /// <summary>A new key, of 32 random bytes, and its hash for the config. So much chance needs no slow hash.</summary>
    public static (string Key, string Sha256) New()
    {
        var key = Prefix + System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return (key, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
    }
}
