using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Testing;

/// <summary>
/// A real Apache Kafka broker for tests: the one that <c>STREAMENGINE_TEST_KAFKA</c> names (a bootstrap address), else one started from
/// <c>KAFKA_HOME</c>, else from <c>../shared/kafka</c> beside the checkout (each a directory with Kafka's <c>libs/</c>; Java 17). It ends
/// with the test run; its data is in a temporary directory.
/// </summary>
public sealed class KafkaBroker : IDisposable
{
    private const string AddressVariable = "STREAMENGINE_TEST_KAFKA", HomeVariable = "KAFKA_HOME";
    private static readonly Lazy<KafkaBroker> Common = new(() => Start());
    private readonly string? _home;
    private readonly string _directory = "";
    private Process? _process;

    private KafkaBroker(string address) => Address = address;

    private KafkaBroker(string home, string[] properties)
    {
        _home = home;
        _directory = Directory.CreateTempSubdirectory("streamengine-kafka-").FullName;
        var (port, controller) = (FreePort.Find(), FreePort.Find());
        Address = $"127.0.0.1:{port}";
        File.WriteAllLines(Path.Combine(_directory, "server.properties"),
        [
            "process.roles=broker,controller",
            "node.id=1",
            $"controller.quorum.voters=1@127.0.0.1:{controller}",
            $"listeners=PLAINTEXT://{Address},CONTROLLER://127.0.0.1:{controller}",
            $"advertised.listeners=PLAINTEXT://{Address}",
            "controller.listener.names=CONTROLLER",
            $"log.dirs={_directory}/data",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=4",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=4",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "group.min.session.timeout.ms=1000",
            "auto.create.topics.enable=false",
            "log.cleaner.threads=1",
            "log.retention.ms=-1",
            "log.retention.check.interval.ms=1000",
            .. properties,
        ]);
        using var format = Java("kafka.tools.StorageTool", $"format --config {_directory}/server.properties --cluster-id "
            + $"{Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', 'A').Replace('/', 'B')}");
        format.WaitForExit();
        if (format.ExitCode != 0)
            throw new InvalidOperationException($"Kafka's storage can't be formatted in {_directory}; see kafka.log there.");
        Restart();
    }

    /// <summary>Why there is no broker; null where there is one.</summary>
    public static string? Missing { get; } = Find() is null
        ? $"no Kafka broker: set {AddressVariable} to the address of one, or {HomeVariable} to an unpacked Apache Kafka 3.3 or newer "
        + "(needs Java 17)"
        : null;

    /// <summary>Why there is no broker that a test may kill; null where there is one.</summary>
    public static string? MissingOwn { get; } = Missing ?? (Environment.GetEnvironmentVariable(AddressVariable) is { Length: > 0 }
        ? $"needs a broker that it may kill: unset {AddressVariable} and set {HomeVariable}"
        : null);

    /// <summary>The broker that all tests of this run share.</summary>
    public static KafkaBroker Shared => Common.Value;

    /// <summary>The bootstrap address.</summary>
    public string Address { get; }

    /// <summary>A broker: the given one, or a new one with these properties (<c>name=value</c>) on top.</summary>
    public static KafkaBroker Start(params string[] properties)
    {
        var found = Find() ?? throw new InvalidOperationException(Missing);
        var broker = found.Address is { } address ? new KafkaBroker(address) : new KafkaBroker(found.Home!, properties);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => broker.Dispose();
        return broker;
    }

    /// <summary>Asks the broker to stop, as for maintenance, and waits for its end.</summary>
    public void Stop()
    {
        if (_home is null) throw new InvalidOperationException(MissingOwn);
        _process!.StandardInput.WriteLine(); // the shell passes it on as SIGTERM
        _process.StandardInput.Flush();
        _process.WaitForExit(TimeSpan.FromSeconds(120));
        Kill();
    }

    /// <summary>
    /// Ends what the broker forgot to end, as an operator does: a broker that goes down amid commits can leave a transaction hanging, and
    /// read-committed readers stop before it for ever.
    /// </summary>
    /// <returns>The transactions that were ended: partition and start offset of each.</returns>
    public IReadOnlyList<string> EndHangingTransactions(IEnumerable<string> topics)
    {
        var ended = new List<string>();
        foreach (var topic in topics)
            // Those that have been open for over a minute and that their coordinator does not know; without the limit, 15 minutes.
            foreach (var line in Transactions($"find-hanging --topic {topic} --max-transaction-timeout 1"))
            {
                // Topic, Partition, ProducerId, ProducerEpoch, CoordinatorEpoch, StartOffset, ...
                var columns = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (columns.Length < 6 || columns[0] != topic) continue;
                Transactions($"abort --topic {topic} --partition {columns[1]} --start-offset {columns[5]}");
                ended.Add($"{topic}[{columns[1]}] from offset {columns[5]}");
            }
        return ended;
    }

    /// <summary>
    /// Partitions in which commits that the broker calls complete have no marker (<see cref="KafkaMarkers"/>): what such a transaction
    /// wrote is lost, or comes twice, and no client can help it.
    /// </summary>
    public IReadOnlyList<string> MissingMarkers() => _home is null ? throw new InvalidOperationException(MissingOwn)
        : KafkaMarkers.Missing(Path.Combine(_directory, "data"), arguments => Run("org.apache.kafka.tools.DumpLogSegments", arguments));

    /// <summary>Lets a client write so many bytes a second and no more (a quota): its requests are answered late.</summary>
    public void Throttle(string clientId, int bytesPerSecond) => Quota(clientId, $"--add-config producer_byte_rate={bytesPerSecond}");

    /// <summary>Takes the quota away.</summary>
    public void Unthrottle(string clientId) => Quota(clientId, "--delete-config producer_byte_rate");

    private void Quota(string clientId, string change) =>
        Tool("kafka.admin.ConfigCommand", $"--alter --entity-type clients --entity-name {clientId} {change}");

    private string[] Transactions(string arguments) => Tool("org.apache.kafka.tools.TransactionsCommand", arguments);

    /// <summary>Runs one of Kafka's own tools on the broker; returns the lines that it prints.</summary>
    private string[] Tool(string main, string arguments) => Run(main, $"--bootstrap-server {Address} {arguments}");

    /// <summary>Runs a program of Kafka's; returns the lines that it prints.</summary>
    private string[] Run(string main, string arguments)
    {
        var command = $"exec java -Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '{_home}/libs/*' "
            + $"{main} {arguments}";
        using var process =
            Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command }, RedirectStandardOutput = true })!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n');
        process.WaitForExit();
        return lines;
    }

    /// <summary>Kills the broker as kill -9 does.</summary>
    public void Kill()
    {
        if (_home is null) throw new InvalidOperationException(MissingOwn);
        _process!.StandardInput.Close(); // what the shell waits for
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Stops its clockwork: connections stay, nothing is answered (SIGSTOP).</summary>
    public void Freeze() => Signal.Freeze(Java());

    /// <summary>Lets it run on (SIGCONT).</summary>
    public void Thaw() => Signal.Thaw(Java());

    /// <summary>Starts the broker again: same port, same data. Waits until it serves.</summary>
    public void Restart()
    {
        _process = Java("kafka.Kafka", $"{_directory}/server.properties");
        for (var i = 0; i < 1_800; i++)
        {
            if (_process.WaitForExit(100)) throw new InvalidOperationException($"the broker ended; see {_directory}/kafka.log");
            if (Serves()) return;
        }
        throw new InvalidOperationException($"the broker did not answer within 3 minutes; see {_directory}/kafka.log");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is null) return;
        Kill();
        if (EngineProcess.Kept is { } kept) Directory.Move(_directory, Path.Combine(kept, $"broker-{Address.Split(':')[1]}"));
        else Directory.Delete(_directory, recursive: true);
    }

    private static (string? Address, string? Home)? Find()
    {
        if (Environment.GetEnvironmentVariable(AddressVariable) is { Length: > 0 } address) return (address, null);
        if (Environment.GetEnvironmentVariable(HomeVariable) is { Length: > 0 } home && Directory.Exists(Path.Combine(home, "libs")))
            return (null, home);
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !Path.Exists(Path.Combine(root.FullName, ".git"))) root = root.Parent;
        if (root?.Parent is null) return null;
        var beside = Path.Combine(root.Parent.FullName, "shared", "kafka");
        return Directory.Exists(Path.Combine(beside, "libs")) ? (null, beside) : null;
    }

    private int Java() => _home is null ? throw new InvalidOperationException(MissingOwn)
        : int.Parse(File.ReadAllText(Path.Combine(_directory, "pid")));

    private Process Java(string main, string arguments)
    {
        // Through a shell, so that the output goes to a file (nobody reads a pipe while a broker runs), and Java is stopped by a line of
        // input and killed (-9) when the input closes: so it also ends with a test run that is killed itself. Java's second compiler took a
        // seventh of a run's CPU, for a broker that lives for a minute or two.
        var java = $"java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "
            + $"'{_home}/libs/*' {main} {arguments}";
        var command = $"exec 3<&0; {java} >> {_directory}/kafka.log 2>&1 < /dev/null 3<&- & broker=$!; echo $broker > {_directory}/pid; {{ "
            + $"read -r _ <&3 && kill $broker; cat <&3; kill -9 $broker; }} > /dev/null 2>&1 & wait $broker";
        return Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command }, RedirectStandardInput = true })!;
    }

    /// <summary>Whether a Metadata request (version 1, no topics) is answered with at least one broker.</summary>
    private bool Serves()
    {
        try
        {
            var end = IPEndPoint.Parse(Address);
            using var client = new TcpClient();
            client.Connect(end);
            var stream = client.GetStream();
            stream.ReadTimeout = 2_000;
            stream.Write([0, 0, 0, 15, 0, 3, 0, 1, 0, 0, 0, 7, 0, 1, (byte)'w', 0, 0, 0, 0]);
            var answer = new byte[12];
            stream.ReadExactly(answer);
            return answer[11] > 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }
}
