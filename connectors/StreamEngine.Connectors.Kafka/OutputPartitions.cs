namespace StreamEngine.Connectors.Kafka;

/// <summary>Whether the partitions that outputs go to are there.</summary>
internal static class OutputPartitions
{
    /// <exception cref="LogException">The output's topic has fewer partitions.</exception>
    public static void Check(WorkerOptions worker, int[] partitions, in OutputInfo output)
    {
        if ((uint)output.Partition >= (uint)partitions[output.Topic])
            throw new LogException($"{worker.Outputs[output.Topic]}[{output.Partition}]: the topic has only {partitions[output.Topic]} "
                + "partitions. Create it with as many as the events topic.");
    }
}
