using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>
/// A producer made directly on librdkafka, which reports only the records that failed: the Confluent client reports all of them, each by a
/// managed call, or none.
/// </summary>
internal sealed unsafe class ReportingProducer : IDisposable
{
    private GCHandle _self;
    private long _failed;
    private string _firstFailure = "";

    public ReportingProducer(IReadOnlyDictionary<string, string> settings)
    {
        var config = Rdkafka.NewConfig();
        var text = stackalloc byte[512];
        foreach (var (name, value) in settings)
            if (Rdkafka.Set(config, name, value, text, 512) != 0) throw Refused(config, $"{name}: {Rdkafka.Text((nint)text)}");
        _ = Rdkafka.Set(config, "delivery.report.only.error", "true", text, 512);
        _self = GCHandle.Alloc(this);
        Rdkafka.SetOpaque(config, GCHandle.ToIntPtr(_self));
        Rdkafka.SetDeliveryReport(config, &OnReport);
        Rdkafka.SetLog(config, &OnLog);
        Handle = Rdkafka.NewClient(0, config, text, 512);
        if (Handle != 0) return;
        _self.Free();
        throw Refused(config, Rdkafka.Text((nint)text));
    }

    /// <summary>The native client.</summary>
    public nint Handle { get; private set; }

    /// <summary>Records that are neither written nor failed yet.</summary>
    public int Outstanding => Rdkafka.OutstandingCount(Handle);

    /// <summary>Serves reports, waiting at most so long (ms) for the first.</summary>
    public void Poll(int timeout) => _ = Rdkafka.Poll(Handle, timeout);

    /// <summary>Waits at most so long (ms) for what is outstanding; how much still is.</summary>
    public int Flush(int timeout)
    {
        _ = Rdkafka.Flush(Handle, timeout);
        return Outstanding;
    }

    /// <summary>The failures since the last call; null for none.</summary>
    public (long Count, string First)? TakeFailure()
    {
        if (_failed == 0) return null;
        var failure = (_failed, _firstFailure);
        _failed = 0;
        return failure;
    }

    public void Dispose()
    {
        if (Handle == 0) return;
        Rdkafka.DestroyClient(Handle);
        Handle = 0;
        _self.Free();
    }

    private static LogException Refused(nint config, string reason)
    {
        Rdkafka.DestroyConfig(config);
        return Clients.Refused(reason);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnReport(nint client, RdMessage* message, nint opaque)
    {
        if (message->Error == 0) return;
        var self = (ReportingProducer)GCHandle.FromIntPtr(opaque).Target!;
        if (self._failed++ == 0)
            self._firstFailure = $"{Rdkafka.Text(Rdkafka.TopicName(message->Topic))}[{message->Partition}]: "
                + $"{Rdkafka.Describe(message->Error)}";
    }

    /// <summary>Failures come as reports; librdkafka would print its lines on stderr.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint client, int level, byte* facility, byte* text)
    {
    }
}
