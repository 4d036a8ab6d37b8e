using System.Runtime.InteropServices;
using StreamEngine.Decisions;
using StreamEngine.Decisions.Outcomes;
using StreamEngine.Events;

namespace StreamEngine.Host.Evaluation.Experiments;

/// <summary>
/// What is known of an experiment's customers: who was decided for in which variation, and what came of it. A customer counts from the
/// first decision, whatever its outcome, also where nothing was shown: a variation that shows less would else be compared by those alone
/// whom it reached. Customers are what was assigned at random, so they are what is counted, each once.
/// </summary>
internal sealed class ExperimentData(ExperimentOptions experiment)
{
    private const int Several = -1;

    private readonly Dictionary<string, Customer> _customers = [];

    /// <summary>The experiment, by the config.</summary>
    public ExperimentOptions Experiment => experiment;

    /// <summary>Customers that were in more than one variation; they are left out.</summary>
    public long Moved => _customers.Values.LongCount(c => c.Arm == Several);

    /// <summary>The variations' shares as the config has them.</summary>
    public double[] Weights => [.. experiment.Variations
        .Select(v => v.Weight ?? (experiment.Variations.All(w => w.Weight is null) ? 1 : 0))];

    /// <summary>Notes a decision for a customer in a variation; false where the config does not know the variation.</summary>
    public bool Decided(string customer, string variation) => Find(customer, variation) is not null;

    /// <summary>
    /// Notes an outcome of a decision for a customer in a variation; false where the config does not know the variation. At least once, the
    /// same outcome, by its id, may be in the log again: it counts once.
    /// </summary>
    public bool CameTrue(string customer, string variation, string id, OutcomeKind kind, double value)
    {
        if (Find(customer, variation) is not { } known) return false;
        known.Kinds |= 1 << (int)kind;
        if (kind is not (OutcomeKind.Conversion or OutcomeKind.Refund) || !known.IsNew(id)) return true;
        if (kind == OutcomeKind.Conversion) known.Value += value;
        if (kind == OutcomeKind.Refund) known.Value -= value;
        return true;
    }

    /// <summary>Customers of each variation, in the config's order.</summary>
    public long[] Counts => [.. Sums(_ => 0).Select(s => s.Count)];

    /// <summary>For each variation, how many customers had an outcome of the kind.</summary>
    public ArmSums[] Shares(OutcomeKind kind) =>
        [.. Sums(c => (c.Kinds >> (int)kind) & 1).Select(s => ArmSums.Share(s.Count, (long)s.Sum))];

    /// <summary>For each variation, the value of the customers' conversions less that of their refunds.</summary>
    public ArmSums[] Values() => [.. Sums(c => c.Value).Select(s => new ArmSums { Count = s.Count, Sum = s.Sum, Squares = s.Squares })];

    private (long Count, double Sum, double Squares)[] Sums(Func<Customer, double> measure)
    {
        var sums = new (long Count, double Sum, double Squares)[experiment.Variations.Count];
        foreach (var customer in _customers.Values)
        {
            if (customer.Arm == Several) continue;
            var value = measure(customer);
            ref var arm = ref sums[customer.Arm];
            arm = (arm.Count + 1, arm.Sum + value, arm.Squares + value * value);
        }
        return sums;
    }

    private Customer? Find(string customer, string variation)
    {
        var arm = 0;
        while (arm < experiment.Variations.Count && experiment.Variations[arm].Name != variation) arm++;
        if (arm == experiment.Variations.Count) return null;
        if (!_customers.TryGetValue(customer, out var known)) _customers.Add(customer, known = new Customer { Arm = arm });
        else if (known.Arm != arm) known.Arm = Several;
        return known;
    }

    private sealed class Customer
    {
        /// <summary>Hashes of the ids of the outcomes that the value has; null for the many customers who have none.</summary>
        private HashSet<ulong>? _counted;

        public int Arm { get; set; }

        public int Kinds { get; set; }

        public double Value { get; set; }

        /// <summary>Whether the value does not have the outcome of that id yet; notes it.</summary>
        public bool IsNew(string id) => (_counted ??= []).Add(Hash64.Of(MemoryMarshal.AsBytes(id.AsSpan())));
    }
}
