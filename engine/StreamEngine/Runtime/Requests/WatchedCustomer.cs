using System.Collections.Immutable;

namespace StreamEngine.Runtime.Requests;

/// <summary>A customer that somebody watches: who, and what the loop has gathered about it in this turn.</summary>
/// <param name="name">The customer id.</param>
/// <param name="key">The profile's key.</param>
internal sealed class WatchedCustomer(string name, byte[] key)
{
    /// <summary>The customer id.</summary>
    public string Name => name;

    /// <summary>The profile's key.</summary>
    public byte[] Key => key;

    /// <summary>Who is told; replaced under the lock of the shard's watches.</summary>
    public ImmutableArray<Action<CustomerUpdate>> Watchers { get; set; } = [];

    /// <summary>Whether a watcher came who has been told nothing yet: the next update has all features. Under the same lock.</summary>
    public bool IsFresh { get; set; }

    /// <summary>Whether the turn did something about it. Loop's thread only, like what follows.</summary>
    public bool IsTouched { get; set; }

    /// <summary>The turn's decisions.</summary>
    public List<(DateTimeOffset At, CustomerDecision Decision)> Decisions { get; } = [];

    /// <summary>The feature values that the newest update stands for; null where all of them are to be told.</summary>
    public double[]? Features { get; set; }
}

/// <summary>An update that waits for the commit of what it tells.</summary>
/// <param name="Shard">The shard that it comes from.</param>
/// <param name="Customer">Of whom.</param>
/// <param name="Watchers">Who watched when it was made: whoever came later begins with an update that has all features.</param>
/// <param name="Update">What is told.</param>
internal readonly record struct CustomerNews(ShardWatches Shard, WatchedCustomer Customer, ImmutableArray<Action<CustomerUpdate>> Watchers,
    CustomerUpdate Update)
{
    /// <summary>The commit is confirmed: those are told who still watch.</summary>
    public void Release() => Shard.Tell(this);
}
