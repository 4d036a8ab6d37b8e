using StreamEngine.Configuration;
using StreamEngine.State;
using StreamEngine.State.Savepoints;

namespace StreamEngine.Runtime.Savepoints;

/// <summary>What becomes of something that is kept of a customer.</summary>
public enum ItemFate
{
    /// <summary>It goes on from the savepoint.</summary>
    Kept,

    /// <summary>A new name for what the savepoint holds under another.</summary>
    Reused,

    /// <summary>It is new, and starts empty.</summary>
    Added,

    /// <summary>It is new, and is filled from the log.</summary>
    Backfilled,

    /// <summary>The config has it no more; what was kept is given up.</summary>
    Dropped,
}

/// <summary>A row of what a restore tells.</summary>
/// <param name="Name">The item, with its kind.</param>
/// <param name="Fate">What becomes of it.</param>
/// <param name="Text">What it is, or what it was.</param>
public sealed record ItemChange(string Name, ItemFate Fate, string Text);

/// <summary>
/// A savepoint's layout compared with a config's, slot by slot by name and shape, and told by the items that a config's author knows.
/// Whatever can't take the savepoint's place is a mistake of the config, all of them at once.
/// </summary>
internal sealed class LayoutChange
{
    private readonly List<ItemChange> _items = [];

    private LayoutChange(SavepointManifest from, CompiledEngine to)
    {
        FromLength = from.Layout.FixedLength;
        var old = from.Layout.Slots.ToDictionary(s => s.Name);
        foreach (var slot in to.Layout.Slots.Skip(1))
            if (!old.TryGetValue(slot.Name, out var known)) Added.Add(slot);
            else if (known.Shape == slot.Shape && known.Length == slot.Length) Kept.Add((known, slot));
            else Changed.Add(slot.Name, (known, slot));
        Purposes = [.. to.Options.Purposes.Select(p => from.Purposes.ToList().IndexOf(p))];
    }

    /// <summary>The length of the savepoint's fixed part.</summary>
    public int FromLength { get; }

    /// <summary>Slots that both have, as the savepoint and as the config places them.</summary>
    public List<(Slot From, Slot To)> Kept { get; } = [];

    /// <summary>Slots that only the config has.</summary>
    public List<Slot> Added { get; } = [];

    /// <summary>
    /// New features that share a part of what they are computed from with old ones: right only where a backfill reaches back as far as the
    /// savepoint does.
    /// </summary>
    public List<string> Mixed { get; } = [];

    /// <summary>What is allowed and worth a look.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>By the config's purposes, which bit of the savepoint's headers; -1 for none.</summary>
    public int[] Purposes { get; }

    /// <summary>What becomes of every item.</summary>
    public IReadOnlyList<ItemChange> Items => _items;

    private Dictionary<string, (Slot From, Slot To)> Changed { get; } = [];

    /// <summary>Compares.</summary>
    /// <param name="from">The savepoint.</param>
    /// <param name="to">The config.</param>
    /// <param name="backfill">Whether what is new is filled from the log.</param>
    /// <param name="errors">Takes what can't be restored.</param>
    public static LayoutChange Compare(SavepointManifest from, CompiledEngine to, bool backfill, ConfigErrors errors)
    {
        var change = new LayoutChange(from, to);
        change.CompareSources(from, to, errors);
        change.CompareItems(from, to, backfill, errors);
        return change;
    }

    private void CompareSources(SavepointManifest from, CompiledEngine to, ConfigErrors errors)
    {
        var (node, sources) = (to.Options.Node["events"] ?? to.Options.Node, to.Options.Events);
        var (before, after) = (string.Join(", ", from.Sources.Select(s => s.Topic)), string.Join(", ", sources.Select(s => s.Topic)));
        if (before != after)
        {
            errors.Add(node.At, $"the savepoint was folded from {before}, this config reads {after}: its offsets are those of other topics",
                "Read the same topics in the same order, or start without the savepoint");
            return;
        }
        for (var i = 0; i < sources.Count; i++)
        {
            var now = StateItems.Of(sources[i]);
            if (now.Customer != from.Sources[i].Customer)
                errors.Add(sources[i].Node, "customer",
                    $"customers of {sources[i].Topic} were read from '{from.Sources[i].Customer}', are now read from "
                    + $"'{now.Customer}': profiles are kept by customer",
                    "Restore the old definition, or start without the savepoint");
            if (now.Id != from.Sources[i].Id && to.Duplicates is not null)
                errors.Add(sources[i].Node, "id", $"event ids of {sources[i].Topic} were read from '{from.Sources[i].Id}', are now read "
                    + $"from '{now.Id}': repeats of what was remembered would not be known again",
                    "Restore the old definition, or turn duplicates off (duplicates.horizon: 0s)");
        }
        foreach (var (was, now) in from.Sources.Zip(sources.Select(StateItems.Of)))
            foreach (var (name, read) in was.Fields)
                if (now.Fields.TryGetValue(name, out var other) && other != read)
                    Warnings.Add($"{name} of {was.Topic} was read as {read}, is now read as {other}: what is kept holds what was read "
                        + "before");
        if (to.Options.Outputs.Decisions != from.Decisions)
            errors.Add(to.Options.Outputs.Node, "decisions",
                $"decisions were logged in topic '{from.Decisions}', are now logged in '{to.Options.Outputs.Decisions}': what was decided "
                + "after the savepoint is read from there", "Restore the old topic, or start without the savepoint");
    }

    private void CompareItems(SavepointManifest from, CompiledEngine to, bool backfill, ConfigErrors errors)
    {
        var old = from.Layout.Items.ToDictionary(i => i.Name);
        var items = StateItems.Of(to);
        var kept = Kept.Select(k => k.To.Name).ToHashSet();
        foreach (var (item, node) in items)
        {
            old.TryGetValue(item.Name, out var was);
            if (Refusal(was, item) is { } why)
            {
                errors.Add(node.At, $"{item.Name}: {why}", Remedy(was, item));
                continue;
            }
            var missing = item.Slots.Where(s => !kept.Contains(s)).ToList();
            var mixed = was is null && missing.Count > 0 && item.Kind == "feature" && SharesColumns(item, missing);
            if (mixed && backfill) Mixed.Add(item.Name);
            else if (mixed)
            {
                errors.Add(node.At, $"{item.Name}: a part of what it is computed from is kept ({Words(item.Slots.Except(missing))}), the "
                    + $"rest would start empty ({Words(missing)}): its values would be wrong", "Fill it from the log with --backfill");
                continue;
            }
            var fate = missing.Count == 0 || was is not null ? was is null ? ItemFate.Reused : ItemFate.Kept : backfill
                ? ItemFate.Backfilled : ItemFate.Added;
            _items.Add(new ItemChange(item.Name, fate, item.Text));
        }
        var names = items.Select(i => i.Item.Name).ToHashSet();
        foreach (var item in from.Layout.Items)
            if (!names.Contains(item.Name) && !item.Slots.All(kept.Contains))
                _items.Add(new ItemChange(item.Name, ItemFate.Dropped, item.Text));
    }

    /// <summary>Why an item can't go on from the savepoint; null where it can, or is new.</summary>
    private string? Refusal(StateItem? was, StateItem now)
    {
        if (was is not null && (was.Kind != now.Kind || (now.Kind == "feature" && !was.Slots.Order().SequenceEqual(now.Slots.Order()))))
            return $"it was {was.Text}; it is {now.Text}";
        foreach (var slot in now.Slots)
            if (Changed.TryGetValue(slot, out var shapes))
                return was is not null && was.Text != now.Text ? $"it was {was.Text}; it is {now.Text}"
                    : $"its state was '{shapes.From.Shape}'; it is '{shapes.To.Shape}'";
        return null;
    }

    private string Remedy(StateItem? was, StateItem now)
    {
        // Window slots are named by what they hold: another name of the feature would find the same slot.
        var byContent = now.Kind == "feature" && now.Slots.Any(Changed.ContainsKey);
        return byContent ? "Restore time.lateness and time.out_of_orderness, which size it, or start without the savepoint"
            : now.Kind == "duplicates" || was is null ? "Restore the old definition"
            : "Give it another name: under that it starts empty, or filled from the log with --backfill. Or restore the old definition";
    }

    /// <summary>Whether a kept slot is more than the window that new columns stand in.</summary>
    private static bool SharesColumns(StateItem item, List<string> missing) =>
        item.Slots.Except(missing).Any(s => s.Contains(" of ", StringComparison.Ordinal));

    private static string Words(IEnumerable<string> slots) => string.Join(", ", slots.Select(s => s["features/".Length..]));
}
