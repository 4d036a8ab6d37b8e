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

    [SkippableFact]
    public void AFailedTestTellsItsMessageAndItsLastWords()
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "there is no /usr/bin/python3");
        var folder = Directory.CreateTempSubdirectory("summary").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "a.trx"), $"""
                <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
                  <UnitTestResult testName="bad" outcome="Failed"><Output><StdOut>{Lines("said", 50)}</StdOut><ErrorInfo>
                    <Message>{Lines("differs", 30)}</Message><StackTrace>at A.B()</StackTrace></ErrorInfo></Output></UnitTestResult>
                </Results></TestRun>
                """);
            var (code, output) = Output(folder, null);
            Assert.Equal((1, "0 passed, 1 failed, 0 skipped"), (code, output[^1]));
            Assert.Contains("FAILED bad", output);
            var told = output.SkipWhile(l => l != "--- bad").Select(l => l.Trim()).ToArray();
            Assert.Equal(["differs 1", "differs 15", "... 5 more lines in TestResults", "differs 21", "differs 30", "at A.B()"],
                [told[1], told[15], told[16], told[17], told[26], told[27]]);
            Assert.Equal(["... 30 more lines in TestResults", "said 31", "said 50"], [told[28], told[29], told[48]]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static string Lines(string word, int count) => string.Join('\n', Enumerable.Range(1, count).Select(n => $"{word} {n}"));
    }

    [SkippableFact]
    public void TestsOfARunThatWasEnded_CountAsFailed_ByName()
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "there is no /usr/bin/python3");
        var folder = Directory.CreateTempSubdirectory("summary").FullName;
        try
        {
            // As dotnet test --blame-hang-timeout leaves them: results of what was done, and a sequence of what was begun.
            File.WriteAllText(Path.Combine(folder, "a.trx"), """
                <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
                  <UnitTestResult testName="good" outcome="Passed" />
                </Results><ResultSummary outcome="Failed"><RunInfos><RunInfo outcome="Error"><Text>The active test run was aborted.
                Killed
                rdkafka.c: x: Assertion `y' failed.</Text></RunInfo></RunInfos>
                </ResultSummary></TestRun>
                """);
            Assert.Equal((1, "1 passed, 1 failed, 0 skipped"), Run(folder, null));

            Directory.CreateDirectory(Path.Combine(folder, "some-guid"));
            File.WriteAllText(Path.Combine(folder, "some-guid", "Sequence_0f7e.xml"), """
                <?xml version="1.0"?>
                <TestSequence><Test Name="good" DisplayName="good" Source="x.dll" Completed="True" /><Test Name="N.Hangs" DisplayName="N.Hangs(1)" Source="x.dll" Completed="False" /></TestSequence>
                """);
            File.WriteAllText(Path.Combine(folder, "crash.7.crashreport.json"), """
                {"payload": {"process_name": "a.dll", "threads": [{"crashed": "false", "stack_frames": [{"native_module": "other.so"}]},
                {"crashed": "true", "stack_frames": [{"native_module": "libc.so.6", "unmanaged_name": "abort"}, {"native_module": "librdkafka.so",
                "native_image_offset": "0x85f16"}, {"method_name": "Ask(String)", "filename": "GroupOffsets.dll"}]}]}}
                """);
            File.WriteAllText(Path.Combine(folder, "a.list"), "good\nN.Hangs(1)\nnever begun\n");
            var (code, output) = Output(folder, null, "--expect=a", "--expect=b");
            Assert.Equal((1, "1 passed, 3 failed, 0 skipped"), (code, output[^1]));
            Assert.Contains("FAILED N.Hangs(1): its run was ended while it ran", output);
            Assert.Contains("FAILED never begun: its run was ended before it began", output);
            Assert.Contains("FAILED b: it left no results", output);
            Assert.Contains("rdkafka.c: x: Assertion `y' failed.", output.Select(l => l.Trim()));
            Assert.DoesNotContain("Killed", output.Select(l => l.Trim()));
            Assert.Equal(["crashed: a.dll", "  libc.so.6: abort", "  librdkafka.so: 0x85f16", "  GroupOffsets.dll: Ask(String)"],
                output.SkipWhile(l => !l.StartsWith("crashed:", StringComparison.Ordinal)).Take(4));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Code, string LastLine) Run(string folder, string? variable) =>
        Output(folder, variable) is var (code, lines) ? (code, lines[^1]) : default;

    private static (int Code, string[] Lines) Output(string folder, string? variable, params string[] more)
    {
        var start = new ProcessStartInfo("/usr/bin/python3",
            [RepositoryRoot.At("deploy", "test_summary.py"), folder, "--trx-only", .. more])
        { RedirectStandardOutput = true };
        start.Environment.Remove("STREAMENGINE_REQUIRE_ORACLES");
        start.Environment.Remove("STREAMENGINE_REQUIRE_KAFKA");
        if (variable is not null) start.Environment[variable] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd().Split('\n'));
    }
}
