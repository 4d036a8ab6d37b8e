using System.Diagnostics;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests;

/// <summary>The last line of all tests: what was skipped for want of a tool that must be there is a failure.</summary>
public sealed class TestSummaryTests
{
    [SkippableTheory]
    [InlineData("needs Debian's python3-avro: apt-get install python3-avro", "STREAMENGINE_REQUIRE_ORACLES", true)]
    [InlineData("/usr/bin/python3 has no package avro (Debian: python3-avro)", "STREAMENGINE_REQUIRE_ORACLES", true)]
    [InlineData("The data set Online Retail is not here", "STREAMENGINE_REQUIRE_ORACLES", false)]
    [InlineData("there is no Kafka broker", "STREAMENGINE_REQUIRE_ORACLES", false)]
    [InlineData("there is no Kafka broker: no Kafka broker", "STREAMENGINE_REQUIRE_KAFKA", true)]
    [InlineData("needs Debian's python3-avro: apt-get install python3-avro", "STREAMENGINE_REQUIRE_KAFKA", false)]
    public void ASkippedTestFails_OnlyWhereItsToolMustBeThere(string reason, string variable, bool fails)
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "there is no /usr/bin/python3");
        var folder = Directory.CreateTempSubdirectory("summary").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "a.trx"), $"""
                <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
                  <UnitTestResult testName="good" outcome="Passed" />
                  <UnitTestResult testName="left" outcome="NotExecuted"><Output><StdOut>{reason}</StdOut></Output></UnitTestResult>
                </Results></TestRun>
                """);
            Assert.Equal((0, "1 passed, 0 failed, 1 skipped"), Run(folder, null));
            Assert.Equal(fails ? (1, "1 passed, 1 failed, 1 skipped") : (0, "1 passed, 0 failed, 1 skipped"), Run(folder, variable));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Code, string LastLine) Run(string folder, string? variable)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [RepositoryRoot.At("deploy", "test_summary.py"), folder, "--trx-only"]) { RedirectStandardOutput = true };
        start.Environment.Remove("STREAMENGINE_REQUIRE_ORACLES");
        start.Environment.Remove("STREAMENGINE_REQUIRE_KAFKA");
        if (variable is not null) start.Environment[variable] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd().Split('\n')[^1]);
    }
}
