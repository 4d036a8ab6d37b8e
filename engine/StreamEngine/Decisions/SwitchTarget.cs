using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>What kind of thing is switched. The names, in snake case, are the keys of the control topic and the metric's labels.</summary>
public enum SwitchKind : byte
{
    /// <summary>Everything: no offer is shown at all.</summary>
    All,

    /// <summary>One offer.</summary>
    Offer,

    /// <summary>Every offer of a channel.</summary>
    Channel,

    /// <summary>A model: its offers take their default propensity.</summary>
    Model,

    /// <summary>Every offer that a budget pays for.</summary>
    Budget,
}

/// <summary>What is switched; as text it is the key of its records in the control topic: <c>all</c>, or <c>offer:NAME</c>.</summary>
/// <param name="Kind">The kind of thing.</param>
/// <param name="Name">Its name in the config; empty for everything.</param>
public readonly record struct SwitchTarget(SwitchKind Kind, string Name) : IComparable<SwitchTarget>
{
    private static readonly string[] Kinds = [.. Enum.GetNames<SwitchKind>().Select(Spelling.Snake)];

    /// <summary>Everything.</summary>
    public static SwitchTarget All { get; } = new(SwitchKind.All, "");

    /// <summary>A kind as keys spell it.</summary>
    public static string Word(SwitchKind kind) => Kinds[(int)kind];

    /// <summary>Reads the text form; false where it is none.</summary>
    public static bool TryParse(string text, out SwitchTarget target)
    {
        target = All;
        if (text == Word(SwitchKind.All)) return true;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || colon == text.Length - 1) return false;
        var kind = Array.IndexOf(Kinds, text[..colon]);
        target = new SwitchTarget((SwitchKind)kind, text[(colon + 1)..]);
        return kind > (int)SwitchKind.All;
    }

    /// <summary>Everything first, then by kind and name.</summary>
    public int CompareTo(SwitchTarget other) =>
        Kind != other.Kind ? Kind.CompareTo(other.Kind) : string.CompareOrdinal(Name, other.Name);

    /// <inheritdoc/>
    public override string ToString() => Kind == SwitchKind.All ? Word(Kind) : $"{Word(Kind)}:{Name}";
}
