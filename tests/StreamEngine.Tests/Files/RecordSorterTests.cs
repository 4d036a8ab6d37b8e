using System.Text;
using StreamEngine.Connectors.Files;
using Xunit;

namespace StreamEngine.Tests.Files;

public sealed class RecordSorterTests
{
    [Theory]
    [InlineData(long.MaxValue, 0)]
    [InlineData(10_000, 5)]
    [InlineData(1, 1_000)]
    public void Runs_on_disk_give_the_same_order_as_memory(long limit, int runsAtLeast)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"sorter-test-{Guid.NewGuid():N}");
        var random = new Random(7);
        var records = Enumerable.Range(0, 1_001)
            .Select(i => (Time: (long)random.Next(50), Text: $"record {i} {new string('x', random.Next(40))}")).ToList();
        using (var sorter = new RecordSorter(limit, folder))
        {
            foreach (var (time, text) in records)
            {
                var bytes = Encoding.UTF8.GetBytes(text + "k");
                var at = sorter.Reserve(bytes.Length, out var chunk);
                bytes.CopyTo(chunk, at);
                sorter.Add(time, 3, bytes.Length, bytes.Length - 1, 1);
            }
            var read = new List<(long, string)>();
            foreach (var record in sorter.Read())
            {
                Assert.Equal((3, record.Value.Length + 1L, "k"), (record.File, record.Number, Encoding.UTF8.GetString(record.Key)));
                read.Add((record.Time, Encoding.UTF8.GetString(record.Value)));
            }
            Assert.Equal(records.OrderBy(r => r.Time), read);
            Assert.True(sorter.Runs >= runsAtLeast, $"{sorter.Runs} runs");
        }
        Assert.Empty(Directory.Exists(folder) ? Directory.GetFiles(folder) : []);
    }
}
