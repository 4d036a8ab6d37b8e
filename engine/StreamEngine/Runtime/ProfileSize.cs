using System.Numerics;
using StreamEngine.Configuration;
using StreamEngine.Features;
using StreamEngine.State;

namespace StreamEngine.Runtime;

/// <summary>
/// Holds that every profile which can come to be fits where profiles are kept: on a page of the store, and in a record of the checkpoint
/// topic. A profile that outgrew one of them would stop its shard, and again at every start.
/// </summary>
internal static class ProfileSize
{
    /// <summary>
    /// The filter of duplicates for as many ids as fit. Where the config asks for more, or the fixed part alone is too long, that is a
    /// mistake.
    /// </summary>
    /// <param name="options">The whole config.</param>
    /// <param name="layout">The profile's layout, whole.</param>
    /// <param name="duplicates">The filter as the config has it; null where duplicates are not looked for.</param>
    /// <param name="largestRecord">The most bytes of a record that the log takes.</param>
    /// <param name="errors">Takes the mistake.</param>
    public static DuplicateFilter? Check(EngineOptions options, StateLayout layout, DuplicateFilter? duplicates, int largestRecord,
        ConfigErrors errors)
    {
        long most = options.State.LargestProfile;
        var (place, more) = ($"the store's largest page (a quarter of state.memory, {options.State.Memory})", "");
        if (most == StateLayout.MaxProfileBytes) place = "a profile";
        var topic = largestRecord - StateLayout.BesideProfile;
        if (options.Checkpoints.Topic.Length > 0 && options.Checkpoints.Interval > TimeSpan.Zero && topic < most)
            (most, place, more) = (topic, $"a record of checkpoints.topic ({largestRecord} bytes)",
                ", or raise kafka.settings message.max.bytes and the topic's max.message.bytes");
        var fits = duplicates?.Within(most, out var ids);
        if (layout.Needed + (duplicates is null ? 0 : DuplicateFilter.SmallestTail) > most)
        {
            var largest = layout.Slots.MaxBy(s => s.Length)!;
            errors.Add(options.Node, largest.Name.StartsWith("features/", StringComparison.Ordinal) ? "features" : "decisions",
                $"a profile would take {layout.Needed} bytes, and {place} holds {most}; the largest part is {largest.Name} with "
                + $"{largest.Length}", $"Keep fewer or shorter windows, longer panes (every), or lower caps{Memory(layout.Needed)}{more}");
        }
        else if (duplicates is not null && fits is null)
        {
            duplicates.Within(most, out ids);
            errors.Add(options.Duplicates.Node, "max_per_customer", $"{duplicates.Most} ids make a profile of {duplicates.LargestProfile} "
                + $"bytes, and {place} holds {most}", $"Remember {ids} at most{Memory(duplicates.LargestProfile)}{more}");
        }
        return fits;

        // The memory with whose quarter it would fit, where that is what is short.
        string Memory(long bytes)
        {
            var page = (long)BitOperations.RoundUpToPowerOf2((ulong)bytes + StateLayout.BesideProfile);
            return bytes > StateLayout.MaxProfileBytes || more.Length > 0 ? "" : $", or raise state.memory to {new ByteSize(4 * page)}";
        }
    }
}
