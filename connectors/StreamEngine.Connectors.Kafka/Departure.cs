using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Leaving a group for good. A static member that only closes says nothing to the group, which waits for its return until the session
/// timeout; one that unsubscribes first does send the request to leave (librdkafka's rd_kafka_cgrp_leave_maybe), if it is given the time:
/// the request follows the revocation, which a poll has to serve.
/// </summary>
internal static class Departure
{
    /// <summary>
    /// Unsubscribes and serves the client until the request to leave is on its way; closing it then waits for the answer.
    /// </summary>
    /// <param name="consumer">The member.</param>
    /// <param name="serve">Polls it for a moment.</param>
    /// <param name="patience">How long it may take.</param>
    /// <returns>Whether the request was sent.</returns>
    public static bool Of(IConsumer<byte[], byte[]> consumer, Action serve, TimeSpan patience)
    {
        consumer.Unsubscribe();
        var wait = new Waiting(patience);
        while (consumer.MemberId.Length > 0) // librdkafka forgets its member id as it sends the request
        {
            if (wait.Left == TimeSpan.Zero) return false;
            serve();
        }
        return true;
    }
}
