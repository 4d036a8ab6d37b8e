using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>
/// The <c>rd_kafka_t*</c> inside a Confluent client, which keeps it to itself: the one place that looks into the package's internals. The
/// package's version is pinned, and a test finds out where a newer one has changed them.
/// </summary>
internal static class ClientHandle
{
    private static readonly PropertyInfo? Property = typeof(Handle)
        .GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);

    /// <summary>The client's native handle. Valid while the client lives.</summary>
    /// <exception cref="LogException">The package has another shape than the one this was written for.</exception>
    public static nint Of(IClient client) => TryOf(client) is var handle and not 0
        ? handle
        : throw new LogException($"Confluent.Kafka {typeof(Handle).Assembly.GetName().Version} no longer keeps its native handle in "
            + "Handle.LibrdkafkaHandle. Build with the version that Directory.Packages.props names.");

    private static nint TryOf(IClient client) => Property?.GetValue(client.Handle) is SafeHandle { IsInvalid: false } handle
        ? handle.DangerousGetHandle() : 0;

    /// <summary>The error that made a client unusable; null where it is usable or its handle can't be had.</summary>
    public static unsafe ErrorCode? FatalCode(IClient client)
    {
        var handle = TryOf(client);
        var code = handle == 0 ? 0 : Rdkafka.FatalError(handle, null, 0);
        return code == 0 ? null : (ErrorCode)code;
    }
}
