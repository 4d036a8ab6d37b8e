using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;
using Avro.Generic;
using Confluent.Kafka;
using Confluent.Kafka.SyncOverAsync;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.SystemTests;

/// <summary>
/// The walk of a newcomer: every command of <c>engine/docs/first-steps.md</c> in a copy of the sample, in order and as it stands there,
/// with what it prints. A step that needs a guess fails here.
/// </summary>
[Collection(nameof(ChaosTests)), UnsupportedOSPlatform("windows")]
public sealed partial class FirstStepsTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string Root = RepositoryRoot.Path, Sample = RepositoryRoot.At("deploy", "samples", "shop");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private readonly string _folder = Directory.CreateTempSubdirectory("streamengine-first-steps-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_command_on_this_machine_does_what_the_page_says() => await Walk(kafka: null);

    [SkippableFact]
    public async Task Every_command_on_Kafka_does_what_the_page_says()
    {
        Skip.If(KafkaBroker.Missing is not null, KafkaBroker.Missing);
        await using var registry = await RegistryServer.RunAsync();
        await Walk(KafkaBroker.Shared.Address, registry.Url);

        var decisions = Decisions(KafkaBroker.Shared.Address, registry.Url)
            .Where(d => d["kind"] is GenericEnum { Value: "decision" }).ToList();
        Assert.Equal(["a-17", "ada", "ada", "cleo"], decisions.Select(d => (string)d["customer_id"]).Order());
        var names = JsonSerializer.Deserialize<string[]>(decisions[0].Schema["features"].GetProperty("names"))!;
        var cleo = (object[])decisions.Single(d => (string)d["customer_id"] == "cleo")["features"];
        Assert.Equal(2 * 120.0, cleo[Array.IndexOf(names, "revenue")]);
    }

    /// <summary>
    /// What an ordinary consumer reads, which knows the broker, the registry and the topic: the second day's, as the first was before there
    /// was a registry.
    /// </summary>
    private static List<GenericRecord> Decisions(string broker, string registry)
    {
        using var client = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = registry });
        var config = new ConsumerConfig { BootstrapServers = broker, GroupId = "reader", EnablePartitionEof = true };
        using var consumer = new ConsumerBuilder<byte[], GenericRecord>(config)
            .SetValueDeserializer(new AvroDeserializer<GenericRecord>(client).AsSyncOverAsync()).Build();
        var from = new Timestamp(new DateTime(2026, 11, 3, 0, 0, 0, DateTimeKind.Utc));
        consumer.Assign(consumer.OffsetsForTimes([new("decisions", 0, from), new("decisions", 1, from)], Limit));
        var (records, ended) = (new List<GenericRecord>(), 0);
        while (ended < 2)
        {
            var read = consumer.Consume(Limit) ?? throw new TimeoutException("the decisions did not end");
            if (read.IsPartitionEOF) ended++;
            else records.Add(read.Message.Value);
        }
        return records;
    }

    /// <summary>What the page shows of the sample, and README as its example, is the sample.</summary>
    [Fact]
    public void What_is_shown_is_the_sample()
    {
        Assert.Contains($"```yaml\n{File.ReadAllText(Path.Combine(Sample, "shop.yaml"))}```",
            File.ReadAllText(Path.Combine(Root, "README.md")), StringComparison.Ordinal);
        var shown = Block().Matches(Page()).First(b => b.Groups[1].Value == "json").Groups[2].Value.ReplaceLineEndings("");
        Assert.Contains(shown.Replace(", \"", ",\"", StringComparison.Ordinal), File.ReadLines(Path.Combine(Sample, "events.ndjson")));
    }

    private async Task Walk(string? kafka, string? registry = null)
    {
        foreach (var file in Directory.GetFiles(Sample)) File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        var bin = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        var command = Path.Combine(bin, "streamengine");
        File.WriteAllText(command, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "StreamEngine.Host.dll")}' \"$@\"\n");
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var (ran, printed) = (0, "");
        foreach (Match block in Block().Matches(Page()))
        {
            var (kind, text) = (block.Groups[1].Value, block.Groups[2].Value);
            if (kafka is null ? kind == "sh" : kind is "sh kafka" or "sh registry")
            {
                printed = await Shell(text, bin, kafka, registry);
                ran++;
            }
            else if (kind == "text" && ran > 0 && printed != "")
            {
                Assert.True(Fits(text, printed), $"the page says\n{text}\nand it printed\n{printed}");
                printed = "";
            }
        }
        Assert.True(ran > (kafka is null ? 4 : 1), $"{ran} blocks");
    }

    private async Task<string> Shell(string commands, string bin, string? kafka, string? registry)
    {
        output.WriteLine(commands);
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", commands])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        start.Environment["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["STREAMENGINE__HTTP__PORT"] = "0";
        if (kafka is not null) start.Environment["BROKER"] = kafka;
        if (registry is not null) start.Environment["REGISTRY"] = registry;
        using var shell = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Limit);
        var (printed, error) = (shell.StandardOutput.ReadToEndAsync(patience.Token), shell.StandardError.ReadToEndAsync(patience.Token));
        await shell.WaitForExitAsync(patience.Token);
        output.WriteLine(await printed + await error);
        Assert.True(shell.ExitCode == 0, $"exit code {shell.ExitCode} of\n{commands}\n{await printed}{await error}");
        return await printed;
    }

    /// <summary>Three points stand for anything, on a line of their own for any lines.</summary>
    private static bool Fits(string page, string printed) => Regex.IsMatch(printed.TrimEnd(),
        $"^{Regex.Escape(page.TrimEnd()).Replace(@"\.\.\.", "(.|\n)*", StringComparison.Ordinal)}$", RegexOptions.NonBacktracking);

    private static string Page() => File.ReadAllText(Path.Combine(Root, "engine", "docs", "first-steps.md"));

    [GeneratedRegex("^```([a-z ]+)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
