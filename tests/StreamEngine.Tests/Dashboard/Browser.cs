using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace StreamEngine.Tests.Dashboard;

/// <summary>A page in headless Chromium, driven by the DevTools protocol, with everything that its console complains of.</summary>
internal sealed partial class Browser : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("browser-").FullName;
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _late = new(Patience);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _asked = [];
    private readonly Process _process;
    private string? _session;
    private Task _reading = Task.CompletedTask;
    private int _id;

    private Browser(string program)
    {
        _process = Process.Start(new ProcessStartInfo(program, ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-extensions", "--remote-debugging-port=0", $"--user-data-dir={_folder}",
            "about:blank"])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
    }

    /// <summary>What the console complained of, and what failed to load.</summary>
    public ConcurrentQueue<string> Complaints { get; } = [];

    /// <summary>Opens an empty page; skips the test where there is no Chromium.</summary>
    /// <param name="width">The width of the window.</param>
    public static async Task<Browser> OpenAsync(int width)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(f => Path.Combine(f, "chromium")).FirstOrDefault(File.Exists);
        Skip.If(program is null, "no chromium on the path: apt-get install chromium");
        var browser = new Browser(program!);
        await browser.ConnectAsync(width);
        return browser;
    }

    /// <summary>Goes to an address.</summary>
    public Task GoAsync(string address) => SendAsync("Page.navigate", new() { ["url"] = address });

    /// <summary>Waits until an expression of the page has a value that is neither false nor empty, and returns it as text.</summary>
    public async Task<string> UntilAsync(string expression)
    {
        while (true)
        {
            var reply = await SendAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true });
            if (reply?["result"]?["value"] is JsonValue value && value.ToString() is not ("" or "false" or "0") and var text) return text;
            await Task.Delay(50, _late.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _late.CancelAsync();
        await _reading;
        _socket.Dispose();
        _process.Dispose();
        _late.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A child of the browser's may still write there as it ends.
        }
    }

    private async Task ConnectAsync(int width)
    {
        string? line;
        do line = await _process.StandardError.ReadLineAsync(_late.Token);
        while (line is not null && !Address().IsMatch(line));
        await _socket.ConnectAsync(new Uri(Address().Match(line ?? throw new InvalidOperationException("Chromium ended")).Value),
            _late.Token);
        _reading = ReadAsync();
        var target = (string)(await SendAsync("Target.createTarget", new() { ["url"] = "about:blank" }))!["targetId"]!;
        _session = (string)(await SendAsync("Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true }))!["sessionId"]!;
        foreach (var domain in new[] { "Page", "Runtime", "Log" }) await SendAsync($"{domain}.enable", []);
        await SendAsync("Emulation.setDeviceMetricsOverride", new()
        {
            ["width"] = width,
            ["height"] = 800,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = width < 500
        });
    }

    private async Task<JsonNode?> SendAsync(string method, JsonObject parameters)
    {
        var id = Interlocked.Increment(ref _id);
        var answer = _asked[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null) message["sessionId"] = _session;
        await _socket.SendAsync(Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, _late.Token);
        return await answer.Task.WaitAsync(_late.Token);
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), _late.Token);
                    message.Write(buffer, 0, part.Count);
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close) return;
                Take(JsonNode.Parse(message.ToArray())!);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
        }
    }

    private void Take(JsonNode message)
    {
        if (message["id"] is { } id)
        {
            if (_asked.TryRemove((int)id, out var answer)) answer.TrySetResult(message["result"]);
            return;
        }
        var told = message["params"];
        switch ((string?)message["method"])
        {
            case "Runtime.exceptionThrown":
            case "Runtime.consoleAPICalled" when (string?)told!["type"] is "error" or "warning":
            case "Log.entryAdded" when (string?)told!["entry"]!["level"] is "error" or "warning":
                Complaints.Enqueue(told!.ToJsonString());
                break;
        }
    }

    [GeneratedRegex(@"ws://\S+")]
    private static partial Regex Address();
}
