using StreamEngine.Configuration;

namespace StreamEngine.Events;

/// <summary>What a start does while the registry does not answer.</summary>
public enum RegistryAway
{
    /// <summary>Says so and starts; what would have been checked is not.</summary>
    GoOn,

    /// <summary>Says so and waits.</summary>
    Wait,
}

/// <summary>Where schemas are found. The registry's own options are named as Confluent's clients name theirs.</summary>
[Doc("Where Avro schemas are found: a folder of <id>.avsc files with subjects, or the URL of a Confluent-compatible registry.")]
public sealed record SchemaOptions : ILocated
{
    [Doc("A folder (relative to the config file), or the http(s) URL of a registry; several URLs of one registry, separated by commas, are "
        + "asked in turn.")]
    public string Registry { get; init; } = "schemas";

    [Doc("An older name of basic_auth_user_info.")]
    public string? Credentials { get; init; }

    [Doc("User and password for basic authentication, as user:password; prefer the file or the environment variable.")]
    public string? BasicAuthUserInfo { get; init; }

    [Doc("A file with user:password, in the place of basic_auth_user_info.")]
    public string? BasicAuthUserInfoFile { get; init; }

    [Doc("A bearer token that does not change; prefer the file or the environment variable.")]
    public string? BearerAuthToken { get; init; }

    [Doc("A file with the token, in the place of bearer_auth_token; read at the start.")]
    public string? BearerAuthTokenFile { get; init; }

    [Doc("OAuth 2.0 client credentials: where tokens are asked for. Needs client id and secret.")]
    public string? BearerAuthTokenEndpointUrl { get; init; }

    [Doc("The OAuth client's id.")]
    public string? BearerAuthClientId { get; init; }

    [Doc("The OAuth client's secret; prefer the file or the environment variable.")]
    public string? BearerAuthClientSecret { get; init; }

    [Doc("A file with the secret, in the place of bearer_auth_client_secret.")]
    public string? BearerAuthClientSecretFile { get; init; }

    [Doc("The OAuth scope to ask for, where the token endpoint wants one.")]
    public string? BearerAuthScope { get; init; }

    [Doc("Confluent Cloud: the registry's logical cluster (lsrc-...), sent with a bearer token.")]
    public string? BearerAuthLogicalCluster { get; init; }

    [Doc("Confluent Cloud: the identity pool, sent with a bearer token.")]
    public string? BearerAuthIdentityPoolId { get; init; }

    [Doc("A PEM file with the certificates that the registry's and the token endpoint's certificate must come from, in the place of the "
        + "system's.")]
    public string? SslCaLocation { get; init; }

    [Doc("A PKCS#12 file with the client's certificate and key, for a registry that asks for one.")]
    public string? SslKeystoreLocation { get; init; }

    [Doc("The keystore's password; prefer the file or the environment variable.")]
    public string? SslKeystorePassword { get; init; }

    [Doc("A file with the keystore's password, in the place of ssl_keystore_password.")]
    public string? SslKeystorePasswordFile { get; init; }

    [Doc("Whether the registry's certificate and host name are checked; false only to look for a fault.")]
    public bool EnableSslCertificateVerification { get; init; } = true;

    [Doc("How long one request to one URL may take.")]
    [Bounds(0.01, 300)]
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    [Doc("How long a record may wait for a registry that does not answer; after it, its schema counts as unknown, and the record goes to "
        + "the dead letter. 0 waits until the registry answers.")]
    [Bounds(0, 86_400 * 7)]
    public TimeSpan Patience { get; init; } = TimeSpan.Zero;

    [Doc("What a start does while the registry does not answer: go_on (what would have been checked is not, and the log says so) or wait.")]
    public RegistryAway AtStart { get; init; } = RegistryAway.GoOn;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;

    /// <summary>Where it is, and nothing of the secrets.</summary>
    public override string ToString() => $"schemas of {Registry}";
}
