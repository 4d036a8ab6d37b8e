using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.State;

namespace StreamEngine.Decisions;

/// <summary>
/// The newest decisions of a customer, in the customer's profile: so that a request that is repeated gets the decision that it got before,
/// after a restart and on another node too, and so that a profile can be shown with what was decided last. Decisions that requests asked
/// for and those that events and timers caused are kept apart, so that a busy event stream can't push a request's decision out. The slots
/// belong to decisions alone: events never write them.
/// </summary>
public sealed class RecentDecisions
{
    /// <summary>
    /// What the hash of a request's id begins with, so that a request and an event of the same id are not taken for repeats of each other.
    /// </summary>
    private const ulong RequestSeed = 0x7265_7175_6573_74;

    private readonly Ring? _requested, _caused;
    private readonly ulong[] _offers;

    private RecentDecisions(Ring? requested, Ring? caused, ulong[] offers) => (_requested, _caused, _offers) = (requested, caused, offers);

    /// <summary>Whether decisions of such a cause are kept.</summary>
    public bool Keeps(DecisionOrigin origin) => Of(origin) is not null;

    /// <summary>Reserves the slots; keeps nothing where requests are off.</summary>
    internal static RecentDecisions Compile(RequestOptions options, IReadOnlyList<string> offers, StateLayout layout, ConfigErrors errors)
    {
        var hashes = offers.Select(HashOf).ToArray();
        if (!options.Enabled) return new RecentDecisions(null, null, hashes);
        if (hashes.Distinct().Count() < offers.Distinct().Count())
            errors.Add(options.Node, "enabled", "two offers' names have the same 64-bit hash", "Rename one of them");
        return new RecentDecisions(Ring.Reserve(layout, "requested", options.Remember, options.MaxOffers),
            options.Recent > 0 ? Ring.Reserve(layout, "caused", options.Recent, offers: 1) : null, hashes);
    }

    /// <summary>The hash under which a request's id is known.</summary>
    public static ulong HashOfRequest(ReadOnlySpan<byte> id) => Hash64.Of(id, RequestSeed);

    /// <summary>Keeps a decision just made.</summary>
    /// <param name="profile">The customer's profile.</param>
    /// <param name="request">Who, when, by what cause.</param>
    /// <param name="decision">What was decided.</param>
    public void Note(Span<byte> profile, in DecisionRequest request, Decision decision)
    {
        if (Of(request.Origin) is not { } ring) return;
        var number = NextNumber(profile); // before its place is taken
        ring.Next(profile, out var offers) = new Head
        {
            Request = request.Origin == DecisionOrigin.Request ? request.EventHash : 0,
            DecidedAt = request.DecidedAt,
            Offset = request.Offset,
            Source = request.Source,
            Ordinal = request.Ordinal,
            Outcome = decision.Outcome,
            Number = number,
            IsDefault = decision.IsDefault,
            P = decision.Chosen < 0 ? 0 : decision.P[decision.Chosen],
            Priority = decision.Chosen < 0 ? 0 : decision.Priority[decision.Chosen],
        };
        offers.Clear();
        if (decision.Chosen < 0) return;
        offers[0] = _offers[decision.Chosen];
        for (var offer = 0; offer < decision.Rank.Length; offer++)
        {
            var place = Place(decision, offer);
            if (place > 0 && place < offers.Length) offers[place] = _offers[offer];
        }
    }

    /// <summary>Keeps a decision that the log holds, while a shard is restored.</summary>
    /// <param name="profile">The customer's profile.</param>
    /// <param name="source">Index of the cause's source.</param>
    /// <param name="entry">What was logged.</param>
    /// <param name="value">The logged record's bytes.</param>
    public void Note(Span<byte> profile, int source, in LoggedDecision entry, ReadOnlySpan<byte> value)
    {
        if (Of(entry.Origin) is not { } ring) return;
        var served = entry.Outcome == Outcome.Served;
        var factors = served ? MemoryMarshal.Cast<byte, double>(entry.Factors.Of(value)) : default;
        var number = NextNumber(profile); // before its place is taken
        ring.Next(profile, out var offers) = new Head
        {
            Request = entry.Origin == DecisionOrigin.Request ? HashOfRequest(entry.EventId.Of(value)) : 0,
            DecidedAt = entry.DecidedAt,
            Offset = entry.Offset,
            Source = source,
            Ordinal = entry.Ordinal,
            Outcome = entry.Outcome,
            Number = number,
            IsDefault = entry.IsDefault,
            P = served ? factors[0] : 0,
            Priority = served ? factors[4] : 0,
        };
        offers.Clear();
        if (!served) return;
        offers[0] = HashOf(entry.Offer.Of(value));
        var chosenRank = 0;
        foreach (var candidate in new LoggedCandidates(entry, value))
            if (candidate.Offer.SequenceEqual(entry.Offer.Of(value))) chosenRank = candidate.Rank;
        foreach (var candidate in new LoggedCandidates(entry, value))
        {
            var rank = candidate.Rank;
            if (rank == 0 || rank == chosenRank) continue;
            var place = chosenRank == 0 || rank < chosenRank ? rank : rank - 1;
            if (place < offers.Length) offers[place] = HashOf(candidate.Offer);
        }
    }

    /// <summary>The decision that a request got; false where it is not kept (any more).</summary>
    public bool TryFind(ReadOnlySpan<byte> profile, ulong request, out KeptDecision found)
    {
        found = default;
        if (_requested is null) return false;
        for (var i = 0; i < _requested.Count(profile); i++)
        {
            var entry = _requested.Entry(profile, i);
            if (Ring.Header(entry).Request != request) continue;
            found = Read(entry, byRequest: true);
            return true;
        }
        return false;
    }

    /// <summary>All kept decisions, the newest first.</summary>
    public IReadOnlyList<KeptDecision> All(ReadOnlySpan<byte> profile)
    {
        var all = new List<KeptDecision>();
        foreach (var ring in new[] { _requested, _caused }.OfType<Ring>())
            for (var i = 0; i < ring.Count(profile); i++) all.Add(Read(ring.Entry(profile, i), ring == _requested));
        return [.. all.OrderByDescending(d => d.Number).ThenByDescending(d => d.DecidedAt)];
    }

    /// <summary>
    /// Where an offer stands behind the chosen one: 1 for the next best; 0 for the chosen one and for those that did not take part.
    /// </summary>
    internal static int Place(Decision decision, int offer)
    {
        var rank = decision.Rank[offer];
        if (rank == 0 || offer == decision.Chosen) return 0;
        var chosen = decision.Rank[decision.Chosen];
        return chosen == 0 || rank < chosen ? rank : rank - 1;
    }

    private static ulong HashOf(string offer) => HashOf(Encoding.UTF8.GetBytes(offer));

    private static ulong HashOf(ReadOnlySpan<byte> offer) => Hash64.Of(offer) is var hash and not 0 ? hash : 1;

    /// <summary>The number behind that of the newest decision of any cause.</summary>
    private uint NextNumber(ReadOnlySpan<byte> profile) =>
        Math.Max(_requested?.Newest(profile) ?? 0, _caused?.Newest(profile) ?? 0) + 1;

    private Ring? Of(DecisionOrigin origin) => origin == DecisionOrigin.Request ? _requested : _caused;

    private KeptDecision Read(ReadOnlySpan<byte> entry, bool byRequest)
    {
        ref readonly var head = ref Ring.Header(entry);
        var hashes = MemoryMarshal.Cast<byte, ulong>(entry[Unsafe.SizeOf<Head>()..]);
        var offers = new List<int>(hashes.Length);
        foreach (var hash in hashes)
            if (hash != 0) offers.Add(Array.IndexOf(_offers, hash));
        return new KeptDecision(byRequest, head.Number, head.DecidedAt, head.Source, head.Offset, head.Ordinal, head.Outcome,
            head.IsDefault, head.P, head.Priority, offers);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Head
    {
        public ulong Request;
        public long DecidedAt;
        public long Offset;
        public int Source;
        public int Ordinal;
        public Outcome Outcome;
        public bool IsDefault;

        /// <summary>Which of the customer's decisions it is: times say nothing of the order, as events and timers may be late.</summary>
        public uint Number;

        public double P;
        public double Priority;
    }

    /// <summary>So many entries in a slot of the profile, each a head and the hashes of its offers.</summary>
    private sealed class Ring(Slot slot, int kept, int offers)
    {
        private readonly int _width = Unsafe.SizeOf<Head>() + offers * sizeof(ulong);

        public static Ring Reserve(StateLayout layout, string name, int kept, int offers) =>
            new(layout.Reserve($"decisions/{name}", 8 + kept * (Unsafe.SizeOf<Head>() + offers * sizeof(ulong)),
                $"decisions kept={kept} offers={offers}"), kept, offers);

        public int Count(ReadOnlySpan<byte> profile) => MemoryMarshal.Read<int>(slot.In(profile));

        /// <summary>The number of the newest entry; 0 where there is none.</summary>
        public uint Newest(ReadOnlySpan<byte> profile)
        {
            if (Count(profile) == 0) return 0;
            var next = MemoryMarshal.Read<int>(slot.In(profile)[4..]);
            return Header(Entry(profile, next == 0 ? kept - 1 : next - 1)).Number;
        }

        public ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> profile, int index) => slot.In(profile).Slice(8 + index * _width, _width);

        public static ref readonly Head Header(ReadOnlySpan<byte> entry) => ref MemoryMarshal.AsRef<Head>(entry);

        /// <summary>The place of the next entry: a free one, or the oldest one's, whose decision is forgotten.</summary>
        public ref Head Next(Span<byte> profile, out Span<ulong> entryOffers)
        {
            var bytes = slot.In(profile);
            ref var count = ref MemoryMarshal.AsRef<int>(bytes);
            ref var next = ref MemoryMarshal.AsRef<int>(bytes[4..]);
            var entry = bytes.Slice(8 + next * _width, _width);
            next = next + 1 == kept ? 0 : next + 1;
            if (count < kept) count++;
            entryOffers = MemoryMarshal.Cast<byte, ulong>(entry[Unsafe.SizeOf<Head>()..]);
            return ref MemoryMarshal.AsRef<Head>(entry);
        }
    }
}

/// <summary>A decision as a profile keeps it.</summary>
/// <param name="ByRequest">Whether a request asked for it, and not an event or a timer.</param>
/// <param name="Number">Which of the customer's decisions it is, by the order of the log.</param>
/// <param name="DecidedAt">The event time at which it was evaluated, ms.</param>
/// <param name="Source">Index of the event source that its position counts in.</param>
/// <param name="Offset">The offset of its cause.</param>
/// <param name="Ordinal">Which of that offset's decisions it is.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="IsDefault">Whether the default offer was taken instead of arbitration's best.</param>
/// <param name="P">The chosen offer's propensity; 0 where none was chosen.</param>
/// <param name="Priority">The chosen offer's priority; 0 where none was chosen.</param>
/// <param name="Offers">Indexes of the offers, the chosen one first, then the next best; -1 for one that the config has no more.</param>
public readonly record struct KeptDecision(
    bool ByRequest, uint Number, long DecidedAt, int Source, long Offset, int Ordinal, Outcome Outcome, bool IsDefault, double P,
        double Priority, IReadOnlyList<int> Offers);
