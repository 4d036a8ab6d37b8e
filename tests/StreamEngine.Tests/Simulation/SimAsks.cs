using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Runtime;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Tests.Simulation;

/// <summary>A request for a decision, however often it was tried.</summary>
internal sealed record SimAsk(string Id, string Customer, string Placement, long Time)
{
    public List<(Task<DecideReply> Answer, int Asked)> Tries { get; } = [];

    public override string ToString() => $"request {Id} of {Customer}";
}

/// <summary>
/// Asks for decisions and profiles at every boundary: of whoever has an inbox for the customer's shard, be it the owner, one that only
/// thinks it is, or one that is being restored. Then judges the answers: one decision for a request's id, the one in the log; and what was
/// told before an answer was asked for is in it.
/// </summary>
internal sealed class SimAsks(SimDriver driver, SimCluster cluster, Random random, CompiledEngine engine)
{
    public const int Remembered = 3, MostOffers = 2;
    private const int Customers = 8;

    private readonly RequestCompiler? _compiler = driver.Repeats ? null : new RequestCompiler(engine);
    private readonly Dictionary<string, SimAsk> _asks = [];
    private readonly List<SimAsk> _inOrder = [];
    private readonly List<(string Customer, Task<ProfileReply> Answer, int Asked)> _reads = [];
    private readonly List<(string Customer, string Decision, int Told)> _told = [];
    private readonly HashSet<Task> _seen = [];
    private readonly List<Task<DecideReply>> _last = [];
    private int _clock;

    /// <summary>Answers that told a decision, and profiles that were told.</summary>
    public int Answered => _told.Count + _reads.Count(r => IsDone(r.Answer));

    public SimAsk? Find(string id) => _asks.GetValueOrDefault(id) ?? driver.Coordination.Find(id);

    /// <summary>At a boundary somebody may ask.</summary>
    public void MayAsk()
    {
        if (_compiler is null || random.Next(14) > 0) return;
        var roll = random.Next(10);
        if (roll < 3 && _inOrder.Count > 0) Again();
        else if (roll < 7) Decide(New());
        else Read(Customer());
    }

    /// <summary>Notes which answers have come: what is asked from now on comes after them.</summary>
    public void Look()
    {
        foreach (var ask in _inOrder.TakeLast(20))
            foreach (var (answer, _) in ask.Tries)
            {
                if (!IsDone(answer) || !_seen.Add(answer)) continue;
                driver.Tell($"{ask} was told {answer.Result.DecisionId}");
                _told.Add((ask.Customer, answer.Result.DecisionId, ++_clock));
            }
    }

    /// <summary>Once all is well everybody gets an answer.</summary>
    public void AskEverybody()
    {
        if (_compiler is null) return;
        for (var i = 0; i < Customers; i++)
            _last.Add(Decide(New() with { Customer = $"c{i}" }) ?? throw new SimFailure("nobody takes requests"));
    }

    public void AllAnswered()
    {
        foreach (var answer in _last)
            if (!IsDone(answer))
                throw new SimFailure("a request was not answered: "
                    + $"{(answer.IsCompleted ? $"{answer.Result.Status}, {answer.Result.Message}" : "no reply")}");
    }

    /// <summary>Every answer against the log of a partition.</summary>
    public void Judge(IReadOnlyList<SimDecision> logged)
    {
        foreach (var twice in logged.GroupBy(d => d.EventId).Where(g => g.Count() > 1))
            throw new SimFailure($"decided twice: {string.Join(" | ", twice)}");
        if (_compiler is null) return;
        var byId = logged.ToDictionary(d => d.EventId);
        var partition = logged.Count > 0 ? Partition(logged[0].Customer) : -1;
        foreach (var ask in _inOrder.Where(a => byId.ContainsKey(a.Id) || Partition(a.Customer) == partition))
            foreach (var (answer, _) in ask.Tries)
                if (IsDone(answer)) Same(ask, answer.Result, byId.GetValueOrDefault(ask.Id));
        foreach (var read in _reads.Where(r => IsDone(r.Answer))) Seen(read.Customer, read.Answer.Result, read.Asked);
    }

    public static bool IsDone<T>(Task<T> answer) where T : Reply => answer.IsCompleted && answer.Result.Status == RequestStatus.Done;

    public static void Same(SimAsk ask, DecideReply told, SimDecision? logged)
    {
        if (logged is null) throw new SimFailure($"{ask} was told {told.DecisionId}, which is not in the log");
        if (told.DecisionId != logged.Id || OutputName(told) != logged.Outcome)
            throw new SimFailure($"{ask} was told {told.DecisionId} {told.Outcome}, logged {logged}");
        string[] offers = logged.Offer is null ? []
            : [logged.Offer, .. logged.Candidates.Where(c => c.Rank > 0 && c.Offer != logged.Offer).OrderBy(c => c.Rank)
                .Select(c => c.Offer).Take(MostOffers - 1)];
        if (!told.Offers.Select(o => o.Offer).SequenceEqual(offers))
            throw new SimFailure($"{ask} was {(told.Repeated ? "again " : "")}told {string.Join(", ", told.Offers.Select(o => o.Offer))}, "
                + $"logged {string.Join(", ", offers)}");
    }

    private static string OutputName(DecideReply reply) => Spelling.Snake(reply.Outcome.ToString());

    /// <summary>A profile shows every decision that was told before it was asked for, as far as so many are kept.</summary>
    private void Seen(string customer, ProfileReply read, int asked)
    {
        var kept = read.Decisions.Where(d => d.ByRequest).Select(d => d.DecisionId).ToList();
        foreach (var (_, decision, _) in _told.Where(t => t.Customer == customer && t.Told < asked))
            if (!kept.Contains(decision) && kept.Count < Remembered)
                throw new SimFailure($"{decision} was told, and a profile that was asked for after it shows {string.Join(", ", kept)}");
    }

    private string Customer() => $"c{random.Next(Customers)}";

    private SimAsk New()
    {
        var ask = new SimAsk($"r{_inOrder.Count}", Customer(), random.Next(3) switch { 0 => "", 1 => "home", _ => "email" },
            driver.Time.GetUtcNow().ToUnixTimeMilliseconds());
        return ask;
    }

    /// <summary>The same request again, while it can't have been forgotten yet.</summary>
    private void Again()
    {
        var customer = _inOrder[random.Next(_inOrder.Count)].Customer;
        var recent = _inOrder.Where(a => a.Customer == customer).TakeLast(Remembered - 1).ToList();
        Decide(recent[random.Next(recent.Count)]);
    }

    private Task<DecideReply>? Decide(SimAsk ask)
    {
        var call = _compiler!.Compile(new DecideRequest
        {
            Customer = ask.Customer,
            Id = ask.Id,
            Placement = ask.Placement,
            Offers = MostOffers
        }, ask.Time, long.MaxValue, [])!;
        if (!Send(call)) return null;
        if (_asks.TryAdd(ask.Id, ask)) _inOrder.Add(ask);
        _asks[ask.Id].Tries.Add((call.Answered, _clock));
        return call.Answered;
    }

    private void Read(string customer)
    {
        var call = _compiler!.Compile(new ReadRequest { Customer = customer }, driver.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            long.MaxValue, [])!;
        if (Send(call)) _reads.Add((customer, call.Answered, ++_clock));
    }

    private bool Send(ShardRequest call)
    {
        var partition = Partition(Encoding.UTF8.GetString(call.Customer));
        List<ShardInbox> doors = [.. cluster.Processes.Select(p => p.Directory.Find(partition)).OfType<ShardInbox>()];
        if (doors.Count == 0) return false;
        var door = random.Next(doors.Count);
        driver.Tell($"{(call is DecideCall decide ? Encoding.UTF8.GetString(decide.Id) : "read")} of "
            + $"{Encoding.UTF8.GetString(call.Customer)} to door {door} of {doors.Count} of {partition}");
        doors[door].Enqueue(call);
        return true;
    }

    private int Partition(string customer) => driver.Partitions == 1 ? 0
        : Murmur2.Partition(Encoding.UTF8.GetBytes(customer), driver.Partitions);
}
