namespace StreamEngine.Inference;

/// <summary>Why a model's score is not used for an offer. The names, in snake case, are the metric's labels.</summary>
public enum ScoreFault : byte
{
    /// <summary>It is used.</summary>
    None,

    /// <summary>The model's run failed on the row.</summary>
    Failed,

    /// <summary>An output of the row is NaN or infinite, or a whole-number input had a missing value.</summary>
    NotANumber,

    /// <summary>The score is no probability: it is less than 0 or more than 1.</summary>
    OutOfRange,

    /// <summary>The model is switched off.</summary>
    SwitchedOff,
}
