using StreamEngine.Configuration;

namespace StreamEngine.Decisions.Audiences;

/// <summary>Segments of customers, and by what partners know a customer.</summary>
public sealed record AudienceOptions : ILocated
{
    [Doc("The segments. A customer who enters or leaves one is told in outputs.audiences.")]
    [Keyed]
    public IReadOnlyList<SegmentOptions> Segments { get; init; } = [];

    [Doc("By what partners know a customer, as a hashed e-mail address: of each the newest value of the customer's events is kept, and "
        + "stands in the records of audiences.")]
    [Keyed]
    public IReadOnlyList<IdentifierOptions> Identifiers { get; init; } = [];

    [Doc("How often the segments of a member are looked at again while nothing happens to the customer, in event time: windows go on "
        + "without events. 0s looks at events and timers only.")]
    [Bounds(0, 31_536_000)]
    public TimeSpan Recheck { get; init; } = TimeSpan.Zero;

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>A segment of customers.</summary>
[Shorthand(nameof(Where))]
public sealed record SegmentOptions : ILocated
{
    /// <summary>The segment's name.</summary>
    public string Name { get; init; } = "";

    [Doc("Who belongs to it: an expression over features.* and consent.*, as features.spend_90d > 500.0 && consent.ads.")]
    public ExprText? Where { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}

/// <summary>By what a partner knows a customer.</summary>
[Shorthand(nameof(Of))]
public sealed record IdentifierOptions : ILocated
{
    /// <summary>The identifier's name.</summary>
    public string Name { get; init; } = "";

    [Doc("Its value, a text over event.*, as event.email_sha256. Events where it is empty, or longer than 126 bytes, change nothing.")]
    public ExprText? Of { get; init; }

    /// <inheritdoc/>
    public ConfigNode Node { get; init; } = ConfigNode.InCode;
}
