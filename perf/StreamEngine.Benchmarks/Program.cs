using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using StreamEngine.Benchmarks;
using StreamEngine.Benchmarks.Processes;

// dotnet run -c Release --project perf/StreamEngine.Benchmarks -- ARGUMENTS
//   --filter '*Expression*'      BenchmarkDotNet's table
//   budgets [filter]             checks perf/budgets.json
//   kafka-connector [n]          the Kafka connector alone, on a broker of its own
//   requests                     decision requests: perf/requests.sh
//   collector|live|webhook       the edges: perf/edges.sh
//   recovery|ratio|rest --help   real processes: perf/recovery.sh, perf/ratio.sh, perf/cluster-rest.sh
if (args is ["recovery", ..]) return await RecoveryRun.Run(args[1..]);
if (args is ["ratio", ..]) return await RatioRun.Run(args[1..]);
if (args is ["rest", ..]) return await RestRun.Run(args[1..]);
if (args is ["requests", ..]) return await RequestRun.Run(args[1..]);
if (args is ["collector", ..]) return await CollectorRun.Run(args[1..]);
if (args is ["live", ..]) return await LiveRun.Run(args[1..]);
if (args is ["webhook", ..]) return await WebhookRun.Run(args[1..]);
if (args is ["kafka-connector", ..]) return KafkaConnectorRun.Run(args[1..]);
if (args is ["budgets", ..]) return BudgetCheck.Run(args.ElementAtOrDefault(1) ?? "");

var config = ManualConfig.Create(DefaultConfig.Instance)
    // In this process: a child project would not know the central package versions and the native libraries.
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .WithOptions(ConfigOptions.JoinSummary)
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
BenchmarkSwitcher.FromAssembly(typeof(BudgetCheck).Assembly).Run(args, config);
return 0;
