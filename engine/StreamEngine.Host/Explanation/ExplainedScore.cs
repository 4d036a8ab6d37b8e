using System.ComponentModel;

namespace StreamEngine.Host.Explanation;

/// <summary>Why offers got their propensity from a model: what each feature has added to the score.</summary>
internal sealed record ExplainedScore
{
    [Description("The model.")]
    public required string Model { get; init; }

    [Description("The version that scored.")]
    public required string Version { get; init; }

    [Description("The model's output; empty where nothing is told.")]
    public string Output { get; init; } = "";

    [Description("The offers whose P the score is.")]
    public required IReadOnlyList<string> Offers { get; init; }

    [Description("Why nothing is told; empty where something is.")]
    public string Refusal { get; init; } = "";

    [Description("How it was computed: path_dependent or interventional (TreeSHAP), or linear.")]
    public string Method { get; init; } = "";

    [Description("What the score is compared with: training (its mean over the rows of the training) or new_customer (a customer of whom "
        + "nothing is known).")]
    public string ComparedWith { get; init; } = "";

    [Description("What the numbers are: log_odds, logit (before a softmax), or score where the sum is P itself.")]
    public string Unit { get; init; } = "";

    [Description("The score of what it is compared with, in that unit.")]
    public double Base { get; init; }

    [Description("The score in that unit: the base and all contributions together.")]
    public double Raw { get; init; }

    [Description("The same as a propensity.")]
    public double P { get; init; }

    [Description("The features that added or took most, the strongest first.")]
    public IReadOnlyList<ExplainedReason> Reasons { get; init; } = [];

    [Description("How many other features added or took something.")]
    public int OtherFeatures { get; init; }

    [Description("What those added together.")]
    public double Others { get; init; }
}

/// <summary>What a feature has added to a score.</summary>
/// <param name="Feature">The feature.</param>
/// <param name="Value">Its value.</param>
/// <param name="Contribution">What it added, in the score's unit; below 0 where it took.</param>
internal sealed record ExplainedReason(string Feature, double Value, double Contribution);
