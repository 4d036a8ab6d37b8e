namespace StreamEngine.Runtime;

/// <summary>When a worker's loop last moved.</summary>
/// <param name="Worker">Its number in the process.</param>
/// <param name="Since">The time since it last came to its poll.</param>
/// <param name="StandsStill">Whether that is longer than any turn takes while the log answers.</param>
public readonly record struct WorkerTurn(int Worker, TimeSpan Since, bool StandsStill)
{
    /// <summary>
    /// Twice the longest turn while the log answers: the offsets of a commit, then the commit or its abort, are each tried for two
    /// transaction timeouts, and another producer has to take over. A log that is away for so long makes a worker stand still as well:
    /// nothing can be done without it.
    /// </summary>
    /// <param name="transactionTimeout">The log's: <see cref="Connectors.ILog.TransactionTimeout"/>.</param>
    public static TimeSpan Limit(TimeSpan transactionTimeout)
    {
        var longest = transactionTimeout * 12;
        return longest > Least ? longest : Least;
    }

    private static TimeSpan Least => TimeSpan.FromMinutes(2);
}
