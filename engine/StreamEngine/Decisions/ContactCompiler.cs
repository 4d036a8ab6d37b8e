using StreamEngine.Configuration;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>Compiles contact limits, one by one, to their counters.</summary>
internal sealed class ContactCompiler(IReadOnlyList<OfferOptions> offers, OutcomeOptions? outcomes, StateLayout layout, ConfigErrors errors)
{
    private static readonly Dictionary<LimitScope, DropReason> CapReasons = new()
    {
        [LimitScope.Customer] = DropReason.CustomerCap,
        [LimitScope.Offer] = DropReason.OfferCap,
        [LimitScope.Channel] = DropReason.ChannelCap,
        [LimitScope.Group] = DropReason.GroupCap,
    };

    /// <summary>The limits so far.</summary>
    public List<ContactPolicy.Limit> Limits { get; } = [];

    /// <summary>Their counters.</summary>
    public List<ContactPolicy.Counter> Counters { get; } = [];

    /// <summary>Adds a limit.</summary>
    /// <param name="options">The limit.</param>
    /// <param name="what">What it is called; its slots' names begin with it.</param>
    /// <param name="countKey">The config's key for how many.</param>
    /// <param name="rest">How long it forbids once it is reached; zero for a cap, which forbids as long as its window is full.</param>
    /// <param name="before">Those of its kind that were declared before it.</param>
    public void Add(IContactLimit options, string what, string countKey, TimeSpan rest, IEnumerable<IContactLimit> before)
    {
        if (before.Any(c => c.Name == options.Name))
            errors.Add(options.Node.At, $"{what} {options.Name} is declared twice", "Rename or remove one of them");
        if (options.Count < 1)
            errors.Add(options.Node, countKey, $"a {what} of {options.Count} can't be kept",
                "Choose 1 or more; to forbid an offer, use eligible: 'false'");
        if (options.Window <= TimeSpan.Zero)
            errors.Add(options.Node, "window", $"a window of {options.Window} holds nothing", "Choose a duration above 0, such as 1d");
        CheckOutcome(options, what);
        var covered = Covered(options);
        var keys = offers.Where((_, i) => covered[i]).Select(o => KeyOf(options.Per, o)).Distinct().ToList();
        if (options.Per == LimitScope.Group && keys.Count == 0 && offers.Count > 0)
            errors.Add(options.Node, "per", $"{what} {options.Name} counts groups, and none of its offers has one",
                "Give the offers that are of one kind the same 'group'");
        var (max, rests) = (Math.Max(1, options.Count), rest > TimeSpan.Zero);
        var length = ContactPolicy.Counter.Bytes(max, rests);
        var slots = options.Per == LimitScope.Customer ? 1 : keys.Count;
        Limits.Add(new ContactPolicy.Limit(options.Name, rests ? DropReason.Suppressed : CapReasons[options.Per],
            options.Per == LimitScope.Customer && IsOfAll(options)));
        if ((long)length * slots > ContactPolicy.MaxBytes)
        {
            errors.Add(options.Node, countKey,
                $"{what} {options.Name} takes {(long)length * slots} bytes in every profile, more than {ContactPolicy.MaxBytes}",
                $"Lower {countKey}, or name fewer offers");
            return;
        }
        if (options.Per == LimitScope.Customer) Reserve("", covered);
        else foreach (var key in keys) Reserve(key, [.. offers.Select((o, i) => covered[i] && KeyOf(options.Per, o) == key)]);

        void Reserve(string key, bool[] covers)
        {
            var shape = $"times max={max}";
            if (rests) shape += " rests";
            if (options.Outcome is { } kind) shape += $" of={Spelling.Snake(kind.ToString())}";
            var slot = layout.Reserve(key.Length == 0 ? $"{what}/{options.Name}" : $"{what}/{options.Name}/{key}", length, shape,
                Meaning(options, covered));
            Counters.Add(new ContactPolicy.Counter(Limits.Count - 1, key, slot, options.Outcome ?? OutcomeKind.None, max,
                (long)options.Window.TotalMilliseconds, (long)rest.TotalMilliseconds, covers));
        }
    }

    private static bool IsOfAll(IContactLimit options) => options.Offers.Count + options.Channels.Count + options.Groups.Count == 0;

    private static string KeyOf(LimitScope scope, OfferOptions offer) => scope switch
    {
        LimitScope.Offer => offer.Name,
        LimitScope.Channel => offer.Channel,
        LimitScope.Group => offer.Group,
        _ => "",
    };

    /// <summary>What a savepoint of another config must share beside the shape.</summary>
    private string Meaning(IContactLimit options, bool[] covered) => options.Per switch
    {
        LimitScope.Offer => "",
        LimitScope.Customer => IsOfAll(options) ? "of all offers" : $"of {Names(covered)}",
        _ => $"by {Spelling.Snake(options.Per.ToString())}{(IsOfAll(options) ? "" : $" of {Names(covered)}")}",
    };

    private string Names(bool[] covered) =>
        string.Join(", ", offers.Where((_, i) => covered[i]).Select(o => o.Name).Order(StringComparer.Ordinal));

    private bool[] Covered(IContactLimit options)
    {
        Known("offers", options.Offers, [.. offers.Select(o => o.Name)], "offer");
        Known("channels", options.Channels, [.. offers.Select(o => o.Channel).Distinct()], "offer's channel");
        Known("groups", options.Groups, [.. offers.Select(o => o.Group).Where(g => g.Length > 0).Distinct()], "offer's group");
        return [.. offers.Select(o => Has(options.Offers, o.Name) && Has(options.Channels, o.Channel) && Has(options.Groups, o.Group)
            && (options.Per != LimitScope.Group || o.Group.Length > 0))];

        static bool Has(IReadOnlyList<string> some, string one) => some.Count == 0 || some.Contains(one);

        void Known(string key, IReadOnlyList<string> given, string[] known, string what)
        {
            foreach (var name in given)
                if (!known.Contains(name))
                    errors.Add(options.Node, key, $"'{name}' is no {what}", KnownNames.Hint(name, known, key));
        }
    }

    private void CheckOutcome(IContactLimit options, string what)
    {
        if (options.Outcome is not { } kind) return;
        var name = Spelling.Snake(kind.ToString());
        if (kind == OutcomeKind.None)
            errors.Add(options.Node, "outcome", "'none' is no outcome",
                "Choose impression, click, conversion, refund or reject; leave it out to count what is shown");
        else if (outcomes?.Events.Any(e => e.Kind == kind) != true)
            errors.Add(options.Node, "outcome", $"no event is a {name}, so {what} {options.Name} would count nothing",
                $"Declare one under 'outcomes.events' with kind: {name}");
    }
}
