using System.Runtime.ExceptionServices;
using Confluent.Kafka;
using StreamEngine.Connectors.Kafka.Native;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// One native producer, and the thread that its transactional calls run on: they may stay away for ever, whatever limit they are given.
/// librdkafka 2.15 does not look at the limit while send_offsets_to_transaction searches the group's coordinator (its issues 5456 and
/// 5511), and its abort waits without one until all broker threads have purged. A client whose call stays away is given up: the loop goes
/// on with another one, and this one is closed on its own thread if the call comes back after all. Until then it costs a thread and what
/// the client holds.
/// </summary>
internal sealed class ProducerClient : IDisposable
{
    private readonly string _name;
    private readonly KafkaLogOptions _options;
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly IReadOnlyList<string> _outputs;
    private NativeSender? _sender;
    private readonly SemaphoreSlim _asked = new(0), _answered = new(0);
    private readonly Thread _thread;
    private Action<IProducer<byte[], byte[]>>? _call;
    private ExceptionDispatchInfo? _thrown;
    private volatile bool _closing;
    private volatile Error? _lasting;

    /// <param name="name">The worker's id, for people.</param>
    /// <param name="options">Grace and diagnostics.</param>
    /// <param name="outputs">The topics that are written.</param>
    /// <param name="open">Makes the client; what it reports as an error goes to the given handler.</param>
    public ProducerClient(string name, KafkaLogOptions options, IReadOnlyList<string> outputs, Func<Action<Error>,
        IProducer<byte[], byte[]>> open)
    {
        (_name, _options, _outputs) = (name, options, outputs);
        _producer = open(OnError);
        _thread = new Thread(Work) { Name = "producer", IsBackground = true }; // in the background: a process ends without it
        _thread.Start();
    }

    /// <summary>The last error that waiting does not cure, from a call or from the client's own threads.</summary>
    public Error? Lasting
    {
        get => _lasting;
        set => _lasting = value;
    }

    /// <summary>Whether a call stayed away: nothing more can be asked of this client.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>Where records are handed over: not by a call that can stay away.</summary>
    public NativeSender Sender => _sender ??= new NativeSender(ClientHandle.Of(_producer), _outputs);

    /// <summary>Makes a call that should be back within its limit; throws what it throws.</summary>
    /// <returns>False when it is not back within the limit and a grace: then the client is stuck.</returns>
    public bool Call(Action<IProducer<byte[], byte[]>> call, TimeSpan limit)
    {
        if (IsStuck) return false;
        _call = call;
        _asked.Release();
        // Two waits: a process that was stopped wakes up behind the first one's end, while its call has done nothing yet.
        if (!_answered.Wait(limit) && !_answered.Wait(_options.CallGrace))
        {
            IsStuck = true;
            _options.Diagnostics?.Invoke($"{_name}: a call of the producer is not back {(limit + _options.CallGrace).TotalSeconds:0.#} s "
                + "after it began: the producer is given up");
            return false;
        }
        var thrown = _thrown;
        _thrown = null;
        thrown?.Throw();
        return true;
    }

    /// <summary>Closes the client on its own thread, without waiting for it.</summary>
    public void Abandon()
    {
        if (_closing) return;
        _closing = true;
        _asked.Release();
    }

    /// <summary>Closes the client on its own thread; waits for it no longer than the grace, and not at all where it is stuck.</summary>
    public void Dispose()
    {
        Abandon();
        if (!IsStuck) _thread.Join(_options.CallGrace);
    }

    private void Work()
    {
        while (true)
        {
            _asked.Wait();
            if (_call is null) break;
            try
            {
                _call(_producer);
            }
            catch (Exception e)
            {
                _thrown = ExceptionDispatchInfo.Capture(e);
            }
            _call = null;
            _answered.Release();
        }
        try
        {
            _sender?.Dispose();
            _producer.Dispose();
        }
        catch (KafkaException e)
        {
            _options.Diagnostics?.Invoke($"{_name}: closing the producer: {e.Error.Reason}");
        }
        if (IsStuck) _options.Diagnostics?.Invoke($"{_name}: the call of a producer that was given up came back, and it is closed");
    }

    private void OnError(Error error)
    {
        if (KafkaErrors.IsLasting(error.Code)) _lasting = error;
        else _options.Diagnostics?.Invoke($"{_name}: {error.Reason} ({error.Code})");
    }
}
