using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Decisions.Audiences;

/// <summary>A segment, ready to run.</summary>
/// <param name="Name">The name.</param>
/// <param name="Where">Whether the customer of a vector belongs to it.</param>
/// <param name="Slot">How often its customer has entered or left it, in the profile: a member where that is odd.</param>
internal sealed record Segment(string Name, BoolExpr Where, Slot Slot)
{
    /// <summary>How often a customer has entered or left it.</summary>
    public ref long Changes(Span<byte> profile) => ref Unsafe.As<byte, long>(ref MemoryMarshal.GetReference(Slot.In(profile)));

    /// <summary>Whether a customer is a member.</summary>
    public bool HasMember(ReadOnlySpan<byte> profile) => (MemoryMarshal.Read<long>(Slot.In(profile)) & 1) != 0;
}

/// <summary>An identifier, ready to run.</summary>
/// <param name="Name">The name.</param>
/// <param name="Of">Its value of an event.</param>
/// <param name="Slot">The newest one, in the profile.</param>
internal sealed record Identifier(string Name, StringExpr Of, Slot Slot);

/// <summary>
/// The compiled segments and identifiers. Membership is a fact of the profile: what was told last, so that a change is told once, and a
/// restore comes to the same.
/// </summary>
public sealed class SegmentSet
{
    /// <summary>What slots of segments are called, before the segment's name.</summary>
    internal const string SlotPrefix = "segment/";

    /// <summary>What slots of identifiers are called, before the identifier's name.</summary>
    internal const string IdentifierPrefix = "identifier/";

    /// <summary>The slot that says when segments were looked at last.</summary>
    private const string LookedName = "audiences/looked";

    private readonly Slot? _looked;

    private SegmentSet(Segment[] segments, Identifier[] identifiers, Slot? looked) =>
        (Segments, Identifiers, _looked) = (segments, identifiers, looked);

    /// <summary>The segments' names in order.</summary>
    public IReadOnlyList<string> Names => [.. Segments.Select(s => s.Name)];

    /// <summary>The segments.</summary>
    internal Segment[] Segments { get; }

    /// <summary>The identifiers.</summary>
    internal Identifier[] Identifiers { get; }

    /// <summary>Compiles the config and reserves the slots.</summary>
    /// <param name="options">The section.</param>
    /// <param name="fields">The fields that identifiers can use.</param>
    /// <param name="features">The features that segments can use.</param>
    /// <param name="texts">Those that are texts.</param>
    /// <param name="purposes">The purposes that segments can use.</param>
    /// <param name="layout">The profile's layout.</param>
    /// <param name="errors">Takes the mistakes.</param>
    internal static SegmentSet Compile(AudienceOptions options, FieldCatalog fields, IReadOnlyList<string> features, VectorTexts texts,
        IReadOnlyList<string> purposes, StateLayout layout, ConfigErrors errors)
    {
        var scope = new Scope { Features = features, Texts = texts, Purposes = purposes };
        var segments = new List<Segment>();
        foreach (var o in options.Segments)
        {
            if (o.Where is null)
                errors.Add(o.Node, "where", "it does not say who belongs to it", "Write an expression, as features.spend_90d > 500.0");
            var where = o.Where is { } text ? ExpressionCompiler.Bool(text, scope, errors) : null;
            segments.Add(new Segment(o.Name, where ?? (_ => false), layout.Reserve(SlotPrefix + o.Name, sizeof(long), "changes")));
        }
        var events = new Scope { Event = fields };
        var identifiers = new List<Identifier>();
        foreach (var o in options.Identifiers)
        {
            if (o.Of is null) errors.Add(o.Node, "of", "it does not say what it is", "Write a text of the event, as event.email_sha256");
            var of = o.Of is { } text ? ExpressionCompiler.String(text, events, errors) : null;
            identifiers.Add(new Identifier(o.Name, of ?? (_ => default),
                layout.Reserve(IdentifierPrefix + o.Name, Unsafe.SizeOf<KnownIdentifier>(), "text", o.Of?.Text.Trim() ?? "")));
        }
        return new SegmentSet([.. segments], [.. identifiers],
            segments.Count > 0 ? layout.Reserve(LookedName, sizeof(long), "time") : null);
    }

    /// <summary>Prepares a new profile: nobody has looked at its segments yet.</summary>
    internal void Initialize(Span<byte> profile)
    {
        if (_looked is not null) LookedAt(profile) = long.MinValue;
    }

    /// <summary>As of when the customer's segments were looked at last, ms; of a set that has any.</summary>
    internal ref long LookedAt(Span<byte> profile) =>
        ref Unsafe.As<byte, long>(ref MemoryMarshal.GetReference(_looked!.In(profile)));
}
