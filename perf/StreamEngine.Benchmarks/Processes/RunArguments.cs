using System.Globalization;

namespace StreamEngine.Benchmarks.Processes;

/// <summary>The arguments of a run: <c>--name value</c>, some of them more than once.</summary>
internal sealed class RunArguments
{
    private readonly List<(string Name, string Value)> _given = [];

    /// <exception cref="ArgumentException">An argument is unknown or has no value; names those there are.</exception>
    public RunArguments(string[] args, params string[] known)
    {
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!known.Contains(args[i]) || i + 1 == args.Length)
                throw new ArgumentException($"'{args[i]}' is no argument with a value. There are: "
                    + $"{string.Join(", ", known.Select(k => $"{k} VALUE"))}.");
            _given.Add((args[i], args[i + 1]));
        }
    }

    /// <summary>A whole number above 0.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public int Number(string name, int otherwise)
    {
        var given = All(name);
        if (given.Length == 0) return otherwise;
        return int.TryParse(given[^1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
            : throw new ArgumentException($"{name} {given[^1]}: give a whole number above 0.");
    }

    /// <summary>All values that a name was given.</summary>
    public string[] All(string name) => [.. _given.Where(g => g.Name == name).Select(g => g.Value)];
}
