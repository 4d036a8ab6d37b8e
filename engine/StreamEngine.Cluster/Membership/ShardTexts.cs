using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamEngine.Cluster.Membership;

/// <summary>The states of shards as nodes tell them each other: JSON, of which fields that are not known are passed over.</summary>
internal static partial class ShardTexts
{
    [JsonSerializable(typeof(IReadOnlyList<ShardState>))]
    private sealed partial class Shapes : JsonSerializerContext;

    /// <summary>Writes them.</summary>
    public static string Write(IReadOnlyList<ShardState> shards) =>
        JsonSerializer.Serialize(shards, Shapes.Default.IReadOnlyListShardState);

    /// <summary>Reads them; none where the text is of another kind.</summary>
    public static IReadOnlyList<ShardState> Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, Shapes.Default.IReadOnlyListShardState) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
