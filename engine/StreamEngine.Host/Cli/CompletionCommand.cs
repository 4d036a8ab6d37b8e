using System.CommandLine;
using System.Globalization;

namespace StreamEngine.Host.Cli;

/// <summary>
/// <c>completion SHELL</c> prints what a shell needs to complete command lines. The shell then asks <c>streamengine "[suggest:POSITION]"
/// "LINE"</c>, as System.CommandLine and dotnet-suggest have it; where that has no answer, files are completed.
/// </summary>
internal static class CompletionCommand
{
    private const string Directive = "[suggest";

    private const string Bash = """
        _streamengine() {
          local cur="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$cur"))
        }
        complete -o default -F _streamengine streamengine

        """;

    private const string Zsh = """
        #compdef streamengine
        _streamengine() {
          local -a words_found
          words_found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
          words_found=(${words_found:#})
          (( ${#words_found} )) && compadd -- "${words_found[@]}" || _files
        }
        compdef _streamengine streamengine

        """;

    private const string Fish = """
        function __streamengine_suggest
          set -l line (commandline -cp)
          set -l command (commandline -opc)[1]
          $command "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c streamengine -a '(__streamengine_suggest)'

        """;

    private static readonly Argument<string> Shell = new("SHELL") { Description = "bash, zsh or fish." };

    public static Command Make()
    {
        Shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return Invocation.Act(new Command("completion", "Prints the script with which a shell completes streamengine's command lines.")
        { Shell }, call =>
        {
            call.Out.Write(call.Get(Shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Task.FromResult(ExitCode.Done);
        });
    }

    /// <summary>Answers a shell: whether the words are its question, and then what could stand at the position, a line each.</summary>
    public static bool Answer(Command root, string[] words, TextWriter output)
    {
        if (words.Length == 0 || !words[0].StartsWith(Directive, StringComparison.Ordinal) || !words[0].EndsWith(']')) return false;
        var line = words.Length > 1 ? words[1] : "";
        var given = words[0][Directive.Length..^1].TrimStart(':');
        if (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var position) || position > line.Length)
            position = line.Length;
        // The program's own name may have a path; the parser knows it without.
        var end = line.IndexOf(' ', StringComparison.Ordinal);
        var arguments = end < 0 ? "" : line[end..];
        var items = root.Parse(root.Name + arguments).GetCompletions(position - line.Length + root.Name.Length + arguments.Length);
        foreach (var item in items.Select(i => i.InsertText ?? i.Label))
            if (!item.StartsWith('/') && item != "-?") output.WriteLine(item); // other spellings of --help
        return true;
    }
}
