using System.Text;
using StreamEngine.Cluster.Routing.Protocol;

namespace StreamEngine.Cluster.Routing;

/// <summary>What a request has to keep to before it may travel; the owner's node checks the rest against the config.</summary>
internal static class RequestLimits
{
    /// <summary>The largest context that is sent to another node, bytes of its texts; far below what a message may have.</summary>
    public const int MaxContextBytes = 256 * 1024;

    private const int MaxIdBytes = Runtime.Shard.MaxIdBytes;

    /// <summary>Whether a text can be the name of an actor: it is there, and no longer than ids may be.</summary>
    public static bool IsId(string text) => text.Length is > 0 and <= MaxIdBytes && Encoding.UTF8.GetByteCount(text) <= MaxIdBytes;

    /// <summary>
    /// The id as its bytes say it. Halves of a character that stand alone have no UTF-8 and become one and the same replacement, in the
    /// profile's key as well: such ids are one customer, and have to be one actor.
    /// </summary>
    public static string Normal(string text) => text.AsSpan().ContainsAnyInRange('\ud800', '\udfff')
        ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;

    /// <summary>What is wrong with a request's context; null where nothing is.</summary>
    public static string? FaultOf(IReadOnlyDictionary<string, object?> context)
    {
        long bytes = 0;
        foreach (var (name, value) in context)
        {
            if (!WireValues.CanWrite(value))
                return $"context.{name}: a {value!.GetType().Name} is neither text, number, boolean nor a point in time";
            bytes += Encoding.UTF8.GetByteCount(name) + (value is string text ? Encoding.UTF8.GetByteCount(text) : sizeof(decimal));
        }
        return bytes > MaxContextBytes ? $"context: {bytes} bytes are more than {MaxContextBytes}" : null;
    }
}
