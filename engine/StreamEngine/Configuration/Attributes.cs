namespace StreamEngine.Configuration;

/// <summary>What an option means, for the JSON Schema and for error messages.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class | AttributeTargets.Field)]
public sealed class DocAttribute(string text) : Attribute
{
    /// <summary>One sentence for people.</summary>
    public string Text { get; } = text;
}

/// <summary>The inclusive bounds of a number, a duration in seconds, or a size in bytes.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BoundsAttribute(double min, double max) : Attribute
{
    /// <summary>The smallest allowed value.</summary>
    public double Min { get; } = min;

    /// <summary>The largest allowed value.</summary>
    public double Max { get; } = max;
}

/// <summary>A number that may be <c>.nan</c>, as YAML writes what is missing.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MayBeMissingAttribute : Attribute;

/// <summary>A list of records that the config writes as a mapping: the entry's key becomes the record's <c>Name</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class KeyedAttribute : Attribute;

/// <summary>A mapping of free names that are written with dots: an environment variable writes underscores for them.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DottedAttribute : Attribute;

/// <summary>A record that may be written as a bare scalar, or a bare list where the property takes one: it sets the property.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ShorthandAttribute(string property) : Attribute
{
    /// <summary>The C# property that it sets.</summary>
    public string Property { get; } = property;
}

/// <summary>Options that know where they were written, so that a later error can name the line.</summary>
public interface ILocated
{
    /// <summary>The node these options were read from.</summary>
    ConfigNode Node { get; init; }
}
