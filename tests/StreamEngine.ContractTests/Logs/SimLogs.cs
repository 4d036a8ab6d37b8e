using StreamEngine.Connectors;
using StreamEngine.Testing.Simulation;

namespace StreamEngine.ContractTests.Logs;

// The simulated log stands in for both: what it promises is what they promise.

public sealed class SimKafkaTopics : TopicContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Kafka, new SimSchedule());
}

public sealed class SimKafkaTransactions : TransactionContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Kafka, new SimSchedule());
}

public sealed class SimKafkaGroups : GroupContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Kafka, new SimSchedule());
}

public sealed class SimEmbeddedTopics : TopicContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Embedded, new SimSchedule());
}

public sealed class SimEmbeddedTransactions : TransactionContract
{
    protected override bool KeepsTraceParents => false;

    private protected override ILog OpenLog() => new SimLog(SimLogKind.Embedded, new SimSchedule());
}

public sealed class SimEmbeddedGroups : GroupContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Embedded, new SimSchedule());
}

public sealed class SimKafkaDirect : DirectContract
{
    private protected override ILog OpenLog() => new SimLog(SimLogKind.Kafka, new SimSchedule());
}

public sealed class SimEmbeddedDirect : DirectContract
{
    protected override bool KeepsTraceParents => false;

    private protected override ILog OpenLog() => new SimLog(SimLogKind.Embedded, new SimSchedule());
}
