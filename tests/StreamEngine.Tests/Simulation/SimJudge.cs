using System.Text;
using Avro.Generic;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Tests.Events.Avro;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Judges a finished run: everything in the log against the oracle, the live shards against the oracle, and the live shards against what a
/// restore makes of the log.
/// </summary>
internal sealed class SimJudge(SimDriver driver, SimEngines engines)
{
    // Outcomes are written by configs with identifiers.
    private static readonly ApacheAvro Actions = Reader("action"), Letters = Reader("dead-letter"),
        OutcomeRecords = Reader("outcome"), AudienceRecords = Reader("audience");
    private readonly string[] _topics = driver.Sources == 2 ? ["shop", "mail"] : ["shop"];

    /// <summary>Decision records that came again.</summary>
    public int Repeated { get; private set; }

    /// <summary>Decisions that were compared.</summary>
    public int Decisions { get; private set; }

    /// <summary>Outcome records.</summary>
    public int OutcomeCount { get; private set; }

    /// <summary>Changes of segments.</summary>
    public int AudienceCount { get; private set; }

    /// <summary>Decisions that showed another candidate than the best one.</summary>
    public int Explored { get; private set; }

    /// <summary>Decisions that were made anew at the end of quiet hours.</summary>
    public int MadeAnew { get; private set; }

    /// <summary>Marks of what is switched off.</summary>
    public int Switched { get; private set; }

    /// <summary>Marks of other rows in the table.</summary>
    public int Followed { get; private set; }

    /// <summary>Marks of shared numbers.</summary>
    public int Granted { get; private set; }

    /// <summary>Marks of what arms have earned.</summary>
    public int Learned { get; private set; }

    /// <summary>Decisions in a placement that learns, made when something was known of an arm.</summary>
    public int Knowing { get; private set; }

    /// <summary>Offers that did not fit into a budget.</summary>
    public int Refused { get; private set; }

    /// <summary>Throws at the first difference.</summary>
    public void Judge()
    {
        var oracles = new SimOracle[driver.Partitions];
        var shared = driver.Shared.All(engines[driver.Sources, 0]);
        SimBudgets[] budgets =
            [.. Enumerable.Range(0, shared is null || driver.Sources == 2 ? 0 : driver.Partitions)
                .Select(p => new SimBudgets(p, driver.Repeats))];
        SimArms[] arms = [.. Enumerable.Range(0, shared is null || driver.Sources == 1 ? 0 : driver.Partitions)
            .Select(_ => new SimArms(engines[driver.Sources, 0].Policy))];
        for (var p = 0; p < driver.Partitions; p++)
        {
            var partition = p;
            oracles[p] = new SimOracle(p, _topics, driver.Asks, driver.Switches, driver.Tables, budgets.ElementAtOrDefault(p),
                arms.ElementAtOrDefault(p),
                [.. _topics.Select(t => driver.Log.Known(new TopicPartition(t, partition)).Committed().ToList())]);
            List<SimDecision> logged = [.. Logged(p).Select(value => new SimDecision(value))];
            oracles[p].Fold(logged);
            driver.Watches.Judge(p, [.. logged.Where(d => d.Kind == "decision")]);
            Decisions += oracles[p].Decisions;
            Explored += oracles[p].Explored;
            MadeAnew += oracles[p].MadeAnew;
            Switched += oracles[p].Switched;
            Followed += oracles[p].Followed;
            Same($"what is off in shard {p}", driver.Switches.AtTheEnd.Order(),
                oracles[p].Off.Where(o => !SimOracle.IsSegment(o)).Order());
            driver.Asks.Judge(oracles[p].Requested);
            driver.Coordination.Judge(oracles[p].Requested.ToDictionary(d => d.EventId), p);
            Set("late records", Once(oracles[p].Late.Select(Encoding.UTF8.GetString)),
                Once(Committed("late", p).Select(Encoding.UTF8.GetString)));
            Set("dead letters", oracles[p].DeadLetters.Order(), Once(Committed("dead-letter", p).Select(Letter)).Order());
            Offsets(p);
        }
        Same("actions", oracles.SelectMany(o => o.Served).Order(),
            Once(Enumerable.Range(0, driver.Partitions).SelectMany(p => Committed("actions", p)).Select(Action)).Order());
        if (driver.Sources == 2)
        {
            Outcomes([.. oracles.SelectMany(o => o.Served).Select(s => s.Id)]);
            if (shared is not null) SimArms.Judge(Closed(), shared, driver.Repeats);
            Audiences();
        }
        if (shared is not null) SimBudgets.Judge(budgets, shared, engines[driver.Sources, 0].Policy, driver.Repeats);
        (Learned, Knowing) = (arms.Sum(a => a.Marks), arms.Sum(a => a.Knowing));
        (Granted, Refused) = (budgets.Sum(b => b.Marks), budgets.Sum(b => b.Refused));
        foreach (var process in driver.Cluster.Processes)
            foreach (var shard in process.Worker.Shards.Values) State(shard, process.Version, oracles[shard.Partition]);
        if (driver.Tables.Fault is { } fault) throw new SimFailure(fault);
    }

    /// <summary>Each outcome was written once, or came again as it was, and each is of a decision that was shown.</summary>
    private void Outcomes(HashSet<string> served)
    {
        var ids = Enumerable.Range(0, driver.Partitions).SelectMany(p => Committed("outcomes", p))
            .Select(v => OutcomeRecords.Record(v.AsSpan(5))).Select(r => (Id: r.Text("outcome_id"), Of: r.Text("decision_id"))).ToList();
        if (!driver.Repeats) Same("outcomes", ids.Select(i => i.Id).Distinct(), ids.Select(i => i.Id));
        foreach (var (id, of) in ids)
            if (!served.Contains(of)) throw new SimFailure($"{id} is of no decision");
        OutcomeCount = ids.Count;
    }

    /// <summary>The records that closed decisions whose windows were over, each once.</summary>
    private IEnumerable<GenericRecord> Closed() => Enumerable.Range(0, driver.Partitions).SelectMany(p => Committed("outcomes", p))
        .Select(v => OutcomeRecords.Record(v.AsSpan(5))).Where(r => r.Text("status") == "closed").DistinctBy(r => r["outcome_id"]);

    /// <summary>
    /// Of each customer and segment every change was written once, in order, and the last one is what the owner's profile says. Where
    /// records come again, a record may be late at one try and not at the other, and profiles differ by it.
    /// </summary>
    private void Audiences()
    {
        if (driver.Repeats) return;
        var written = Enumerable.Range(0, driver.Partitions).SelectMany(p => Committed("audiences", p))
            .Select(v => AudienceRecords.Record(v.AsSpan(5))).ToList();
        AudienceCount = written.Count;
        var last = new Dictionary<string, long>();
        foreach (var changes in written.GroupBy(r => $"{r["segment"]}/{r["customer_id"]}"))
        {
            Same($"changes of {changes.Key}", changes.Select((_, i) => $"sim/{changes.Key}/{i + 1} {(i % 2 == 0 ? "enter" : "leave")}"),
                changes.Select(r => $"{r.Text("audience_id")} {r.Text("change")}"));
            last[changes.Key] = changes.Count();
        }
        foreach (var process in driver.Cluster.Processes)
            foreach (var shard in process.Worker.Shards.Values)
                foreach (var (customer, profile) in Profiles(shard))
                    foreach (var segment in engines[driver.Sources, process.Version].Segments.Segments)
                        Same($"{customer} in {segment.Name}", [last.GetValueOrDefault($"{segment.Name}/{customer}")],
                            [segment.Changes(profile)]);
    }

    /// <summary>
    /// The decision log's entries. Where they may come again, the first of each counts, and every other must be the same to the byte.
    /// </summary>
    private IEnumerable<byte[]> Logged(int partition)
    {
        var seen = new Dictionary<string, byte[]>();
        foreach (var value in Committed("decisions", partition))
        {
            var id = new SimDecision(value).Id;
            if (driver.Repeats && !seen.TryAdd(id, value))
            {
                if (!value.AsSpan().SequenceEqual(seen[id]))
                    throw new SimFailure($"{id} has two contents: {Told(seen[id])}\n  and then {Told(value)}");
                Repeated++;
                continue;
            }
            yield return value;
        }
    }

    private static string Told(byte[] value) => new SimDecision(value) is var d
        ? $"{d}, decided at {d.DecidedAt}, watermark {d.Watermark}, features {string.Join(' ', d.Features)}" : "";

    /// <summary>
    /// As <see cref="Same"/>; but where outputs may come again and there are two sources, one may be late or a duplicate at the first try
    /// and not at the second: which source's record came first is logged only once something was decided.
    /// </summary>
    private void Set<T>(string what, IEnumerable<T> expected, IEnumerable<T> actual)
    {
        if (driver.Repeats && driver.Sources == 2) Same(what, expected.Order(), actual.Where(expected.ToHashSet().Contains).Order());
        else Same(what, expected, actual);
    }

    private IEnumerable<T> Once<T>(IEnumerable<T> all) => driver.Repeats ? all.Distinct() : all;

    /// <summary>Everything that was read is committed.</summary>
    private void Offsets(int partition)
    {
        foreach (var topic in _topics)
        {
            var at = new TopicPartition(topic, partition);
            var end = driver.Log.Known(at).Committed().Select(r => r.Offset + 1).LastOrDefault();
            var next = driver.Log.Committed("sim", at) ?? 0;
            if (next < end) throw new SimFailure($"{topic}[{partition}] is committed up to {next}, not {end}");
        }
    }

    private void State(Shard live, int version, SimOracle oracle)
    {
        var features = engines[driver.Sources, version].Features;
        var vector = new double[features.Width];
        foreach (var customer in oracle.Customers)
        {
            live.ReadFeatures(customer.Key, 0, vector);
            var expected = customer.Features(customer.Newest);
            if (!customer.Agrees(expected, vector.AsSpan(0, features.Count)))
                Same($"features of {customer.Id} in shard {live.Partition}", expected, vector[..features.Count]);
            var texts = features.Texts.Of(vector).Select(t => t.Value).ToList();
            var types = customer.Types();
            Same($"strongest types of {customer.Id} in shard {live.Partition}",
                [types.ElementAtOrDefault(0).Type ?? "", types.ElementAtOrDefault(1).Type ?? ""], texts[..2]);
            Same($"latest type of {customer.Id} in shard {live.Partition}", [texts[3]],
                customer.Latest().DefaultIfEmpty("").Where(t => t == texts[3]).Take(1));
        }
        var kept = Profiles(live);
        Same($"customers of shard {live.Partition}", oracle.Customers.Select(c => c.Id), kept.Keys);

        Restored(live, kept, version: 0);
        Restored(live, kept, version: 1);
    }

    /// <summary>
    /// A restore makes the live shard anew, byte for byte: version 0 of the log alone, the others of the newest checkpoint and what came
    /// after it.
    /// </summary>
    private void Restored(Shard live, SortedDictionary<string, byte[]> kept, int version)
    {
        var engine = engines[driver.Sources, version];
        using var decisions = new DecisionBatch(engine);
        var settings = driver.Cluster.Settings("judge", version) with
        {
            Tables = driver.Tables.All(engine),
            Shared = driver.Shared.All(engine),
        };
        var fresh = new Shard(engine, live.Partition, new MemoryStateStore(), new OutputBuffer(), decisions, driver.Time,
            new PartitionCounts(driver.Partitions));
        if (version > 0) fresh.KeepCheckpoints(null, settings.SliceBytes, () => Task.FromResult(0L));
        using var restore = new ShardRestore(settings, fresh);
        driver.Cluster.RunTasks();
        while (!restore.Slice()) driver.Log.Tick();
        if (restore.Tail is { } tail) fresh.CatchUp(tail, settings.Tables);
        foreach (var (customer, profile) in Profiles(fresh))
            if (!profile.AsSpan().SequenceEqual(kept.GetValueOrDefault(customer)))
                throw new SimFailure($"version {version} restores {customer} as {string.Join(' ', Longs(profile))}, live "
                    + $"{string.Join(' ', Longs(kept.GetValueOrDefault(customer)))}");
        if (!fresh.State.Switches.Same(live.State.Switches))
            throw new SimFailure($"version {version} restores {string.Join(' ', fresh.State.Switches.Off)} as off, live "
                + $"{string.Join(' ', live.State.Switches.Off)}");
        if (fresh.State.Tables.Find("weights").Sum != live.State.Tables.Find("weights").Sum)
            throw new SimFailure($"version {version} restores tables {string.Join(' ', fresh.State.Tables.Tables)}, live "
                + $"{string.Join(' ', live.State.Tables.Tables)}");
        Shares(live, fresh, version);
        if (fresh.Profiles != live.Profiles)
            throw new SimFailure($"shard {live.Partition} has {live.Profiles} profiles, restored {fresh.Profiles}");
        // Of a profile that a checkpoint holds twice an older entry may wait as well; it comes to nothing. But every timer that a profile
        // waits for must be there.
        var waiting = kept.Values.Sum(profile => engines[driver.Sources, version].Timers.Waiting(profile).Count());
        var timers = fresh.Counters.TimersWaiting >= waiting
            && (version > 0 || fresh.Counters.TimersWaiting <= live.Counters.TimersWaiting);
        if (fresh.Counters.Watermark != live.Counters.Watermark || !timers)
            throw new SimFailure($"shard {live.Partition} has watermark {live.Counters.Watermark} and {live.Counters.TimersWaiting} "
                + $"timers, restored {fresh.Counters.Watermark} and {fresh.Counters.TimersWaiting}");
    }

    /// <summary>A shard goes on with the shared numbers that the live one has: those it decides by, and those it adds to.</summary>
    private void Shares(Shard live, Shard fresh, int version)
    {
        if (live.State.Shared is not { } mine || fresh.State.Shared is not { } others) return;
        var watermark = live.State.Watermark;
        if (!mine.View.Encoded(watermark).AsSpan().SequenceEqual(others.View.Encoded(watermark)))
            throw new SimFailure($"version {version} restores other shared numbers of shard {live.Partition}: "
                + $"{string.Join(' ', others.View.Numbers.Keys)}, live {string.Join(' ', mine.View.Numbers.Keys)}");
        if (driver.Repeats) return; // the tail is counted again
        Same($"shared numbers that shard {live.Partition} adds to, by version {version}", Told(mine), Told(others));
        // The clock goes on, so the last turn may have granted something that is not committed yet.
        foreach (var grant in others.Tallies.All.Where(IsGrant))
            if (grant.Values[0] > mine.Tallies.Of(grant.Name, 1).Values[0]) throw new SimFailure($"{grant.Name} was not granted");

        static IEnumerable<string> Told(SharedState state) => state.Tallies.All
            .Where(t => !IsGrant(t) && t.Values.IndexOfAnyExcept(0) >= 0)
            .Select(t => $"{t.Name} {string.Join(' ', t.Values.ToArray())}").Order();

        static bool IsGrant(Tally tally) => tally.Name.StartsWith("grant/", StringComparison.Ordinal);
    }

    private static long[] Longs(byte[]? profile) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(profile).ToArray();

    private IEnumerable<byte[]> Committed(string topic, int partition) =>
        driver.Log.Known(new TopicPartition(topic, partition)).Committed().Select(r => r.Record.Value!);

    private static SortedDictionary<string, byte[]> Profiles(Shard shard)
    {
        var copy = new Copy();
        shard.Scan(copy);
        return copy.Profiles;
    }

    private static (string, string, string) Action(byte[] value)
    {
        var action = Actions.Record(value.AsSpan(5));
        return ((string)action["action_id"]!, (string)action["customer_id"]!, (string)action["offer"]!);
    }

    private static (string, long, string) Letter(byte[] value)
    {
        var letter = Letters.Record(value.AsSpan(5));
        return ((string)letter["topic"]!, (long)letter["offset"]!, (string)letter["reason"]!);
    }

    private static void Same<T>(string what, IEnumerable<T> expected, IEnumerable<T> actual)
    {
        List<T> wanted = [.. expected], found = [.. actual];
        if (!wanted.SequenceEqual(found))
            throw new SimFailure($"{what}: {string.Join(" | ", found)}\n  expected: {string.Join(" | ", wanted)}");
    }

    private static ApacheAvro Reader(string schema) => ApacheAvro.Of(schema);

    private sealed class Copy : IProfileVisitor
    {
        public SortedDictionary<string, byte[]> Profiles { get; } = new(StringComparer.Ordinal);

        public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
        {
            var copy = profile.ToArray();
            StateLayout.Epoch(copy) = 0; // in which checkpoint it changed is known of no customer
            Profiles[Encoding.UTF8.GetString(key)] = copy;
        }
    }
}
