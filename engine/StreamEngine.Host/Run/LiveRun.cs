using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Live;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Run;

/// <summary>The live streams of a running engine.</summary>
internal static class LiveRun
{
    /// <summary>The streams that the config describes; null where it describes none.</summary>
    /// <exception cref="ConfigException">The secret can't be read, or is too short.</exception>
    public static LiveStreams? Of(LoadedConfig config, Engine engine, ClusterRun? cluster)
    {
        if (config.Options.Live is not { } options) return null;
        var errors = new ConfigErrors();
        var secret = options.TokenKeyFile is { } file
            ? Encoding.UTF8.GetBytes(SecretFile.Read(file, config.BaseDirectory, options.Node, "token_key_file", errors) ?? "")
            : LiveTokens.NewSecret();
        if (!errors.Any && secret.Length < LiveTokens.LeastSecretBytes)
            errors.Add(options.Node, "token_key_file",
                $"the secret has fewer than {LiveTokens.LeastSecretBytes} bytes: it could be guessed",
                "Write a long random text into the file, such as 'openssl rand -hex 32' prints");
        errors.ThrowIfAny();
        var requests = config.Options.Requests;
        return new LiveStreams(options, cluster is not null
            ? new LiveSources(cluster.Feed, cluster.Customers, _ => true, requests.Remember, requests.Recent)
            : new LiveSources(engine.Feed!, engine.Customers!, id => IsHere(engine.Directory!, id), requests.Remember,
                requests.Recent), secret, TimeProvider.System);
    }

    private static bool IsHere(ShardDirectory shards, string customer) =>
        shards.Find(shards.PartitionOf(Encoding.UTF8.GetBytes(customer))) is not null;
}
