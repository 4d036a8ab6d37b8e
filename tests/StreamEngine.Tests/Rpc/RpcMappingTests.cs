using Grpc.Core;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Rpc;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Rpc;

/// <summary>What the engine has as values, as gRPC has it.</summary>
public sealed class RpcMappingTests
{
    [Fact]
    public void Every_outcome_and_every_status_has_its_word()
    {
        foreach (var outcome in Enum.GetValues<Outcome>())
            Assert.Equal(outcome == Outcome.None ? "Unspecified" : outcome.ToString(), RpcMessages.Of(outcome).ToString());
        Assert.Equal(
            ["Invalid InvalidArgument", "Busy Unavailable", "Moved Unavailable", "Restoring Unavailable", "TimedOut DeadlineExceeded",
                "Forgotten FailedPrecondition"],
            Enum.GetValues<RequestStatus>().Where(s => s != RequestStatus.Done)
                .Select(s => $"{s} {RpcFaults.Of(new ProfileReply { Status = s }).StatusCode}"));
    }

    [Fact]
    public void A_customer_is_told_with_the_features_that_are_texts()
    {
        var told = RpcMessages.Of("ann", new ProfileReply
        {
            Features = [new("revenue", 80)],
            Texts = [new("last_type", "purchase"), new("country", "")],
        });
        Assert.Equal((80, "purchase", ""), (told.Features["revenue"], told.Texts["last_type"], told.Texts["country"]));
    }

    [Theory]
    [InlineData(0, 500, 500)] // no deadline
    [InlineData(10_000, 500, 500)]
    [InlineData(200, 500, 180)]
    [InlineData(10_000, 20_000, 9_950)]
    [InlineData(-5, 500, 1)]
    public async Task A_calls_deadline_shortens_the_time_that_a_request_is_tried(int deadline, int asked, int tried)
    {
        TimeSpan? given = null;
        var gateway = new Recording(t => given = t);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var context = new DeadlineContext(deadline == 0 ? DateTime.MaxValue : now.AddMilliseconds(deadline));
        await new DecisionsService(gateway, TimeSpan.FromMilliseconds(asked)).Decide(new V1.DecideRequest { Customer = "c" }, context);
        // Time goes on meanwhile, on a busy machine for long.
        var late = (TimeProvider.System.GetUtcNow().UtcDateTime - now).TotalMilliseconds;
        Assert.InRange(given!.Value.TotalMilliseconds, Math.Min(tried, Math.Max(1, tried - late - 1)), tried);
    }

    [Fact]
    public void Its_port_is_its_own()
    {
        var errors = new ConfigErrors();
        HttpCheck.Check(new HttpOptions { Port = 9464, GrpcPort = 9464 }, "", errors);
        HttpCheck.Check(new HttpOptions { Port = 0, GrpcPort = 9465 }, "", errors);
        HttpCheck.Check(new HttpOptions { GrpcPort = 9465 }, "", errors);
        Assert.Equal(2, errors.All.Count);
        Assert.Contains("port 9464 is http.port's already", errors.All[0].Message, StringComparison.Ordinal);
        Assert.Contains("http.port: 0 turns off", errors.All[1].Message, StringComparison.Ordinal);
    }

    private sealed class Recording(Action<TimeSpan?> told) : ICustomerGateway
    {
        public ValueTask<DecideReply> DecideAsync(DecideRequest request, CancellationToken cancel = default)
        {
            told(request.Timeout);
            return ValueTask.FromResult(new DecideReply());
        }

        public ValueTask<ProfileReply> ReadAsync(ReadRequest request, CancellationToken cancel = default) =>
            throw new NotSupportedException();
    }

    private sealed class DeadlineContext(DateTime deadline) : ServerCallContext
    {
        protected override string MethodCore => "";
        protected override string HostCore => "";
        protected override string PeerCore => "";
        protected override DateTime DeadlineCore => deadline;
        protected override Metadata RequestHeadersCore => [];
        protected override CancellationToken CancellationTokenCore => default;
        protected override Metadata ResponseTrailersCore => [];
        protected override Status StatusCore { get; set; }
        protected override WriteOptions? WriteOptionsCore { get; set; }
        protected override AuthContext AuthContextCore => throw new NotSupportedException();

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
