using Microsoft.AspNetCore.Http;
using StreamEngine.Dashboard;
using StreamEngine.Host.Activation;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Dead letters that are sent again beside a running engine.</summary>
public sealed class ReplayDeskTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    private readonly ActivationBench _bench = new();
    private Partner _partner = null!;

    public async Task InitializeAsync() => _partner = await Partner.StartAsync();

    public async Task DisposeAsync()
    {
        await _bench.DisposeAsync();
        await _partner.DisposeAsync();
    }

    [Fact]
    public async Task One_replay_at_a_time_tells_who_started_it_and_what_came_of_it()
    {
        _partner.Answer = (_, context) => Say(context, 422);
        _bench.WriteActions(3);
        await _bench.DrainAsync(ActivationBench.Webhook(_partner));
        Assert.Equal(3, _bench.DeadLetters().Count);

        var letGo = new TaskCompletionSource();
        _partner.Answer = async (call, context) =>
        {
            await letGo.Task;
            await Say(context, call.Body.Contains("/0/1/0", StringComparison.Ordinal) ? 422 : 200);
        };
        await using var desk = new ReplayDesk(_bench.Compile(ActivationBench.Webhook(_partner)), _bench.Settings);
        var control = desk.Control!;
        Assert.Equal(["crm"], control.Connectors);
        Assert.Null(control.Newest());
        Assert.True(control.Start("ann", "their outage is over"));
        Assert.False(control.Start("bob", "me too"));
        Assert.False(control.Newest()!.Ended);
        letGo.SetResult();
        await EndAsync(control);
        Assert.Equal([new ReplayCount("crm", 2, 1, 0)], control.Newest()!.Counts);
        Assert.Null(control.Newest()!.Fault);
        Assert.Contains("replay of dead letters of crm started by ann: their outage is over", _bench.Lines);
        Assert.Contains("replay of dead letters started by ann ended: crm: 2 delivered, 1 refused again", _bench.Lines);

        // The next one has what was refused again, and nothing else.
        _partner.Answer = (_, context) => Say(context, 200);
        Assert.True(control.Start("bob", "and again"));
        await EndAsync(control);
        Assert.Equal([new ReplayCount("crm", 1, 0, 0)], control.Newest()!.Counts);
        await desk.DisposeAsync();
        Assert.False(control.Start("ann", "too late"));
    }

    private Task EndAsync(ReplayControl control) => _bench.UntilAsync(() => control.Newest()!.Ended, "the replay's end", step: Step);

    private static Task Say(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
