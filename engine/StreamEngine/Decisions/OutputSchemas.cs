namespace StreamEngine.Decisions;

/// <summary>The schema ids of what the engine writes, as registered in <c>schemas/</c>.</summary>
public static class OutputSchemas
{
    /// <summary><c>action.avsc</c>.</summary>
    public const int Action = 101;

    /// <summary><c>decision.avsc</c>.</summary>
    public const int Decision = 104;

    /// <summary>
    /// <c>decision-1.avsc</c>, its first version, which says no origin: only read, from logs that an earlier version wrote.
    /// </summary>
    public const int DecisionWithoutOrigin = 102;

    /// <summary><c>dead-letter.avsc</c>.</summary>
    public const int DeadLetter = 103;
}
