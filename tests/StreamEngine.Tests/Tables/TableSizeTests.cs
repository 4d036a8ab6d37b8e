using System.Globalization;
using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Testing;
using Xunit;
using Xunit.Abstractions;

namespace StreamEngine.Tests.Tables;

/// <summary>
/// What a table costs: memory as engine/docs/events.md tells it. With STREAMENGINE_TABLE_ROWS=1000000 it is a table of that size, and the
/// output says what reading and looking up took.
/// </summary>
public sealed class TableSizeTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int Rows = int.TryParse(Environment.GetEnvironmentVariable("STREAMENGINE_TABLE_ROWS"), out var rows) ? rows
        : 5_000;

    private readonly TableFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_takes_the_bytes_that_the_documentation_says()
    {
        using (var file = new StreamWriter(_folder.At("t.csv"), append: false, Encoding.ASCII))
        {
            file.WriteLine("sku,category,margin,price");
            for (var i = 0; i < Rows; i++)
                file.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"sku-{i:D8},category-{i % 1_000:D3},0.{i % 97},{i % 9_999}.95"));
        }
        var errors = new ConfigErrors();
        LookupTable table = null!;
        var read = ThreadTime.Of(() => table = _folder.Read(new TableOptions
        {
            Name = "t",
            File = "t.csv",
            Key = new TableKeyOptions { Field = "sku" },
            Fields =
            [
                new TableFieldOptions { Name = "category" }, new TableFieldOptions { Name = "margin", Type = "double" },
                new TableFieldOptions { Name = "price", Type = "decimal(2)" },
            ],
        }, errors)!);
        errors.ThrowIfAny();
        Assert.Equal(Rows, table.Rows);
        // The key: 12 bytes of index, 4 of a place, 12 of text; a text: 4 and each different one once, with 4 more; 8 for each number.
        var texts = 16L * Math.Min(Rows, 1_000);
        Assert.InRange(table.Memory, (12 + 4 + 12 + 4 + 8 + 8) * (long)Rows + texts, (12 + 4 + 12 + 4 + 8 + 8) * (long)Rows + texts + 32);

        var keys = Enumerable.Range(0, 1_000).Select(i => Encoding.ASCII.GetBytes($"sku-{(long)i * 7_919 % (2L * Rows):D8}")).ToArray();
        var found = 0;
        void Look()
        {
            foreach (var key in keys)
            {
                var (by, value) = (default(FieldValue), default(FieldValue));
                by.Set(key, 0, key.Length);
                if (table.Find(by) is var row and >= 0 && table.TryGet(row, 2, ref value)) found++;
            }
        }
        Look();
        Assert.Equal(Enumerable.Range(0, 1_000).Count(i => (long)i * 7_919 % (2L * Rows) < Rows), found);
        Assert.Equal(0, Allocations.Least(Look));
        var looked = ThreadTime.Of(() =>
        {
            for (var i = 0; i < 10; i++) Look();
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Rows:N0} rows: read in {read.TotalSeconds:F2} s of CPU, "
            + $"{(double)table.Memory / Rows:F1} bytes a row, "
            + $"{looked.TotalNanoseconds / 10 / keys.Length:F0} ns for a lookup"));
    }

    /// <summary>The same rows as the records of a topic, and then every tenth of them anew.</summary>
    [Fact]
    public void A_row_of_a_topic_takes_the_bytes_that_the_documentation_says()
    {
        var errors = new ConfigErrors();
        var shape = TableSet.Declare(
        [
            new TableOptions
            {
                Name = "t",
                Topic = "t",
                Key = new TableKeyOptions { Field = RecordPart.Key },
                Fields =
                [
                    new TableFieldOptions { Name = "category" }, new TableFieldOptions { Name = "margin", Type = "double" },
                    new TableFieldOptions { Name = "price", Type = "decimal(2)" },
                ],
            },
        ], errors).Shapes[0];
        errors.ThrowIfAny();
        var rows = new TopicRows(shape);
        var values = new FieldValue[3];
        void Add(int number, long offset)
        {
            var key = default(FieldValue);
            key.Set(Encoding.ASCII.GetBytes($"sku-{number:D8}"), 0, 12);
            values[0].Set(Encoding.ASCII.GetBytes($"category-{number % 1_000:D3}"), 0, 12);
            values[1].Set(number / 97.0);
            values[2].Set((long)number);
            rows.Add(key, offset, values, Hash64.Of(number, 0));
        }
        var added = ThreadTime.Of(() =>
        {
            for (var i = 0; i < Rows; i++) Add(i, i);
        });
        // Of a file's row: 12 of text, 4 of a place, 4 of a text, 8 for each number, 16 of an index that is half full. Of a version: 28,
        // and 4 of the newest. All of it may be there twice, as it grows by doubling.
        const int least = 12 + 4 + 4 + 8 + 8 + 16 + 28 + 4;
        Assert.InRange(rows.Memory, (long)least * Rows, 2L * least * Rows + (64 << 10));
        var updated = ThreadTime.Of(() =>
        {
            for (var i = 0; i < Rows / 10; i++) Add(10 * i, Rows + i);
        });
        Assert.Equal((Rows, Rows + Rows / 10), (rows.Live, rows.Count));
        var view = new TableView(rows, rows.Version, 0);
        var keys = Enumerable.Range(0, 1_000).Select(i => Encoding.ASCII.GetBytes($"sku-{(long)i * 7_919 % (2L * Rows):D8}")).ToArray();
        var found = 0;
        var looked = ThreadTime.Of(() =>
        {
            for (var round = 0; round < 10; round++)
                foreach (var key in keys)
                {
                    var (by, value) = (default(FieldValue), default(FieldValue));
                    by.Set(key, 0, key.Length);
                    if (view.Find(by) is var row and >= 0 && view.TryGet(row, 2, ref value)) found++;
                }
        });
        Assert.Equal(10 * Enumerable.Range(0, 1_000).Count(i => (long)i * 7_919 % (2L * Rows) < Rows), found);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Rows:N0} rows of a topic: {(double)rows.Memory / Rows:F1} bytes a "
            + $"row, {added.TotalNanoseconds / Rows:F0} ns of CPU to add one, {updated.TotalNanoseconds * 10 / Rows:F0} ns for an update, "
            + $"{looked.TotalNanoseconds / 10 / keys.Length:F0} ns for a lookup"));
    }
}
