using System.Text;
using Confluent.SchemaRegistry;
using StreamEngine.Configuration;
using StreamEngine.Events;

namespace StreamEngine.Connectors.SchemaRegistry;

/// <summary>What the config says in secret, or names a file for; and how to take all of it out of a text.</summary>
internal sealed class Secrets
{
    private readonly string _baseDirectory;
    private readonly SchemaOptions _options;
    private readonly ConfigErrors _errors;
    private readonly List<string> _all = [];

    public Secrets(SchemaOptions options, string baseDirectory, ConfigErrors errors)
    {
        (_options, _baseDirectory, _errors) = (options, baseDirectory, errors);
        if (options.Credentials is not null && options.BasicAuthUserInfo is not null)
            errors.Add(options.Node, "credentials", "it says the same as basic_auth_user_info", "Keep one of them.");
        UserInfo = Read(options.BasicAuthUserInfo ?? options.Credentials, options.BasicAuthUserInfoFile, "basic_auth_user_info");
        Token = Read(options.BearerAuthToken, options.BearerAuthTokenFile, "bearer_auth_token");
        ClientSecret = Read(options.BearerAuthClientSecret, options.BearerAuthClientSecretFile, "bearer_auth_client_secret");
        KeystorePassword = Read(options.SslKeystorePassword, options.SslKeystorePasswordFile, "ssl_keystore_password");
        CheckKinds();
        if (Token is not null && Token.Any(c => c is <= ' ' or > '~'))
            errors.Add(options.Node, "bearer_auth_token", "it is no token",
                "A token has letters, digits and signs of ASCII, and no spaces.");
        if (UserInfo is null) return;
        if (UserInfo.IndexOf(':') is var colon and > 0)
        {
            _all.Add(UserInfo[(colon + 1)..]);
            _all.Add(Convert.ToBase64String(Encoding.UTF8.GetBytes(UserInfo)));
        }
        else errors.Add(options.Node, "basic_auth_user_info", "it is not user:password", "Write the name, a colon and the password.");
    }

    /// <summary>User and password for basic authentication; null for none.</summary>
    public string? UserInfo { get; }

    /// <summary>The password of the keystore.</summary>
    public string? KeystorePassword { get; }

    private string? Token { get; }

    private string? ClientSecret { get; }

    /// <summary>What gives requests their bearer token; null where none is asked for.</summary>
    public IAuthenticationHeaderValueProvider? Bearer(SchemaOptions options, RegistryTransport transport)
    {
        if (Token is not null)
            return new StaticBearerAuthenticationHeaderValueProvider(Token, options.BearerAuthLogicalCluster,
                options.BearerAuthIdentityPoolId);
        return options.BearerAuthTokenEndpointUrl is { } endpoint
            ? new BearerAuthenticationHeaderValueProvider(transport.Open(null, options.RequestTimeout), options.BearerAuthClientId,
                ClientSecret, options.BearerAuthScope, endpoint, options.BearerAuthLogicalCluster, options.BearerAuthIdentityPoolId,
                maxRetries: 0, retriesWaitMs: 0, retriesMaxWaitMs: 0)
            : null;
    }

    /// <summary>A text without any secret, and without the token that was got for it.</summary>
    public string Mask(string text, IAuthenticationHeaderValueProvider? bearer)
    {
        foreach (var secret in _all.Append(Current(bearer)).OfType<string>().Where(s => s.Length > 0).OrderByDescending(s => s.Length))
            text = text.Replace(secret, "***", StringComparison.Ordinal)
                .Replace(Uri.EscapeDataString(secret), "***", StringComparison.Ordinal);
        return text;
    }

    private static string? Current(IAuthenticationHeaderValueProvider? bearer)
    {
        try
        {
            return bearer?.GetAuthenticationHeader()?.Parameter;
        }
        catch (InvalidOperationException)
        {
            return null; // there is none yet
        }
    }

    private void CheckKinds()
    {
        var oauth = _options.BearerAuthTokenEndpointUrl is not null || _options.BearerAuthClientId is not null || ClientSecret is not null;
        if ((UserInfo is null ? 0 : 1) + (Token is null ? 0 : 1) + (oauth ? 1 : 0) > 1)
            _errors.Add(_options.Node, "", "more than one way to authenticate is given",
                "Keep basic_auth_user_info, bearer_auth_token, or the OAuth client (bearer_auth_token_endpoint_url, _client_id,"
                    + " _client_secret).");
        if (!oauth) return;
        if (!Uri.TryCreate(_options.BearerAuthTokenEndpointUrl, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            _errors.Add(_options.Node, "bearer_auth_token_endpoint_url", "OAuth needs the URL of a token endpoint",
                "Write the URL where the client gets its tokens.");
        if (_options.BearerAuthClientId is null)
            _errors.Add(_options.Node, "bearer_auth_client_id", "OAuth needs a client's id", "Name the client.");
        if (ClientSecret is null)
            _errors.Add(_options.Node, "bearer_auth_client_secret", "OAuth needs the client's secret",
                "Set bearer_auth_client_secret_file, or the secret itself.");
    }

    private string? Read(string? value, string? file, string key)
    {
        if (file is null)
        {
            if (value is not null) _all.Add(value);
            return value;
        }
        if (value is not null) _errors.Add(_options.Node, $"{key}_file", $"{key} is given as well", "Keep one of them.");
        var text = SecretFile.Read(file, _baseDirectory, _options.Node, $"{key}_file", _errors);
        if (text is not null) _all.Add(text);
        return text;
    }
}
