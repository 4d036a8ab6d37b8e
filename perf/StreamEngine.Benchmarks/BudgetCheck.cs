using System.Globalization;
using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace StreamEngine.Benchmarks;

/// <summary>A limit: nanoseconds in units of <see cref="Calibration"/>, and bytes, per operation.</summary>
internal sealed record Budget(double Ratio, double Bytes);

/// <summary>
/// Runs every benchmark once in this process and holds it to <c>perf/budgets.json</c>. Ratios, because machines differ; bytes, because they
/// don't.
/// </summary>
internal static class BudgetCheck
{
    // One stray allocation of the runtime over a whole measurement is no allocation per operation.
    private const double Stray = 0.01;

    private const int Retries = 3;

    /// <summary>Prints a table; the result is the process's exit code: 1 where a budget is exceeded or names no benchmark.</summary>
    public static int Run(string filter)
    {
        var budgets = JsonSerializer.Deserialize<Dictionary<string, Budget>>(File.ReadAllText(Repository.File("perf/budgets.json")),
            JsonSerializerOptions.Web)!;
        var meter = new Meter();
        var failed = 0;
        Console.WriteLine($"{"benchmark",-40} {"ns/op",10} {"ops/s",12} {"ratio",9} {"budget",9} {"B/op",8} {"budget",8}");
        foreach (var (name, run, operations, done) in Benchmarks(filter))
        {
            budgets.Remove(name, out var budget);
            var reading = meter.Measure(name, run, operations);
            // On a busy machine the compiler's later tiers come late: what is slow is measured again before it counts.
            for (var again = 0; again < Retries && Exceeds(reading, budget); again++) reading = meter.Measure(name, run, operations);
            done();
            var over = Exceeds(reading, budget);
            if (over) failed++;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name,-40} {reading.Nanoseconds,10:F2} {1e9 / reading.Nanoseconds,12:F0} {reading.Ratio,9:F4} {budget?.Ratio,9:F4} "
                    + $"{reading.Bytes,8:F2} {budget?.Bytes,8:F2}{(over ? "  OVER BUDGET" : "")}"));
        }
        foreach (var unknown in budgets.Keys.Where(n => n.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            Console.WriteLine($"{unknown}: perf/budgets.json names it, but there is no such benchmark");
            failed++;
        }
        Console.WriteLine(failed == 0 ? "all within budget" : $"{failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static bool Exceeds(Reading reading, Budget? budget) =>
        budget is not null && (reading.Ratio > budget.Ratio || reading.Bytes > budget.Bytes + Stray);

    private static IEnumerable<(string Name, Action Run, int Operations, Action Done)> Benchmarks(string filter)
    {
        foreach (var type in typeof(BudgetCheck).Assembly.GetTypes().Where(t => !t.IsAbstract).OrderBy(t => t.Name, StringComparer.Ordinal))
            foreach (var method in type.GetMethods())
            {
                var name = $"{type.Name}.{method.Name}";
                if (method.GetCustomAttribute<BenchmarkAttribute>() is not { } benchmark
                    || !name.Contains(filter, StringComparison.OrdinalIgnoreCase)) continue;
                var instance = Activator.CreateInstance(type)!;
                Call<GlobalSetupAttribute>(instance);
                yield return (name, Bound(method, instance), benchmark.OperationsPerInvoke, () => Call<GlobalCleanupAttribute>(instance));
            }
    }

    private static void Call<T>(object instance) where T : Attribute =>
        instance.GetType().GetMethods().FirstOrDefault(m => m.GetCustomAttribute<T>() is not null)?.Invoke(instance, null);

    /// <summary>The method as an action without boxing.</summary>
    private static Action Bound(MethodInfo method, object instance)
    {
        if (method.ReturnType == typeof(void)) return method.CreateDelegate<Action>(instance);
        return (Action)typeof(BudgetCheck).GetMethod(nameof(Discarding), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.ReturnType).Invoke(null, [method, instance])!;
    }

    private static Action Discarding<T>(MethodInfo method, object instance)
    {
        var run = method.CreateDelegate<Func<T>>(instance);
        return () => run();
    }
}
