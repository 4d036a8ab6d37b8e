using StreamEngine.Configuration;

namespace StreamEngine.Decisions;

/// <summary>By which names the numbers of arms are shared: another reward is another number.</summary>
internal static class ArmNames
{
    /// <summary>An arm's name.</summary>
    public static string Of(RewardKind reward, string placement, string offer) =>
        $"{SharedName.Arm}{Spelling.Snake(reward.ToString())}/{Escaped(placement)}/{Escaped(offer)}";

    /// <summary>All names, by exploration and offer; none for placements that do not learn.</summary>
    public static string[][] Of(DecisionPolicy policy) => [.. policy.Explorations.Select(e => e.Thompson is { } rule
        ? policy.Offers.Select(o => Of(rule.Reward, e.Name, o.Name)).ToArray() : [])];

    /// <summary>A name without slashes, as paths of URLs have it: it must be clear where it ends. Others stay readable.</summary>
    private static string Escaped(string name) =>
        name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);
}
