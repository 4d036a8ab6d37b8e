using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>
/// The <c>rd_kafka_t*</c> inside a Confluent client, which keeps it to itself: the one place that looks into the package's internals.
/// Where they have changed, callers fall back to the client's own calls, which copy and allocate per record.
/// </summary>
internal static class ClientHandle
{
    private static readonly PropertyInfo? Property = typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);

    /// <summary>Why the handle can't be had; null when it can.</summary>
    public static string? Unavailable =>
        Property is not null && typeof(SafeHandle).IsAssignableFrom(Property.PropertyType)
            ? null
            : $"Confluent.Kafka {typeof(Handle).Assembly.GetName().Version} no longer keeps its native handle in Handle.LibrdkafkaHandle: records are read and written one at a time, at about three times the cost";

    /// <summary>The client's native handle; 0 where it can't be had. Valid while the client lives.</summary>
    public static nint Of(IClient client) =>
        Unavailable is null && Property!.GetValue(client.Handle) is SafeHandle { IsInvalid: false } handle ? handle.DangerousGetHandle() : 0;

    /// <summary>The error that made a client unusable; null where it is usable or its handle can't be had.</summary>
    public static unsafe ErrorCode? FatalCode(IClient client)
    {
        var handle = Of(client);
        var code = handle == 0 ? 0 : Rdkafka.FatalError(handle, null, 0);
        return code == 0 ? null : (ErrorCode)code;
    }
}
