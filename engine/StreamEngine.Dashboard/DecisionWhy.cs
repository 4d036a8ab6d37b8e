namespace StreamEngine.Dashboard;

/// <summary>Why a decision came out as it did, beside what its record says.</summary>
/// <param name="Sentences">The way to the choice, in words.</param>
/// <param name="Scores">What features added to each score that gave offers their P.</param>
/// <param name="Fault">Why nothing is told; empty where something is.</param>
public sealed record DecisionWhy(IReadOnlyList<string> Sentences, IReadOnlyList<ScoreReasons> Scores, string Fault = "");

/// <summary>What features added to a score.</summary>
/// <param name="Model">The model and its version.</param>
/// <param name="Offers">The offers whose P the score is.</param>
/// <param name="Text">What the score is, and what it is compared with; or why nothing is told.</param>
/// <param name="Features">The features, the strongest first; empty where nothing is told.</param>
public sealed record ScoreReasons(string Model, IReadOnlyList<string> Offers, string Text, IReadOnlyList<FeatureReason> Features);

/// <summary>What a feature added to a score.</summary>
/// <param name="Feature">The feature; of all that are not told one by one, how many they are.</param>
/// <param name="Value">Its value; null where it stands for several.</param>
/// <param name="Contribution">What it added, in the score's unit; below 0 where it took.</param>
public sealed record FeatureReason(string Feature, double? Value, double Contribution);
