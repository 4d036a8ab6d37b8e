namespace StreamEngine.Runtime.Catalogue;

/// <summary>What a catalogue tells of a feature.</summary>
public sealed record FeatureEntry
{
    /// <summary>The name in the config.</summary>
    public required string Name { get; init; }

    /// <summary>What models and tables call its numbers.</summary>
    public required IReadOnlyList<string> Numbers { get; init; }

    /// <summary>What rules and tables call its texts.</summary>
    public required IReadOnlyList<string> Texts { get; init; }

    /// <summary>What it computes.</summary>
    public required string Definition { get; init; }

    /// <summary>The events that it looks at; empty for a derived feature.</summary>
    public required string Window { get; init; }

    /// <summary>The unit of its values; empty where there is none.</summary>
    public required string Unit { get; init; }

    /// <summary>Its value where nothing is known.</summary>
    public required double Default { get; init; }

    /// <summary>How new its value is when it is read.</summary>
    public required string Freshness { get; init; }

    /// <summary>How exact it is.</summary>
    public required string Bound { get; init; }

    /// <summary>Bytes of a profile that it is read from; 0 for a derived feature.</summary>
    public required int Bytes { get; init; }

    /// <summary>Other features that are read from some of the same bytes.</summary>
    public required IReadOnlyList<string> SharedWith { get; init; }

    /// <summary>
    /// The fields of events that it is made of, each with the sources that have it; for a derived feature those of its inputs.
    /// </summary>
    public required IReadOnlyList<FieldOrigin> Fields { get; init; }

    /// <summary>The features that a derived one reads.</summary>
    public required IReadOnlyList<string> Reads { get; init; }

    /// <summary>Who reads it: derived features, inputs of models, expressions of offers, time zones of quiet hours.</summary>
    public required IReadOnlyList<FeatureUse> ReadBy { get; init; }
}

/// <summary>A field of events, and where its values come from.</summary>
/// <param name="Field">The field, as expressions call it.</param>
/// <param name="From">The sources that declare it, and the path in their records: <c>shop: order.value</c>.</param>
public sealed record FieldOrigin(string Field, IReadOnlyList<string> From);

/// <summary>Something that reads a feature.</summary>
/// <param name="Kind">feature, model, offer, experiment, segment or quiet_hours.</param>
/// <param name="Name">Its name.</param>
/// <param name="As">The part of it that reads, such as a rule of the offer; the name of the value that is read.</param>
public sealed record FeatureUse(string Kind, string Name, string As);
