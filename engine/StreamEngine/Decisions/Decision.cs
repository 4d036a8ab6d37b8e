using StreamEngine.Inference;

namespace StreamEngine.Decisions;

/// <summary>How a decision ended. The names, in snake case, are the record's symbols and the metric's labels.</summary>
public enum Outcome : byte
{
    /// <summary>No decision: a mark in the decision log.</summary>
    None,

    /// <summary>An offer was chosen and is shown.</summary>
    Served,

    /// <summary>An offer would have been chosen, but the customer is in the holdout: nothing is shown.</summary>
    Holdout,

    /// <summary>The customer does not consent to the purpose of decisions: no candidate was looked at.</summary>
    NoConsent,

    /// <summary>No candidate was left, and the default offer was not possible either.</summary>
    NoOffer,

    /// <summary>Everything is switched off: no candidate was looked at.</summary>
    SwitchedOff,
}

/// <summary>Why a candidate was not chosen. The names, in snake case, are the record's reasons and the metric's labels.</summary>
public enum DropReason : byte
{
    /// <summary>Not dropped: it is the chosen one.</summary>
    None,

    /// <summary>It may not be shown in this placement.</summary>
    Placement,

    /// <summary>The <c>eligible</c> rule says no.</summary>
    NotEligible,

    /// <summary>The <c>applicable</c> rule says no.</summary>
    NotApplicable,

    /// <summary>The <c>suitable</c> rule says no.</summary>
    NotSuitable,

    /// <summary>A cap over the customer's offers is reached.</summary>
    CustomerCap,

    /// <summary>A cap on this offer is reached.</summary>
    OfferCap,

    /// <summary>Its priority is no finite number (a value, context or lever expression gave infinity or no number).</summary>
    BadPriority,

    /// <summary>Another candidate had the higher priority or was drawn, or the default offer went before it.</summary>
    LostArbitration,

    /// <summary>It won, but the customer is in the holdout.</summary>
    Holdout,

    /// <summary>The customer does not consent: it was not looked at.</summary>
    NoConsent,

    /// <summary>It is switched off, or its channel is, or everything.</summary>
    SwitchedOff,

    /// <summary>Better ones of its group have taken all the places that the group may have.</summary>
    Diversity,

    /// <summary>The customer's variation of an experiment goes without it.</summary>
    Experiment,

    /// <summary>The customer is in the offer's own holdout.</summary>
    OfferHoldout,

    /// <summary>A cap on the offers of its channel is reached.</summary>
    ChannelCap,

    /// <summary>A cap on the offers of its group is reached.</summary>
    GroupCap,

    /// <summary>It rests, since as many outcomes came as a suppression allows.</summary>
    Suppressed,

    /// <summary>Its channel is quiet at this hour.</summary>
    QuietHours,

    /// <summary>It costs more than is left of a budget by now.</summary>
    Budget,
}

/// <summary>Where a candidate's P came from.</summary>
public enum PropensitySource : byte
{
    /// <summary>No P was needed: the candidate was dropped before arbitration.</summary>
    None,

    /// <summary>The offer has no model: its default.</summary>
    Fixed,

    /// <summary>The model's output.</summary>
    Model,

    /// <summary>The model is switched off, failed on this row, or its output is outside 0 to 1: the offer's default.</summary>
    Fallback,

    /// <summary>
    /// What the offer has earned in the placement, which learns: the mean that is believed. Of a value P is 1, and V the mean.
    /// </summary>
    Learned,
}

/// <summary>What was decided and why: reused from decision to decision, one entry per offer in config order.</summary>
public sealed class Decision(DecisionPolicy policy)
{
    /// <summary>The longest placement, bytes; of a longer text the beginning is taken, with "…" behind it.</summary>
    public const int MaxPlacementBytes = 1_024;

    private readonly byte[] _placement = new byte[MaxPlacementBytes];
    private int _placementLength;

    /// <summary>How it ended.</summary>
    public Outcome Outcome;

    /// <summary>The chosen offer's index; -1 where nothing is shown.</summary>
    public int Chosen = -1;

    /// <summary>Whether the default offer was taken instead of arbitration's best.</summary>
    public bool IsDefault;

    /// <summary>The probability with which this outcome had to come out, for off-policy evaluation: 1 where nothing was drawn.</summary>
    public double SelectionProbability;

    /// <summary>The index of the placement's exploration that chose; -1 where none did.</summary>
    public int Exploration = -1;

    /// <summary>Whether exploration chose another candidate than the best one.</summary>
    public bool IsExplored;

    /// <summary>Whether quiet hours took <c>otherwise</c>, as the customer's time zone was unknown or empty.</summary>
    public bool ZoneIsUnknown;

    /// <summary>The end of the quiet hours at which it is to be decided anew, ms; 0 where it does not wait.</summary>
    public long DeferredUntil;

    /// <summary>Why it does not wait for the end of quiet hours that defer; none where it does, or where none were in its way.</summary>
    public DeferralFate NotDeferred;

    /// <summary>Why each candidate was not chosen.</summary>
    public readonly DropReason[] Drop = new DropReason[policy.Offers.Count];

    /// <summary>
    /// The contact limit that a candidate has reached (the first one), or behind all limits the quiet hours that it is in, and
    /// behind those the budget that it does not fit into; -1 where none.
    /// </summary>
    public readonly int[] Limit = new int[policy.Offers.Count];

    /// <summary>Propensity; 0 for a candidate that did not reach arbitration, as the other factors.</summary>
    public readonly double[] P = new double[policy.Offers.Count];

    /// <summary>The context's weight.</summary>
    public readonly double[] C = new double[policy.Offers.Count];

    /// <summary>The value.</summary>
    public readonly double[] V = new double[policy.Offers.Count];

    /// <summary>The levers' factor: the product of each factor's 1 plus its sum.</summary>
    public readonly double[] L = new double[policy.Offers.Count];

    /// <summary>P x C x V x L.</summary>
    public readonly double[] Priority = new double[policy.Offers.Count];

    /// <summary>The place in the list from 1; 0 for a candidate that is not in it.</summary>
    public readonly int[] Rank = new int[policy.Offers.Count];

    /// <summary>Where P came from.</summary>
    public readonly PropensitySource[] Source = new PropensitySource[policy.Offers.Count];

    /// <summary>The model that P was asked of, among <see cref="DecisionPolicy.Models"/>; -1 where none was.</summary>
    public readonly int[] Model = new int[policy.Offers.Count];

    /// <summary>Why the model's score was not used; none where there is no model, or its score was used.</summary>
    public readonly ScoreFault[] Fault = new ScoreFault[policy.Offers.Count];

    /// <summary>
    /// Where exploration drew, with which probability it would have chosen each candidate: 0 for one that did not come to be drawn.
    /// </summary>
    public readonly double[] Probability = new double[policy.Offers.Count];

    /// <summary>By experiment, the customer's variation; -1 where the customer is in none, or the decision ended before.</summary>
    public readonly int[] Variations = new int[policy.Experiments.Count];

    /// <summary>By experiment, what came of it where it is sticky.</summary>
    public readonly StickyFate[] Sticky = new StickyFate[policy.Experiments.Count];

    /// <summary>By offer, what is shown of it, among <see cref="CompiledOffer.Treatments"/>.</summary>
    public readonly int[] Treatments = new int[policy.Offers.Count];

    /// <summary>
    /// Where the placement learns, what the offer was believed to earn before anything was known: of a rate its P, of a value its P x V.
    /// </summary>
    internal readonly double[] PriorMean = new double[policy.Offers.Count];

    /// <summary>The index of the placement's exploration, whether or not it came to draw; -1 where it has none.</summary>
    internal int Explorable = -1;

    /// <summary>Why an offer is kept from this customer even if it wins; none for most.</summary>
    internal readonly DropReason[] Withheld = new DropReason[policy.Offers.Count];

    /// <summary>The candidates of arbitration, the best first; only <see cref="Ranked"/> of them count.</summary>
    internal readonly int[] Ranking = new int[policy.Offers.Count];

    /// <summary>How many candidates took part in arbitration.</summary>
    internal int Ranked;

    /// <summary>The placement, UTF-8.</summary>
    public ReadOnlySpan<byte> Placement => _placement.AsSpan(0, _placementLength);

    /// <summary>Whether the placement was longer than the longest, and was cut.</summary>
    public bool PlacementIsCut { get; private set; }

    internal void Reset(ReadOnlySpan<byte> placement)
    {
        PlacementIsCut = placement.Length > MaxPlacementBytes;
        if (PlacementIsCut) placement = Cut(placement);
        placement.CopyTo(_placement);
        _placementLength = placement.Length;
        if (PlacementIsCut)
        {
            "…"u8.CopyTo(_placement.AsSpan(_placementLength));
            _placementLength += "…"u8.Length;
        }
        Outcome = Outcome.NoOffer;
        Chosen = -1;
        IsDefault = false;
        SelectionProbability = 1;
        Exploration = Explorable = -1;
        IsExplored = false;
        ZoneIsUnknown = false;
        DeferredUntil = 0;
        NotDeferred = DeferralFate.None;
        Ranked = 0;
        Array.Clear(Drop);
        Array.Fill(Limit, -1);
        Array.Clear(P);
        Array.Clear(C);
        Array.Clear(V);
        Array.Clear(L);
        Array.Clear(Priority);
        Array.Clear(Rank);
        Array.Clear(Source);
        Array.Fill(Model, -1);
        Array.Clear(Fault);
        Array.Clear(Probability);
        Array.Fill(Variations, -1);
        Array.Clear(Sticky);
        Array.Clear(Treatments);
        Array.Clear(Withheld);
    }

    /// <summary>As much of a text as leaves room for the mark behind it, in whole characters.</summary>
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text)
    {
        var end = MaxPlacementBytes - "…"u8.Length;
        while (end > 0 && (text[end] & 0xC0) == 0x80) end--; // a byte that continues a character
        return text[..end];
    }
}
