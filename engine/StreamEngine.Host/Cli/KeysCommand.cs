using System.CommandLine;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Cli;

/// <summary><c>keys new</c>: makes a key for the HTTP endpoints and the line by which the config knows it.</summary>
internal static class KeysCommand
{
    private static readonly string[] Words = [.. Enum.GetNames<Scope>().Select(Spelling.Snake)];

    private static readonly Argument<string> KeyName = new("NAME")
    {
        Description = "What the key is called in the config and in metrics.",
        Validators =
        {
            r =>
            {
                if (r.Tokens.Count > 0 && !r.Tokens[0].Value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                    r.AddError("A key's name has letters, digits, '-' and '_'.");
            },
        },
    };

    private static readonly Option<string[]> Scopes = new("--scope")
    {
        Description = "What it may do: collect, decide, read or admin; may be given several times.",
        HelpName = "SCOPE",
        Required = true,
        Validators =
        {
            r =>
            {
                foreach (var token in r.Tokens.Where(t => !Words.Contains(t.Value)))
                    r.AddError($"--scope takes {string.Join(", ", Words)}, not '{token.Value}'.");
            },
        },
    };

    public static (Command All, Command New) Make()
    {
        var make = new Command("new", "Makes a key: prints it this once, and the line of the config that lets it in.") { KeyName, Scopes };
        Scopes.CompletionSources.Add(Words);
        return (new Command("keys", "Keys for the HTTP endpoints.") { Invocation.Act(make, New) }, make);
    }

    private static int New(Invocation call)
    {
        var (key, hash) = KeyRing.New();
        var scopes = call.Get(Scopes)!.Distinct().ToList();
        if (call.Json)
        {
            call.Print(new JsonObject
            {
                ["name"] = call.Get(KeyName),
                ["key"] = key,
                ["sha256"] = hash,
                ["scopes"] = new JsonArray([.. scopes.Select(s => JsonValue.Create(s))]),
            });
            return ExitCode.Done;
        }
        call.Out.WriteLine(key);
        call.Say(LogLevel.Info, "this key is shown only now; it is let in by this line of the config:");
        call.Error.WriteLine($"http:\n  keys:\n    {call.Get(KeyName)}: {{ sha256: {hash}, scopes: [{string.Join(", ", scopes)}] }}");
        return ExitCode.Done;
    }
}
