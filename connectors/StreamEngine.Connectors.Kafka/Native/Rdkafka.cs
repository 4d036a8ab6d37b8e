using System.Runtime.InteropServices;

namespace StreamEngine.Connectors.Kafka.Native;

/// <summary>librdkafka's <c>rd_kafka_message_t</c>: a public struct, stable since 1.0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdMessage
{
    public int Error;
    public nint Topic;
    public int Partition;
    public byte* Payload;
    public nuint Length;
    public byte* Key;
    public nuint KeyLength;
    public long Offset;
    public nint Private;
}

/// <summary>librdkafka's <c>rd_kafka_vu_t</c>: one typed argument of a produce call.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct RdArgument
{
    public const int Topic = 2, Partition = 3, Value = 4, Key = 5, Flags = 7, Timestamp = 8, Header = 9;

    [FieldOffset(0)] public int Type;
    [FieldOffset(8)] public nint Pointer;
    [FieldOffset(8)] public int Int;
    [FieldOffset(8)] public long Long;
    [FieldOffset(16)] public nuint Size;
    [FieldOffset(16)] public nint HeaderValue;   // of a header, whose name is the pointer
    [FieldOffset(24)] public nuint HeaderSize;
}

/// <summary>The functions of librdkafka that Confluent.Kafka does not expose, or only per record with copies.</summary>
internal static unsafe class Rdkafka
{
    private const string Name = "librdkafka";

    /// <summary>The queue that <c>rd_kafka_consumer_poll</c> serves: records, rebalances, errors.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_queue_get_consumer")]
    public static extern nint ConsumerQueue(nint client);

    [DllImport(Name, EntryPoint = "rd_kafka_queue_destroy")]
    public static extern void DestroyQueue(nint queue);

    /// <summary>Ends a wait on the queue, now or at its next call. May be called from a callback.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_queue_yield")]
    public static extern void YieldQueue(nint queue);

    /// <summary>
    /// Fills <paramref name="messages"/>, waiting until <paramref name="size"/> are there or the time (ms) is over; serves callbacks on the
    /// way.
    /// </summary>
    [DllImport(Name, EntryPoint = "rd_kafka_consume_batch_queue")]
    public static extern nint ConsumeBatch(nint queue, int timeout, RdMessage** messages, nuint size);

    [DllImport(Name, EntryPoint = "rd_kafka_message_destroy")]
    public static extern void DestroyMessage(RdMessage* message);

    /// <summary>Reads a field: short enough to skip the transition of a full call.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_message_timestamp"), SuppressGCTransition]
    public static extern long Timestamp(RdMessage* message, int* type);

    /// <summary>The headers of a message, which stay the message's own; 0 where it has some.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_message_headers")]
    public static extern int Headers(RdMessage* message, out nint headers);

    /// <summary>The last header of a name; 0 where there is one.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_header_get_last")]
    public static extern int LastHeader(nint headers, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, out byte* value, out nuint length);

    [DllImport(Name, EntryPoint = "rd_kafka_topic_name")]
    public static extern nint TopicName(nint topic);

    [DllImport(Name, EntryPoint = "rd_kafka_topic_new")]
    public static extern nint NewTopic(nint client, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, nint config);

    [DllImport(Name, EntryPoint = "rd_kafka_topic_destroy")]
    public static extern void DestroyTopic(nint topic);

    [DllImport(Name, EntryPoint = "rd_kafka_produceva")]
    public static extern nint Produce(nint client, RdArgument* arguments, nuint count);

    [DllImport(Name, EntryPoint = "rd_kafka_error_code")]
    public static extern int ErrorCode(nint error);

    [DllImport(Name, EntryPoint = "rd_kafka_error_string")]
    public static extern nint ErrorText(nint error);

    [DllImport(Name, EntryPoint = "rd_kafka_error_destroy")]
    public static extern void DestroyError(nint error);

    /// <summary>Sends what is queued without lingering and waits for it at most so long (ms).</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_flush")]
    public static extern int Flush(nint client, int timeout);

    [DllImport(Name, EntryPoint = "rd_kafka_poll")]
    public static extern int Poll(nint client, int timeout);

    [DllImport(Name, EntryPoint = "rd_kafka_outq_len")]
    public static extern int OutstandingCount(nint client);

    [DllImport(Name, EntryPoint = "rd_kafka_purge")]
    public static extern int Purge(nint client, int flags);

    [DllImport(Name, EntryPoint = "rd_kafka_fatal_error")]
    public static extern int FatalError(nint client, byte* text, nuint size);

    [DllImport(Name, EntryPoint = "rd_kafka_err2str")]
    public static extern nint ErrorName(int code);

    [DllImport(Name, EntryPoint = "rd_kafka_conf_new")]
    public static extern nint NewConfig();

    [DllImport(Name, EntryPoint = "rd_kafka_conf_destroy")]
    public static extern void DestroyConfig(nint config);

    /// <summary>0 when set, -2 for an unknown name, -1 for an invalid value.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_conf_set")]
    public static extern int Set(nint config, [MarshalAs(UnmanagedType.LPUTF8Str)] string name,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string value, byte* text, nuint size);

    [DllImport(Name, EntryPoint = "rd_kafka_conf_set_opaque")]
    public static extern void SetOpaque(nint config, nint opaque);

    [DllImport(Name, EntryPoint = "rd_kafka_conf_set_dr_msg_cb")]
    public static extern void SetDeliveryReport(nint config, delegate* unmanaged[Cdecl]<nint, RdMessage*, nint, void> callback);

    [DllImport(Name, EntryPoint = "rd_kafka_conf_set_log_cb")]
    public static extern void SetLog(nint config, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, void> callback);

    /// <summary>A client: type 0 produces, 1 consumes. Takes the config over when it succeeds; else 0 and the reason in the text.</summary>
    [DllImport(Name, EntryPoint = "rd_kafka_new")]
    public static extern nint NewClient(int type, nint config, byte* text, nuint size);

    [DllImport(Name, EntryPoint = "rd_kafka_destroy")]
    public static extern void DestroyClient(nint client);

    /// <summary>The text at a pointer to a zero-terminated UTF-8 string.</summary>
    public static string Text(nint pointer) => Marshal.PtrToStringUTF8(pointer) ?? "";

    /// <summary>What an error code means, as librdkafka says it.</summary>
    public static string Describe(int code) => Text(ErrorName(code));
}
