using System.Globalization;

namespace StreamEngine.Inference.Onnx;

/// <summary>
/// Bounds what loading a model may take: a graph can loop or allocate without end, when it is loaded (constants are computed then) or when
/// it is run. The work is done on a thread of its own, and given up past the time or the memory.
/// </summary>
internal sealed class LoadGuard(string file, ModelOptions options)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a run that was told to end may take to do so: it does between two operations.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Action? _stop;
    private bool _stopped;
    private bool _ran;

    /// <summary>Does the work.</summary>
    /// <exception cref="ModelException">It failed, or took too much.</exception>
    public T Run<T>(Func<LoadGuard, T> load) where T : IDisposable
    {
        var started = TimeProvider.System.GetTimestamp();
        var before = Environment.WorkingSet;
        var work = Task.Factory.StartNew(() => load(this), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (Task.WaitAny([work], Look) < 0)
        {
            var grown = Environment.WorkingSet - before;
            if (TimeProvider.System.GetElapsedTime(started) <= options.LoadTimeout && grown <= options.LoadMemory.Bytes) continue;
            Stop();
            var ended = Task.WaitAny([work], Grace) >= 0;
            // What comes in the end, a model or an exception, is nobody's.
            _ = work.ContinueWith(Discard, TaskScheduler.Default);
            var what = !_ran ? "to load" : "for its first run";
            var seconds = options.LoadTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            var limit = grown > options.LoadMemory.Bytes
                ? $"takes more memory {what} than 'load_memory' allows, {options.LoadMemory}"
                : $"takes longer {what} than 'load_timeout' allows, {seconds} s";
            throw new ModelException(
                $"{file} {limit}{(ended ? "" : "; ONNX Runtime can't be stopped there, and goes on until the process ends")}")
            {
                Remedy = "Look for a Loop or a Scan without an end in the graph; where the model is only large, raise the limit",
            };
        }
        return work.GetAwaiter().GetResult();
    }

    /// <summary>Runs the model.</summary>
    /// <param name="run">The run.</param>
    /// <param name="stop">Ends it, from another thread.</param>
    public void FirstRun(Action run, Action stop)
    {
        lock (_lock)
        {
            if (_stopped) return;
            (_stop, _ran) = (stop, true);
        }
        try
        {
            run();
        }
        finally
        {
            lock (_lock) _stop = null;
        }
    }

    private static void Discard<T>(Task<T> work) where T : IDisposable
    {
        if (work.IsCompletedSuccessfully) work.Result.Dispose();
        else _ = work.Exception;
    }

    private void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            _stop?.Invoke();
        }
    }
}
