using System.Text.Json.Nodes;

namespace StreamEngine.Decisions;

/// <summary>
/// The schemas of what the engine writes (<c>schemas/</c>), and the ids that frame them where no registry over a network gives others.
/// </summary>
public static class OutputSchemas
{
    /// <summary><c>action.avsc</c>.</summary>
    public const int Action = 109;

    /// <summary><c>action-2.avsc</c>, its second version, which says no probability of the choice: only read.</summary>
    public const int ActionWithoutProbability = 107;

    /// <summary><c>action-1.avsc</c>, its first version, which knows no experiments: only read.</summary>
    public const int ActionWithoutAssignments = 101;

    /// <summary><c>decision.avsc</c>.</summary>
    public const int Decision = 113;

    /// <summary>
    /// <c>decision-5.avsc</c>, its fifth version, which knows neither shared numbers nor decisions that wait for the end of quiet hours:
    /// only read, from logs that an earlier version wrote.
    /// </summary>
    public const int DecisionWithoutShared = 110;

    /// <summary>
    /// <c>decision-4.avsc</c>, its fourth version, which says the probability of the chosen candidate only: only read, from logs that an
    /// earlier version wrote.
    /// </summary>
    public const int DecisionWithoutProbabilities = 106;

    /// <summary>
    /// <c>decision-3.avsc</c>, its third version, which knows no experiments: only read, from logs that an earlier version wrote.
    /// </summary>
    public const int DecisionWithoutAssignments = 105;

    /// <summary>
    /// <c>decision-2.avsc</c>, its second version, which knows no switches: only read, from logs that an earlier version wrote.
    /// </summary>
    public const int DecisionWithoutSwitches = 104;

    /// <summary>
    /// <c>decision-1.avsc</c>, its first version, which says no origin: only read, from logs that an earlier version wrote.
    /// </summary>
    public const int DecisionWithoutOrigin = 102;

    /// <summary><c>dead-letter.avsc</c>.</summary>
    public const int DeadLetter = 103;

    /// <summary><c>outcome.avsc</c>: written where the config has identifiers.</summary>
    public const int Outcome = 112;

    /// <summary><c>outcome-1.avsc</c>, its first version, without identifiers: written where the config has none.</summary>
    public const int OutcomeWithoutIdentifiers = 108;

    /// <summary><c>audience.avsc</c>.</summary>
    public const int Audience = 111;

    private const string Ending = ".avsc";

    /// <summary>The names of all schemas that the program brings along, the demo's events' among them.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(OutputSchemas).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(Ending, StringComparison.Ordinal))
            .Select(n => n[..^Ending.Length]).Order(StringComparer.Ordinal)];

    /// <summary>A schema as its file has it.</summary>
    /// <param name="name">One of <see cref="Names"/>, as <c>dead-letter</c>.</param>
    public static string Text(string name)
    {
        using var stream = typeof(OutputSchemas).Assembly.GetManifestResourceStream(name + Ending)
            ?? throw new ArgumentException($"There is no schema {name}.avsc.", nameof(name));
        using var text = new StreamReader(stream);
        return text.ReadToEnd();
    }

    /// <summary>The names of a schema and of its earlier versions, the newest first.</summary>
    public static IEnumerable<string> Versions(string name) => Names
        .Where(n => n.StartsWith($"{name}-", StringComparison.Ordinal) && n[(name.Length + 1)..].All(char.IsAsciiDigit))
        .OrderDescending(StringComparer.Ordinal).Prepend(name);

    /// <summary>
    /// The decision's schema with the names of a config's features, in the order of the vector, as the property <c>names</c> of the field
    /// <c>features</c>: a consumer that reads by the writer's schema has them at hand, and no record grows by them.
    /// </summary>
    public static string DecisionOf(IReadOnlyList<string> features)
    {
        var schema = JsonNode.Parse(Text("decision"))!;
        var field = schema["fields"]!.AsArray().First(f => (string)f!["name"]! == "features")!;
        field["names"] = new JsonArray([.. features.Select(f => JsonValue.Create(f))]);
        return schema.ToJsonString();
    }
}
