using Grpc.Core;

namespace StreamEngine.Host.Rpc;

/// <summary>How long a call is tried.</summary>
internal static class RpcDeadline
{
    /// <summary>What is left of a caller's patience for the answer's way back: a tenth, and no more than this.</summary>
    private static readonly TimeSpan MostForTheWay = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The time that was asked for, or the config's, and less where the call's deadline comes before: an answer that says what is at
    /// fault, or a stand-in, is to be there before its caller has given up.
    /// </summary>
    /// <param name="asked">What the request asks for, or the config says.</param>
    /// <param name="context">The call.</param>
    public static TimeSpan Timeout(TimeSpan asked, ServerCallContext context)
    {
        if (context.Deadline == DateTime.MaxValue) return asked;
        var left = context.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime;
        left -= left / 10 < MostForTheWay ? left / 10 : MostForTheWay;
        var least = TimeSpan.FromMilliseconds(1);
        return left < least ? least : left < asked ? left : asked;
    }
}
