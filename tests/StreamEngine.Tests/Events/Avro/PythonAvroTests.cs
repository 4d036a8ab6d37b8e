using System.Diagnostics;
using StreamEngine.Events.Avro;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Events.Avro;

/// <summary>
/// Schemas and container files against Apache Avro's Python library, and its way of resolving against that of the library we use.
/// </summary>
public sealed class PythonAvroTests
{
    private const int Schemas = 150, Values = 8;

    [SkippableFact]
    public void PythonHasTheSameCanonicalFormsAndItsFilesAreRead()
    {
        Skip.If(!Python("-c", "import avro").Ok, "needs Debian's python3-avro: apt-get install python3-avro");
        var folder = Directory.CreateTempSubdirectory("avro").FullName;
        try
        {
            var written = Enumerable.Range(0, Schemas).Select(seed => Write(folder, seed)).ToList();
            var run = Python(Repository.Path("tests", "StreamEngine.Tests", "Events", "Avro", "python_avro.py"), folder);
            Assert.True(run.Ok, run.Error);
            for (var seed = 0; seed < Schemas; seed++)
            {
                var (schema, values, reader) = written[seed];
                Assert.Equal(Normal(File.ReadAllText(Path.Combine(folder, $"{seed}.canonical"))), Normal(schema.CanonicalForm));
                Assert.Equal(values.Select(RandomAvro.Show), Read(Path.Combine(folder, $"{seed}.back.avro"), null));
                Assert.Equal(Read(Path.Combine(folder, $"{seed}.resolved.avro"), null), Read(Path.Combine(folder, $"{seed}.avro"), reader));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (AvroSchema Schema, List<object?> Values, ApacheAvro Reader) Write(string folder, int seed)
    {
        var random = new RandomAvro(seed);
        var json = random.Schema();
        var schema = AvroSchema.Parse(json);
        var values = Enumerable.Range(0, Values).Select(_ => random.Value(schema)).ToList();
        File.WriteAllBytes(Path.Combine(folder, $"{seed}.avro"),
            AvroContainer.Of(json, values.Select(v => RandomAvro.Encode(schema, v)), deflate: seed % 2 == 0));
        var newer = new EvolvedSchema(seed, all: false).Of(json);
        File.WriteAllText(Path.Combine(folder, $"{seed}.reader.avsc"), newer);
        return (schema, values, new ApacheAvro(json, newer));
    }

    /// <summary>Key order is the only freedom that the Python library takes.</summary>
    private static string Normal(string canonical) => AvroSchema.Parse(canonical).CanonicalForm;

    private static List<string> Read(string path, ApacheAvro? reader)
    {
        using var file = new AvroFileReader(File.OpenRead(path));
        reader ??= new ApacheAvro(file.Schema.Apache, file.Schema.Apache);
        var all = new List<string>();
        while (file.Next(out var value)) all.Add(RandomAvro.Show(reader.Value(value.Span)));
        return all;
    }

    private static (bool Ok, string Error) Python(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", arguments)
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true
            })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode == 0, error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (false, e.Message);
        }
    }
}
