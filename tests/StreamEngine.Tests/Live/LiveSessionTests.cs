using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Live;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Live;

/// <summary>What one listener is sent, over a scripted feed and profile.</summary>
public sealed class LiveSessionTests : IDisposable
{
    private const int Remember = 4;
    private readonly FakeTimeProvider _time = new();
    private readonly Script _script = new();
    private readonly Sink _sink = new();
    private readonly CancellationTokenSource _gone = new();
    private LiveStreams _live = null!;

    public void Dispose()
    {
        _gone.Cancel();
        _gone.Dispose();
        _live?.Dispose();
    }

    [Fact]
    public async Task A_decision_is_told_once_and_the_features_by_their_newest_values()
    {
        var (served, _) = Listen(last: null);
        Assert.Equal("-", (await _sink.Next("ready")).Id);
        _script.Tell(null, complete: true, ("a", 1), ("b", 2));
        Assert.Equal((2, true), Features(await _sink.Next("features")));
        _script.Decide("d1", ("a", 3));
        Assert.Equal("d1", (await _sink.Next("decision")).Id);
        Assert.Equal((1, false), Features(await _sink.Next("features")));
        // The watch begins anew, as after a move: what was told is not told again.
        _script.Tell(null, complete: true, ("a", 3), ("b", 2));
        Assert.Equal((2, true), Features(await _sink.Next("features")));
        Assert.False(served.IsCompleted);
    }

    [Fact]
    public async Task What_was_committed_unheard_is_told_from_the_profile()
    {
        _script.Kept("d1");
        Listen(last: null);
        Assert.Equal("d1", (await _sink.Next("ready")).Id);
        // Between the first look and the watch, and while the customer moved: both come behind a complete update.
        _script.Kept("d2");
        _script.Tell(null, complete: true, ("a", 1));
        Assert.Equal(("d2", true), Decision(await _sink.Next("decision")));
        _script.Kept("d3");
        _script.Kept("d4");
        _script.Tell("d5", complete: true, ("a", 2));
        _script.Kept("d5");
        Assert.Equal(("d3", true), Decision(await _sink.Next("decision", "features")));
        Assert.Equal(("d4", true), Decision(await _sink.Next("decision")));
        // Told in full, since it was heard.
        Assert.Equal(("d5", false), Decision(await _sink.Next("decision")));
    }

    [Theory]
    [InlineData("d3", false, "d4", "d5")]
    [InlineData("d5", false)]
    [InlineData("d0", true, "d2", "d3", "d4", "d5")]
    [InlineData("-", true, "d2", "d3", "d4", "d5")] // as many as a profile keeps: there may have been more
    [InlineData("nonsense", true, "d2", "d3", "d4", "d5")]
    public async Task A_client_that_comes_again_is_told_what_is_known_behind_its_last_event_and_what_is_not(string last, bool missed,
        params string[] again)
    {
        foreach (var id in new[] { "d1", "d2", "d3", "d4", "d5" }) _script.Kept(id);
        Listen(last);
        Assert.Equal(last, (await _sink.Next("ready")).Id);
        _script.Tell(null, complete: true, ("a", 1));
        if (missed)
        {
            var data = Data(await _sink.Next("missed"));
            Assert.Equal(("forgotten", last), ((string)data["reason"]!, (string)data["after"]!));
        }
        foreach (var id in again) Assert.Equal((id, true), Decision(await _sink.Next("decision")));
        await _sink.Next("features");
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(5, true)]
    public async Task A_request_that_was_told_last_hides_no_gap_among_the_others(int since, bool missed)
    {
        _script.Kept("r1");
        for (var i = 1; i <= since; i++) _script.Kept($"d{i}");
        Listen("r1");
        await _sink.Next("ready");
        _script.Tell(null, complete: true, ("a", 1));
        if (missed) Assert.Equal("r1", (string)Data(await _sink.Next("missed"))["after"]!);
        for (var i = since - Math.Min(since, Remember) + 1; i <= since; i++)
            Assert.Equal(($"d{i}", true), Decision(await _sink.Next("decision")));
    }

    [Fact]
    public async Task A_profile_that_can_not_be_read_is_said_to_be_missed()
    {
        Listen("d1");
        await _sink.Next("ready");
        _script.Status = RequestStatus.Restoring;
        _script.Tell("d9", complete: true, ("a", 1));
        Assert.Equal("restoring", (string)Data(await _sink.Next("missed"))["reason"]!);
        Assert.Equal(("d9", false), Decision(await _sink.Next("decision")));
    }

    [Fact]
    public async Task Who_reads_slowly_keeps_a_bounded_mailbox_and_gets_what_the_profile_still_knows()
    {
        Listen(last: null, new LiveOptions { Buffer = 3 });
        await _sink.Next("ready");
        _sink.Hold();
        _script.Tell(null, complete: true, ("a", 0));
        await _sink.Held;
        for (var i = 1; i <= 9; i++) _script.Decide($"d{i}", ("a", i));
        _sink.Release();
        await _sink.Next("features");
        Assert.Equal("slow", (string)Data(await _sink.Next("missed"))["reason"]!);
        foreach (var id in new[] { "d6", "d7", "d8", "d9" }) Assert.Equal((id, true), Decision(await _sink.Next("decision")));
        // No value is lost: the newest one stands.
        Assert.Equal(9, (double)Data(await _sink.Next("features"))["features"]!["a"]!);
    }

    [Fact]
    public async Task Silence_brings_signs_of_life_and_a_token_ends_its_stream()
    {
        var (served, _) = Listen(last: null, until: _time.GetUtcNow() + TimeSpan.FromSeconds(40));
        await _sink.Next("ready");
        await Until(() => _script.IsWatched);
        Pass(15);
        await Until(() => _sink.Beats == 1);
        Pass(14);
        Assert.Equal(1, _sink.Beats);
        Pass(12);
        Assert.Equal("expired", (string)Data(await _sink.Next("end"))["reason"]!);
        await served.WaitAsync(Patience);
        Assert.True(_sink.IsEnded);
        Assert.False(_script.IsWatched);
    }

    [Fact]
    public async Task A_connection_that_stands_still_is_closed()
    {
        var aborted = new TaskCompletionSource();
        Listen(last: null, abort: () => aborted.TrySetResult());
        await _sink.Next("ready");
        _sink.Hold();
        _script.Tell(null, complete: true, ("a", 0));
        await _sink.Held;
        Pass(9);
        Assert.False(aborted.Task.IsCompleted);
        Pass(3);
        await aborted.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Without_a_cluster_a_customer_that_has_moved_ends_the_stream_and_so_does_the_end_of_the_process()
    {
        var (moved, _) = Listen(last: null);
        await _sink.Next("ready");
        _script.IsHere = false;
        Pass(1);
        Assert.Equal("moved", (string)Data(await _sink.Next("end"))["reason"]!);
        await moved.WaitAsync(Patience);
        _script.IsHere = true;
        var late = Serve(null, null, () => { });
        await _sink.Next("ready");
        _live.Close();
        Assert.Equal("closing", (string)Data(await _sink.Next("end"))["reason"]!);
        await late.WaitAsync(Patience);
    }

    [Fact]
    public async Task Listeners_are_limited_and_give_their_place_back()
    {
        _live = Streams(new LiveOptions { MaxListeners = 3, MaxPerCustomer = 2 });
        Assert.Equal(["", "", "customer", "", "process"],
            new[] { "a", "a", "a", "b", "c" }.Select(c => _live.Open(c, null, () => { }).Limit));
        _live.Dispose();
        _live = Streams(new LiveOptions { MaxListeners = 1 });
        var served = Serve(null, null, () => { });
        await _sink.Next("ready");
        Assert.Equal("process", _live.Open("b", null, () => { }).Limit);
        _gone.Cancel();
        await served.WaitAsync(Patience);
        Assert.NotNull(_live.Open("b", null, () => { }).Listener);
    }

    [Fact]
    public void A_token_is_of_one_customer_one_secret_and_a_time()
    {
        var (tokens, now) = (new LiveTokens(new byte[32]), DateTimeOffset.UnixEpoch);
        var token = tokens.Make("ann", now + TimeSpan.FromSeconds(10));
        Assert.Equal(now + TimeSpan.FromSeconds(10), tokens.Verify(token, "ann", now));
        Assert.Null(tokens.Verify(token, "ann", now + TimeSpan.FromSeconds(10)));
        Assert.Null(tokens.Verify(token, "bob", now));
        Assert.Null(new LiveTokens(LiveTokens.NewSecret()).Verify(token, "ann", now));
        string[] wrongs = ["", ".", "10", "99" + token[2..], token + "A", token[..^1], $"-{token}", $"10.{new string('A', 400)}"];
        foreach (var wrong in wrongs)
            Assert.Null(tokens.Verify(wrong, "ann", now));
    }

    private static TimeSpan Patience => TimeSpan.FromSeconds(60);

    private (Task Served, LiveStreams Live) Listen(string? last, LiveOptions? options = null, DateTimeOffset? until = null,
        Action? abort = null)
    {
        _live = Streams(options ?? new LiveOptions());
        return (Serve(last, until, abort ?? (() => { })), _live);
    }

    private Task Serve(string? last, DateTimeOffset? until, Action abort) =>
        _live.ServeAsync(_live.Open("ann", until, abort).Listener!, _sink, last, _gone.Token);

    private LiveStreams Streams(LiveOptions options) =>
        new(options, new LiveSources(_script, _script, _ => _script.IsHere, Remember, Remember), new byte[32], _time);

    /// <summary>Lets the seconds pass one by one: a clock that leaps runs a timer's missed turns at once, all at the same time.</summary>
    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++) _time.Advance(TimeSpan.FromSeconds(1));
    }

    private static async Task Until(Func<bool> holds)
    {
        using var late = new CancellationTokenSource(Patience);
        while (!holds()) await Task.Delay(5, late.Token);
    }

    private static JsonNode Data(LiveMessage message) => JsonNode.Parse(message.DataBytes())!;

    private static (string, bool) Decision(LiveMessage message) =>
        ((string)Data(message)["decision_id"]!, (bool)Data(message)["again"]!);

    private static (int, bool) Features(LiveMessage message) =>
        (Data(message)["features"]!.AsObject().Count, (bool)Data(message)["all"]!);

    /// <summary>A customer whose commits the test makes.</summary>
    private sealed class Script : ICustomerFeed, ICustomerGateway
    {
        private readonly List<string> _kept = [];
        private readonly Queue<CustomerUpdate> _early = new();
        private Action<CustomerUpdate>? _told;

        public RequestStatus Status { get; set; }

        public bool IsHere { get; set; } = true;

        public bool IsWatched
        {
            get
            {
                lock (_kept) return _told is not null;
            }
        }

        public void Kept(string id)
        {
            lock (_kept) _kept.Insert(0, id);
        }

        public void Decide(string id, params (string Name, double Value)[] features)
        {
            Kept(id);
            Tell(id, complete: false, features);
        }

        public void Tell(string? decision, bool complete, params (string Name, double Value)[] features)
        {
            var update = new CustomerUpdate
            {
                Customer = "ann",
                At = DateTimeOffset.UnixEpoch,
                Decision = decision is null ? null : new CustomerDecision(decision, DecisionOrigin.Event, "home", Outcome.Served, []),
                Features = [.. features.Select(f => KeyValuePair.Create(f.Name, f.Value))],
                IsComplete = complete,
            };
            lock (_kept)
            {
                if (_told is null) _early.Enqueue(update);
                else _told(update);
            }
        }

        public IDisposable Watch(string customer, Action<CustomerUpdate> told)
        {
            lock (_kept)
            {
                _told = told;
                while (_early.TryDequeue(out var update)) told(update);
            }
            return new Watching(this);
        }

        public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default)
        {
            lock (_kept)
                return ValueTask.FromResult(new ProfileReply
                {
                    Status = Status,
                    // As many of requests ('r') as of others.
                    Decisions =
                    [
                        .. _kept.Where((id, i) => _kept.Take(i).Count(k => k[0] == 'r' == (id[0] == 'r')) < Remember)
                            .Select(id => new ProfileDecision(id, default, Outcome.Served, "club", id[0] == 'r')),
                    ],
                });
        }

        public ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default) =>
            throw new NotSupportedException();

        private sealed class Watching(Script script) : IDisposable
        {
            public void Dispose()
            {
                lock (script._kept) script._told = null;
            }
        }
    }

    /// <summary>A listener that can stop to read.</summary>
    private sealed class Sink : ILiveSink
    {
        private readonly BlockingCollection<LiveMessage> _sent = [];
        private TaskCompletionSource _open = Opened(), _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _beats;

        public int Beats => Volatile.Read(ref _beats);

        public bool IsEnded { get; private set; }

        public Task Held => _held.Task.WaitAsync(Patience);

        public void Hold() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _open.SetResult();

        public Task<LiveMessage> Next(string type, string? past = null) => Task.Run(() =>
        {
            while (_sent.TryTake(out var message, Patience))
            {
                if (message.Type == past) continue;
                Assert.Equal(type, message.Type);
                return message;
            }
            throw new Xunit.Sdk.XunitException($"no {type} was sent");
        });

        public ValueTask BeginAsync(TimeSpan retry, CancellationToken cancel) => ValueTask.CompletedTask;

        public async ValueTask SendAsync(LiveMessage message, CancellationToken cancel)
        {
            if (!_open.Task.IsCompleted) _held.TrySetResult();
            await _open.Task.WaitAsync(cancel);
            _sent.Add(message, cancel);
        }

        public ValueTask BeatAsync(CancellationToken cancel)
        {
            Interlocked.Increment(ref _beats);
            return ValueTask.CompletedTask;
        }

        public ValueTask EndAsync(CancellationToken cancel)
        {
            IsEnded = true;
            return ValueTask.CompletedTask;
        }

        private static TaskCompletionSource Opened()
        {
            var open = new TaskCompletionSource();
            open.SetResult();
            return open;
        }
    }
}
