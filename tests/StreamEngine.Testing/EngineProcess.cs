using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace StreamEngine.Testing;

/// <summary>
/// An engine as a process of its own, as an operator runs it, so that it can be killed as a machine dies. Ended by its id when disposed.
/// </summary>
public sealed class EngineProcess : IDisposable
{
    private const int KeptLines = 200;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly HttpClient _http;
    private readonly TextWriter? _all;
    private bool _disposed, _frozen;
    private long _thawed;

    private EngineProcess(Process process, int port, Action<string>? heard)
    {
        _process = process;
        Port = port;
        if (Kept is not null) _all = TextWriter.Synchronized(File.AppendText(Path.Combine(Kept, $"engine-{process.Id}.log")));
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}/"),
            Timeout = TimeSpan.FromSeconds(5)
        };
        DataReceivedEventHandler keep = (_, e) =>
        {
            if (e.Data is null) return;
            _lines.Enqueue(e.Data);
            _all?.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {e.Data}");
            heard?.Invoke(e.Data);
            while (_lines.Count > KeptLines) _lines.TryDequeue(out var _);
        };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>
    /// Where what engines write, each line with its time, and the folders of brokers that have ended are kept, to look into a failure:
    /// <c>STREAMENGINE_TEST_KEEP</c>; null for nowhere.
    /// </summary>
    public static string? Kept { get; } = Environment.GetEnvironmentVariable("STREAMENGINE_TEST_KEEP") is { Length: > 0 } folder
        ? Directory.CreateDirectory(folder).FullName : null;

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>What it said last.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>Whether it has ended.</summary>
    public bool Ended => _process.HasExited;

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>CPU time that it has taken so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Its memory now, bytes: what is resident of it.</summary>
    public long ResidentBytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        }
    }

    /// <summary>
    /// Starts <c>streamengine</c> with these arguments; its metrics are on a port of their own. The host must lie beside the calling
    /// program.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="heard">Told of each line that it writes, on another thread.</param>
    /// <param name="directory">The working directory; this process's where it is null.</param>
    /// <param name="environment">Added to the environment.</param>
    public static EngineProcess Start(IEnumerable<string> arguments, Action<string>? heard = null, string? directory = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var port = FreePort.Find();
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "StreamEngine.Host.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.ArgumentList.Add("--set");
        start.ArgumentList.Add($"http.port={port}");
        return new EngineProcess(Process.Start(start)!, port, heard);
    }

    /// <summary>Waits for something to hold; false when the time is over or the process has ended.</summary>
    public async Task<bool> Until(Func<Task<bool>> holds, TimeSpan timeout)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < timeout && !Ended)
        {
            if (await holds()) return true;
            await Task.Delay(Poll, TimeProvider.System);
        }
        return false;
    }

    /// <summary>The sum of a metric over its labels; 0 where it is not there or nobody answers yet.</summary>
    public async Task<double> Metric(string name) => (await Metrics()).GetValueOrDefault(name);

    /// <summary>All metrics, summed over their labels.</summary>
    public async Task<Dictionary<string, double>> Metrics()
    {
        var sums = new Dictionary<string, double>();
        foreach (var line in (await MetricsText()).Split('\n'))
        {
            var end = line.LastIndexOf(' ');
            if (end < 0 || line[0] == '#') continue;
            var name = line[..end].Split('{')[0];
            sums[name] = sums.GetValueOrDefault(name) + double.Parse(line[(end + 1)..], CultureInfo.InvariantCulture);
        }
        return sums;
    }

    /// <summary>Whether it says in time that it is ready: all of its shards restored, and in the cluster where there is one.</summary>
    public async Task<bool> IsReady(TimeSpan patience)
    {
        using var late = new CancellationTokenSource(patience, TimeProvider.System);
        try
        {
            using var reply = await _http.GetAsync("healthz/ready", late.Token);
            return reply.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>All metrics as Prometheus reads them; empty where nobody answers yet, or any more.</summary>
    public async Task<string> MetricsText()
    {
        try
        {
            return await _http.GetStringAsync("metrics");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return "";
        }
    }

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Stops its clockwork: it does nothing more, and does not know (SIGSTOP).</summary>
    public void Freeze()
    {
        Volatile.Write(ref _frozen, true);
        Signal.Freeze(_process.Id);
    }

    /// <summary>Lets it run on as if nothing had happened (SIGCONT).</summary>
    public void Thaw()
    {
        Volatile.Write(ref _thawed, TimeProvider.System.GetTimestamp());
        Volatile.Write(ref _frozen, false);
        Signal.Thaw(_process.Id);
    }

    /// <summary>Whether it has run all the time since a timestamp: neither ended nor stopped.</summary>
    public bool RanSince(long timestamp) =>
        !_disposed && !Ended && !Volatile.Read(ref _frozen) && Volatile.Read(ref _thawed) <= timestamp;

    /// <summary>Asks it to stop, as service managers do.</summary>
    public void Terminate() => Signal.Terminate(_process.Id);

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="TimeoutException">It runs on.</exception>
    public async Task<int> Exit(TimeSpan timeout)
    {
        using var patience = new CancellationTokenSource(timeout, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the engine did not end within {timeout.TotalSeconds:0} s:\n{Output}");
        }
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
        _http.Dispose();
        _all?.Dispose();
    }
}
