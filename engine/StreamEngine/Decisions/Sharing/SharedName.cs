using System.Globalization;

namespace StreamEngine.Decisions;

/// <summary>Which shards decide by a shared number.</summary>
internal enum SharedReach : byte
{
    /// <summary>None: it is only added up.</summary>
    Nobody,

    /// <summary>All, by its sum over the shards.</summary>
    Everybody,

    /// <summary>The one that its name ends with.</summary>
    OneShard,
}

/// <summary>
/// The names of shared numbers. What a name begins with is its kind, and the kind says which shards decide by it:
/// <code>
///  budget/NAME@PERIOD          what a shard has spent of a budget           nobody: the allocator alone adds it up
///  grant/NAME@PERIOD/SHARD     what a shard may have spent of it by now     that shard
///  arm/REWARD/PLACEMENT/OFFER  what an offer has earned in a placement      everybody, by the sum as of one time (ArmTally)
/// </code>
/// </summary>
internal static class SharedName
{
    /// <summary>The kind of what is spent.</summary>
    public const string Budget = "budget/";

    /// <summary>The kind of what may be spent.</summary>
    public const string Grant = "grant/";

    /// <summary>The kind of what was seen of a choice.</summary>
    public const string Arm = "arm/";

    /// <summary>Which shards decide by a number of this name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="shard">The one shard, where it is one; -1 else.</param>
    public static SharedReach ReachOf(string name, out int shard)
    {
        shard = -1;
        if (name.StartsWith(Arm, StringComparison.Ordinal)) return SharedReach.Everybody;
        return name.StartsWith(Grant, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(name.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out shard)
            ? SharedReach.OneShard : SharedReach.Nobody;
    }
}
