namespace StreamEngine.Runtime;

/// <summary>
/// The thread of a follower of topics: it takes turns, each of which says how long to rest before the next one. Where the log does not
/// answer, what was known holds; that is told, and tried again.
/// </summary>
/// <param name="name">The thread's name.</param>
/// <param name="outage">Tells that what is followed is away.</param>
/// <param name="waits">What that means for whoever needs it, in a sentence.</param>
/// <param name="close">Closes what turns use, behind the last of them.</param>
internal sealed class FollowerThread(string name, Outage outage, Func<string> waits, Action close) : IDisposable
{
    /// <summary>How long a follower rests that found nothing to follow, or no answer.</summary>
    public static readonly TimeSpan Missing = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private Thread? _thread;

    /// <summary>Ends what a turn waits for.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Begins to take turns.</summary>
    public void Start(Func<TimeSpan> turn)
    {
        _thread = new Thread(() => Run(turn)) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        // It may wait for a log that is away; the process ends without it then.
        if (_thread?.Join(EndPatience) == false) return;
        _stop.Dispose();
        close();
    }

    private void Run(Func<TimeSpan> turn)
    {
        var rest = TimeSpan.Zero;
        while (!_stop.Token.WaitHandle.WaitOne(rest))
        {
            try
            {
                rest = turn();
                outage.Back();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is: what was known holds, and the loops need no topic for it.
                outage.Away(e.Message, waits());
                rest = Missing;
            }
        }
    }
}
