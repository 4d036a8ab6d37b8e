using System.Text.RegularExpressions;

namespace StreamEngine.Events.Tables;

/// <summary>A lookup as the config writes it: <c>TABLE[event.KEY].FIELD</c>, of an item <c>TABLE[item.KEY].FIELD</c>.</summary>
/// <param name="Table">The table.</param>
/// <param name="IsOfItem">Whether the key is a field of the list's item.</param>
/// <param name="Key">The field that has the key.</param>
/// <param name="Field">The table's field.</param>
internal sealed partial record LookupText(string Table, bool IsOfItem, string Key, string Field)
{
    /// <summary>Reads a lookup; null where it is none.</summary>
    public static LookupText? Parse(string text) => Form().Match(text) is { Success: true } m
        ? new LookupText(m.Groups["table"].Value, m.Groups["of"].Value == "item", m.Groups["key"].Value, m.Groups["field"].Value) : null;

    /// <summary>Whether a text can be a name in lookups.</summary>
    public static bool IsName(string text) => Name().IsMatch(text);

    /// <summary>
    /// Where a looked-up value comes from, for people: <c>tables.products.category by properties.product_id</c>, or
    /// <c>tables.products.category (topic products) by properties.product_id</c>.
    /// </summary>
    /// <param name="path">The path of the field that has the key.</param>
    /// <param name="topic">The table's topic; empty where it is a file.</param>
    public string Origin(string path, string topic) => $"tables.{Table}.{Field}{(topic.Length > 0 ? $" (topic {topic})" : "")} by {path}";

    [GeneratedRegex(@"^\s*(?<table>[A-Za-z_][A-Za-z0-9_]*)\s*\[\s*(?<of>event|item)\s*\.\s*(?<key>[A-Za-z_][A-Za-z0-9_]*)\s*\]"
        + @"\s*\.\s*(?<field>[A-Za-z_][A-Za-z0-9_]*)\s*$")]
    private static partial Regex Form();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex Name();
}
