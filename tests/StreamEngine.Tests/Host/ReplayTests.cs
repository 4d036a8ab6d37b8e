using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Avro.Generic;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Host;

public sealed class ReplayTests : IDisposable
{
    private const string Config = """
        name: small
        events:
          orders:
            topic: orders
            format: FORMAT
            time: { field: at, format: iso }
            id: order
            customer: who
            fields: { value: decimal(2) }
        features:
          spent: { op: sum, of: event.value }
          orders_2d: { op: count, window: { sliding: 2d, every: 1d } }
        timers:
          thanks: { after: 1h }
        decisions:
          triggers:
            big: { when: event.value >= 10.0, placement: "'web'" }
            thanks: { timer: thanks, placement: "'mail'" }
        offers:
          gift: { placements: [web], propensity: 0.5, value: features.spent }
          letter: { placements: [mail], propensity: 0.1, value: "1.0" }
        state: { store: memory }
        """;

    private const string Csv = """
        order,who,at,value
        1,ann,2020-01-01T10:00:00Z,10.50
        2,bob,2020-01-01T11:00:00Z,3
        4,ann,2020-01-03T09:00:00Z,20
        2,bob,2020-01-01T11:00:00Z,3
        3,,2020-01-02T00:00:00Z,1
        oh no
        5,bob,2020-01-01T12:00:00Z,4.25
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("replay-test-").FullName;

    public ReplayTests() => Write("config.yaml", Config.Replace("FORMAT", "csv", StringComparison.Ordinal));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_replay_writes_everything_and_counts_everything()
    {
        Write("orders.csv", Csv);
        var summary = await ReplayAsync("orders.csv", "out");

        Assert.Equal((7, 4, 1, 0), ((int)summary["read"]!, (int)summary["admitted"]!, (int)summary["duplicates"]!, (int)summary["late"]!));
        Assert.Equal(1, (int)summary["rejected"]!["missing-customer"]!);
        Assert.Equal(1, (int)summary["rejected"]!["malformed"]!);
        Assert.Equal("customer_id,spent,orders_2d\nann,30.5,1\nbob,7.25,0\n",
            File.ReadAllText(Path.Combine(_folder, "out", "features.csv")));
        Assert.Equal(["gift web", "letter mail", "letter mail", "gift web"],
            Lines("out/actions.ndjson").Select(a => $"{a["offer"]} {a["placement"]}"));
        Assert.Equal(4, Lines("out/decisions.ndjson").Count);
        Assert.Equal(["duplicate", "malformed", "missing-customer"],
            Lines("out/dead-letter.ndjson").Select(d => (string)d["reason"]!).Order());
        Assert.Equal(["", "no value in 'who'", "the line has 1 fields, there are 4 columns"],
            Lines("out/dead-letter.ndjson").Select(d => (string)d["detail"]!).Order());
        Assert.Contains("oh no", Lines("out/dead-letter.ndjson").Select(d => (string)d["bytes"]!));
        Assert.Equal(["duplicate 5", "malformed 7", "missing-customer 6"],
            Lines("out/dead-letter.ndjson").Select(d => $"{d["reason"]} {d["line"]}").Order());
        Assert.All(Lines("out/dead-letter.ndjson"), d => Assert.Equal(In("orders.csv"), (string)d["file"]!));
        Assert.Empty(Lines("out/late.ndjson"));
    }

    [Fact]
    public async Task A_second_run_and_a_run_with_little_memory_give_the_same_bytes()
    {
        var rows = Enumerable.Range(0, 20_000).Select(i => $"{i},c{i % 50},2020-02-{i % 28 + 1:D2}T{i % 24:D2}:00:00Z,{i % 40}\n");
        Write("orders.csv", Csv + "\n" + string.Concat(rows));
        await ReplayAsync("orders.csv", "one");
        await ReplayAsync("orders.csv", "two");
        var spilled = await ReplayAsync("orders.csv", "three", "--memory", "1mb");
        Assert.True((int)spilled["spilled_runs"]! > 0);
        foreach (var name in new[] { "actions.ndjson", "decisions.ndjson", "features.csv", "dead-letter.ndjson", "late.ndjson" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "one", name)), File.ReadAllBytes(Path.Combine(_folder, "two", name)));
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "one", name)), File.ReadAllBytes(Path.Combine(_folder, "three", name)));
        }
    }

    [Fact]
    public async Task A_record_from_the_future_is_rejected_and_changes_nothing_else()
    {
        const string Timers = "time: { out_of_orderness: 10m }\n";
        Write("config.yaml", File.ReadAllText(In("config.yaml")) + "\n" + Timers);
        Write("orders.csv", Csv);
        var clean = await ReplayAsync("orders.csv", "clean");
        Write("orders.csv", Csv + "\n9,ann,2999-12-01T08:31:00Z,2\n,,2999-12-02T08:31:00Z,2\n");
        var summary = await ReplayAsync("orders.csv", "future");
        Assert.Equal(1, (int)summary["rejected"]!["future-time"]!);
        foreach (var name in new[] { "as_of", "admitted", "timers_fired", "decisions", "actions", "outcomes" })
            Assert.Equal(clean[name]!.ToJsonString(), summary[name]!.ToJsonString());
        foreach (var name in new[] { "actions.ndjson", "decisions.ndjson", "late.ndjson", "features.csv" })
            Assert.Equal(File.ReadAllText(In($"clean/{name}")), File.ReadAllText(In($"future/{name}")));
        Assert.Equal(Lines("clean/dead-letter.ndjson").Count + 2, Lines("future/dead-letter.ndjson").Count);
    }

    [Fact]
    public async Task A_rejected_record_does_not_move_the_time_of_the_features()
    {
        Write("orders.csv", Csv + "\n9,,2020-06-01T00:00:00Z,2\n");
        Assert.Equal("2020-01-03T09:00:00.000Z", (string)(await ReplayAsync("orders.csv", "out"))["as_of"]!);
    }

    [Fact]
    public async Task Input_without_records_is_told_and_has_no_time()
    {
        Write("orders.csv", "order,who,at,value\n");
        var (code, output, error) =
            await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.csv"), "--out", In("out"), "--json");
        Assert.Equal(0, code);
        Assert.Null(JsonNode.Parse(output)!["as_of"]);
        Assert.Contains("warning: there is no record in the input", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_gzip_file_fails()
    {
        using (var gzip = new GZipStream(File.Create(In("orders.csv.gz")), CompressionLevel.Optimal))
            gzip.Write(System.Text.Encoding.UTF8.GetBytes(Csv));
        var whole = File.ReadAllBytes(In("orders.csv.gz"));
        File.WriteAllBytes(In("orders.csv.gz"), whole[..^20]);
        var (code, _, error) =
            await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.csv.gz"), "--out", In("out"));
        Assert.Equal(3, code);
        Assert.Contains("orders.csv.gz ends in the middle of its gzip stream", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay")]
    [InlineData("features")]
    public async Task A_stopped_run_says_so_and_does_not_end_as_if_it_were_done(string command)
    {
        Write("orders.csv", Csv);
        Write("labels.csv", "customer,time\nann,2020-01-03\n");
        string[] line = [command, "--config", In("config.yaml"), "--events", In("orders.csv"), "--out", In("out"), .. command == "features"
            ? new[] { "--at", In("labels.csv") } : []];
        var (code, output, error) = await Cli.RunAsync(line, new CancellationToken(true));
        Assert.Equal(130, code);
        Assert.Empty(output);
        Assert.Matches("error: stopped (while reading, )?after 0 records", error);
    }

    [Theory]
    [InlineData("replay --events {0}/orders.csv --out {0}/orders.csv",
        "--out {0}/orders.csv can't be written: there is a file of that name. Name a folder")]
    [InlineData("replay --events {0}/orders.csv --out {0}/orders.csv/x", "--out {0}/orders.csv/x can't be written: ")]
    [InlineData("features --events {0}/orders.csv --at {0}/labels.csv --out {0}",
        "--out {0} can't be written: it is a folder. Name a file")]
    [InlineData("demo --write {0}", "--write {0} can't be written: it is a folder. Name a file")]
    [InlineData("demo --dir {0}/orders.csv --set events.orders.format=json",
        "--dir {0}/orders.csv can't be written: there is a file of that name. Name a folder")]
    public async Task A_place_that_can_not_be_written_names_option_reason_and_remedy(string line, string message)
    {
        Write("orders.csv", Csv);
        Write("labels.csv", "customer,time\nann,2020-01-03\n");
        var (code, _, error) = await Cli.RunAsync([.. string.Format(System.Globalization.CultureInfo.InvariantCulture, line, _folder)
            .Split(' '), "--config", In("config.yaml")]);
        Assert.Equal(3, code);
        Assert.Contains(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, _folder), error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("features --events {0}/orders.csv --at {0}/labels.csv --out {0}/orders.csv", "is an input of this command")]
    [InlineData("features --events {0}/orders.csv --at {0}/labels.csv --out {0}/labels.csv", "is an input of this command")]
    [InlineData("features --events {0}/orders.csv --at {0}/labels.csv --out {0}/config.yaml", "is an input of this command")]
    [InlineData("features --events {0}/orders.csv --at {0}/labels.csv --out {0}/link/orders.csv", "is an input of this command")]
    [InlineData("features --events {0}/link/orders.csv --at {0}/labels.csv --out {0}/orders.csv", "is an input of this command")]
    [InlineData("replay --events {0}/orders.csv --out {0}", "is the folder of an input")]
    [InlineData("replay --events {0} --out {0}/link", "is the folder of an input")]
    public async Task Results_go_over_no_input(string line, string message)
    {
        Write("orders.csv", Csv);
        Write("labels.csv", "customer,time\nann,2020-01-03\n");
        Directory.CreateSymbolicLink(In("link"), _folder);
        if (line.Contains("--events {0} ", StringComparison.Ordinal)) line = line.Replace("{0} ", "{0}/o*.csv ", StringComparison.Ordinal);
        var before = Directory.GetFiles(_folder).Order().Select(f => (f, File.ReadAllText(f))).ToList();
        var (code, _, error) = await Cli.RunAsync([.. string.Format(System.Globalization.CultureInfo.InvariantCulture, line, _folder)
            .Split(' '), "--config", In("config.yaml")]);
        Assert.Equal(3, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(_folder).Order().Select(f => (f, File.ReadAllText(f))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pipe_is_read_as_the_file_would_be(bool packed)
    {
        var bytes = Encoding.UTF8.GetBytes(Csv + string.Concat(Enumerable.Range(10, 40_000)
            .Select(i => $"{i},c{i % 7},2020-01-01T10:00:00Z,1\n")));
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest)) gzip.Write(bytes);
        if (packed) bytes = zipped.ToArray();
        await File.WriteAllBytesAsync(In("orders.csv"), bytes);
        await ReplayAsync("orders.csv", "file");
        using (var made = System.Diagnostics.Process.Start("mkfifo", In("fifo"))) await made.WaitForExitAsync();
        var writing = Task.Run(() => File.WriteAllBytes(In("fifo"), bytes));
        await ReplayAsync("fifo", "pipe");
        await writing;
        foreach (var name in new[] { "features.csv", "actions.ndjson", "dead-letter.ndjson" })
            Assert.Equal(File.ReadAllText(In($"file/{name}")),
                File.ReadAllText(In($"pipe/{name}")).Replace(In("fifo"), In("orders.csv"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pipe_that_brings_nothing_keeps_no_stop_waiting()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", In("fifo"))) await made.WaitForExitAsync();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var (code, _, error) = await Cli.RunAsync(["replay", "--config", In("config.yaml"), "--events", In("fifo"), "--out", In("out")],
            stop.Token);
        Assert.Equal(130, code);
        Assert.Contains("stopped while a file or a pipe was waited for", error, StringComparison.Ordinal);
        // The thread stays with the pipe, as it does until a process has ended: one that went on would write into the folder now.
    }

    [Fact]
    public async Task What_is_written_is_its_users_alone()
    {
        Write("orders.csv", Csv);
        await ReplayAsync("orders.csv", "out");
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode others = (UnixFileMode)0x3F;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(In("out")) & others);
        var files = Directory.GetFiles(In("out"));
        foreach (var file in files) Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & others);

        // What was there with wider rights, and is written over, too.
        foreach (var file in files) File.SetUnixFileMode(file, (UnixFileMode)0x1B6);
        await ReplayAsync("orders.csv", "out");
        foreach (var file in files) Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & others);
        foreach (var line in new[] { "features --config C --events E --at L --out F", "demo --write F --for 1s --rate 1 --speed 1" })
        {
            Write("labels.csv", "customer,time\nann,2020-01-02\n");
            Write("result", "old");
            File.SetUnixFileMode(In("result"), (UnixFileMode)0x1B6);
            var (code, _, error) = await Cli.RunAsync([.. line.Split(' ').Select(w => w switch
            {
                "C" => In("config.yaml"),
                "E" => In("orders.csv"),
                "L" => In("labels.csv"),
                "F" => In("result"),
                _ => w,
            })]);
            Assert.True(code == 0, error);
            Assert.NotEqual("old", File.ReadAllText(In("result")));
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(In("result")) & others);
        }
        var device = File.GetUnixFileMode("/dev/null");
        await Cli.RunAsync("features", "--config", In("config.yaml"), "--events", In("orders.csv"), "--at", In("labels.csv"), "--out",
            "/dev/null");
        Assert.Equal(device, File.GetUnixFileMode("/dev/null"));
    }

    [Fact]
    public async Task A_crawlers_many_ids_are_counted_and_warned_of_and_stop_nothing()
    {
        Write("config.yaml", Config.Replace("FORMAT", "json", StringComparison.Ordinal)
            .Replace("state: { store: memory }", "state: { memory: 4mb }", StringComparison.Ordinal));
        Write("orders.json", string.Concat(Enumerable.Range(0, 60_000).Select(i => (Id: i, Who: i % 20_000 == 0 ? "ann" : "bot"))
            .Select(e => $$"""{"order":"{{e.Id}}","who":"{{e.Who}}","at":"2020-01-01T10:00:00Z","value":1}""" + "\n")));
        var (code, _, error) =
            await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.json"), "--out", In("out"));
        Assert.True(code == 0, error);
        Assert.Contains("a customer has more than 32768 event ids inside duplicates.horizon", error, StringComparison.Ordinal);
        Assert.EndsWith("ann,3,3\nbot,59997,59997\n", File.ReadAllText(In("out/features.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_config_has_the_same_mistakes_for_every_command()
    {
        Write("orders.csv", Csv);
        Write("labels.csv", "customer,time\nann,2020-01-03\n");
        Write("config.yaml", File.ReadAllText(In("config.yaml")).Replace("propensity: 0.5", "propensity: often", StringComparison.Ordinal)
            .Replace("event.value >= 10.0", "event.valeu >= 10.0", StringComparison.Ordinal)
            + "\nkafka: { settings: { acks: 1 } }\nhttp: { address: nowhere }\n");
        var (code, _, error) = await Cli.RunAsync("validate", "--config", In("config.yaml"));
        Assert.Equal(2, code);
        Assert.EndsWith("4 mistakes\n", error, StringComparison.Ordinal);
        Assert.Matches(@"config\.yaml:\d+:\d+: kafka\.settings\.acks: 'acks: 1' can't be used: an acknowledged record", error);
        Assert.Equal((2, error), await Told("replay", "--events", In("orders.csv"), "--out", In("out")));
        foreach (var line in new[] { new[] { "run", "--embedded", In("log") }, ["demo"] })
        {
            var (again, told) = await Told(line);
            Assert.Equal(2, again);
            Assert.All(error.Split('\n')[..4], mistake => Assert.Contains(mistake, told, StringComparison.Ordinal));
        }

        async Task<(int, string)> Told(params string[] line)
        {
            var (ended, _, text) = await Cli.RunAsync([.. line, "--config", In("config.yaml")]);
            return (ended, text);
        }
    }

    [Fact]
    public async Task As_of_leaves_later_events_out_and_reads_windows_then()
    {
        Write("orders.csv", Csv);
        var summary = await ReplayAsync("orders.csv", "out", "--as-of", "2020-01-02T11:00:00Z");
        Assert.Equal("2020-01-02T11:00:00.000Z", (string)summary["as_of"]!);
        Assert.Equal("customer_id,spent,orders_2d\nann,10.5,1\nbob,7.25,2\n",
            File.ReadAllText(Path.Combine(_folder, "out", "features.csv")));
    }

    [Fact]
    public async Task Json_gzip_and_avro_files_give_the_features_that_csv_gives()
    {
        Write("orders.csv", Csv);
        await ReplayAsync("orders.csv", "csv");

        var rows = Csv.Split('\n')[1..].Select(l => l.Split(',')).Where(c => c.Length == 4 && c[1].Length > 0).ToList();
        var json = string.Concat(rows.Select(c => $$"""{"order":"{{c[0]}}","who":"{{c[1]}}","at":"{{c[2]}}","value":{{c[3]}}}""" + "\n"));
        using (var gzip = new GZipStream(File.Create(Path.Combine(_folder, "orders.data")), CompressionLevel.Fastest))
            gzip.Write(System.Text.Encoding.UTF8.GetBytes(json));
        Write("config.yaml", Config.Replace("FORMAT", "json", StringComparison.Ordinal));
        await ReplayAsync("orders.data", "json");

        const string Schema = """{"type":"record","name":"Order","fields":[{"name":"order","type":"string"},{"name":"who","type":"string"},{"name":"at","type":"string"},{"name":"value","type":"double"}]}""";
        var schema = (global::Avro.RecordSchema)global::Avro.Schema.Parse(Schema);
        var records = rows.Select(c =>
        {
            var record = new GenericRecord(schema);
            for (var i = 0; i < 3; i++) record.Add(i, c[i]);
            record.Add(3, double.Parse(c[3], System.Globalization.CultureInfo.InvariantCulture));
            return record;
        });
        File.WriteAllBytes(In("orders.avro"), ApacheAvro.Container(schema, records, deflate: true));
        Write("config.yaml", Config.Replace("FORMAT", "avro", StringComparison.Ordinal));
        await ReplayAsync("orders.avro", "avro");

        var features = File.ReadAllText(Path.Combine(_folder, "csv", "features.csv"));
        Assert.Equal(features, File.ReadAllText(Path.Combine(_folder, "json", "features.csv")));
        Assert.Equal(features, File.ReadAllText(Path.Combine(_folder, "avro", "features.csv")));
    }

    [Fact]
    public async Task A_missing_column_names_the_file_and_the_option()
    {
        Write("orders.csv", "order,who,when,value\n");
        var (code, _, error) =
            await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.csv"), "--out", In("out"));
        Assert.Equal(2, code);
        Assert.Contains($"{In("orders.csv")}:1:1: events: the header 'order,who,when,value' lacks 'at', which source 'orders' "
            + $"({In("config.yaml")}:4:", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Features_are_of_events_strictly_before_the_label()
    {
        Write("orders.csv", Csv);
        Write("labels.csv", """
            time,customer,label
            2020-01-03T09:00:00Z,ann,x
            2020-01-03T09:00:00.001Z,ann,"a, b"
            2020-01-01T11:30:00Z,bob,0
            1577880000000,bob,1
            2020-01-01T09:00:00Z,ann,
            2020-01-03T09:00:00Z,zoe,
            """);
        var (code, _, error) = await Cli.RunAsync("features", "--config", In("config.yaml"), "--events", In("orders.csv"), "--at",
            In("labels.csv"), "--out", In("out/training.csv"));
        Assert.True(code == 0, error);
        Assert.Equal("""
            time,customer,label,spent,orders_2d
            2020-01-03T09:00:00Z,ann,x,10.5,0
            2020-01-03T09:00:00.001Z,ann,"a, b",30.5,1
            2020-01-01T11:30:00Z,bob,0,3,1
            1577880000000,bob,1,3,1
            2020-01-01T09:00:00Z,ann,,0,0
            2020-01-03T09:00:00Z,zoe,,0,0

            """.ReplaceLineEndings("\n"), File.ReadAllText(In("out/training.csv")));
    }

    [Fact]
    public async Task An_end_before_the_data_is_told()
    {
        Write("orders.csv", Csv);
        var (code, _, error) = await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.csv"), "--out", In("out"),
            "--as-of", "1577836799999");
        Assert.True(code == 0, error);
        Assert.Contains("none of the 7 records is at or before --as-of; the first is of 2020-01-01T10:00:00.000Z", error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_seconds_is_warned_of()
    {
        Write("config.yaml", File.ReadAllText(In("config.yaml")).Replace(", format: iso", "", StringComparison.Ordinal));
        Write("orders.csv", "order,who,at,value\n1,ann,1577880000,1\n2,ann,1577880001,1\n");
        var (code, _, error) =
            await Cli.RunAsync("replay", "--config", In("config.yaml"), "--events", In("orders.csv"), "--out", In("out"));
        Assert.True(code == 0, error);
        Assert.Contains("2 of 2 records are from before 1990, the last one from 1970-01-19: are their times in seconds?", error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endless_line_is_one_oversized_record()
    {
        Write("orders.csv", Csv + "\n8,ann,2020-01-02T00:00:00Z," + new string('9', 3_000_000) + "\n9,ann,2020-01-03T10:00:00Z,1\n");
        var summary = await ReplayAsync("orders.csv", "out");
        Assert.Equal((9, 5, 1), ((int)summary["read"]!, (int)summary["admitted"]!, (int)summary["rejected"]!["oversized"]!));
        var letter = Lines("out/dead-letter.ndjson").Single(d => (string)d["reason"]! == "oversized");
        Assert.Equal("longer than runtime.max_record_bytes, 1mb", (string)letter["detail"]!);
    }

    [Fact]
    public async Task Labels_with_mistakes_are_config_errors()
    {
        Write("orders.csv", Csv);
        Write("labels.csv", "customer,time\nann,soon\nbob\n");
        var (code, _, error) = await Cli.RunAsync("features", "--config", In("config.yaml"), "--events", In("orders.csv"), "--at",
            In("labels.csv"), "--out", In("t.csv"));
        Assert.Equal(2, code);
        Assert.Contains("labels.csv:2:1: at: 'soon' is not a time", error, StringComparison.Ordinal);
        Assert.Contains("labels.csv:3:1: at: the row has 1 cells, the header 2", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("customer,time,spent\nann,5,1\n", "labels.csv:1:1: at: the column 'spent' has the name of a feature")]
    [InlineData("customer,time,x,x\nann,5,1,2\n", "labels.csv:1:1: at: the header has 'x' more than once")]
    [InlineData("customer,time,time\nann,5,6\n", "labels.csv:1:1: at: the header has 'time' more than once")]
    [InlineData("customer,time\nann,253402300800000\n", "labels.csv:2:1: at: '253402300800000' is not a time")]
    [InlineData("customer,time\nann,20200103\n", "labels.csv:2:1: at: '20200103' is not a time")]
    public async Task A_label_file_that_would_be_misread_is_refused(string labels, string message)
    {
        Write("orders.csv", Csv);
        Write("labels.csv", labels);
        var (code, _, error) = await Cli.RunAsync("features", "--config", In("config.yaml"), "--events", In("orders.csv"), "--at",
            In("labels.csv"), "--out", In("t.csv"));
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private async Task<JsonNode> ReplayAsync(string events, string output, params string[] more)
    {
        var (code, _, error) =
            await Cli.RunAsync(["replay", "--config", In("config.yaml"), "--events", In(events), "--out", In(output), "--json", .. more]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(File.ReadAllText(In($"{output}/summary.json")))!;
    }

    private List<JsonNode> Lines(string name) => [.. File.ReadAllLines(In(name)).Select(l => JsonNode.Parse(l)!)];

    private void Write(string name, string text) => File.WriteAllText(In(name), text);

    private string In(string name) => Path.Combine(_folder, name);
}
