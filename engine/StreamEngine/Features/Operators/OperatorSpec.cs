namespace StreamEngine.Features;

/// <summary>Whether an operator takes <c>of</c>.</summary>
internal enum OperandNeed
{
    /// <summary>It looks at events alone.</summary>
    None,

    /// <summary>A number, or the events alone.</summary>
    Optional,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A text or a number, of which a hash is taken.</summary>
    Text,

    /// <summary>A number, or a text, which is then the feature's value.</summary>
    NumberOrText,

    /// <summary>A text, or a number as its digits, which is kept.</summary>
    Name,
}

/// <summary>The windows that an operator can have.</summary>
[Flags]
internal enum WindowKinds
{
    Lifetime = 1,
    Panes = 2,
    Session = 4,
    All = Lifetime | Panes | Session,
}

/// <summary>What an operator takes from the config, and how it becomes columns and values of the feature vector.</summary>
/// <param name="Op">The operator.</param>
/// <param name="Compile">Reserves its columns and adds its values, one for each of <see cref="Suffixes"/>.</param>
internal sealed record OperatorSpec(FeatureOperator Op, Action<OperatorPlan> Compile)
{
    /// <summary>Whether it takes an operand.</summary>
    public OperandNeed Of { get; init; }

    /// <summary>Whether it adds values up, so that <c>scale</c> says something.</summary>
    public bool Adds { get; init; }

    /// <summary>Whether it is about events as such, so that it can't go over the items of their lists.</summary>
    public bool IsOfEvents { get; init; }

    /// <summary>The unit of its values where the config gives none; null where it measures no time.</summary>
    public TimeUnit? Unit { get; init; }

    /// <summary>The windows that it can have.</summary>
    public WindowKinds Windows { get; init; } = WindowKinds.All;

    /// <summary>Whether it keeps distinct days, which are known for as far back as <see cref="DaysCell.Reach"/>.</summary>
    public bool KeepsDays { get; init; }

    /// <summary>What its names in the vector end with; one empty text where it has a single value under the feature's own name.</summary>
    public IReadOnlyList<string> Suffixes { get; init; } = [""];
}
