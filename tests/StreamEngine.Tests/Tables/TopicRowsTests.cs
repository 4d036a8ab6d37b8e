using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Tables;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Tables;

/// <summary>Rows of a topic by version: against plain dictionaries, one for each version, and beside a thread that adds.</summary>
public sealed class TopicRowsTests
{
    private static readonly TableShape Texts = Shape("string"), Numbers = Shape("int");

    [Theory]
    [InlineData("string", 1)]
    [InlineData("int", 2)]
    public void Every_version_has_the_rows_that_it_had(string key, int seed)
    {
        var random = new Random(seed);
        var shape = key == "int" ? Numbers : Texts;
        var rows = new TopicRows(shape);
        var versions = new List<Dictionary<int, (string? Name, long? Size)>> { new() };
        var sums = new List<ulong> { 0 };
        for (var offset = 0; offset < 600; offset++)
        {
            var now = new Dictionary<int, (string?, long?)>(versions[^1]);
            var number = random.Next(40);
            if (random.Next(4) == 0)
            {
                now.Remove(number);
                Add(rows, number, offset, null, null, deletes: true);
            }
            else
            {
                var (name, size) = (random.Next(5) == 0 ? null : $"n{random.Next(9)}", random.Next(5) == 0 ? null : (long?)random.Next(9));
                now[number] = (name, size);
                Add(rows, number, offset, name, size);
            }
            versions.Add(now);
            sums.Add(rows.Sum(offset + 1));
            Assert.Equal(now.Count, rows.Live);
        }
        for (var version = 0; version < versions.Count; version += 7) Same(versions[version], rows, version);
        // Two versions have one sum exactly where they have the same rows.
        for (var version = 0; version < versions.Count; version += 7)
        {
            Assert.Equal(sums[version], rows.Sum(version));
            for (var other = 0; other < version; other += 13)
                Assert.Equal(Text(versions[version]) == Text(versions[other]), sums[version] == sums[other]);
        }

        // Without what was superseded before a version, that one and the later ones are the same.
        const int first = 400;
        var later = rows.From(first);
        Assert.InRange(later.Count, 1, rows.Count - 250);
        for (var version = first; version < versions.Count; version += 7)
        {
            Same(versions[version], later, version);
            Assert.Equal(sums[version], later.Sum(version));
        }
        Assert.Equal((rows.Live, rows.Version), (later.Live, later.Version));
        Add(later, 1, 600, "more", 1);
        Assert.Equal("more/1", Read(later, 1, 601));
    }

    [Fact]
    public void A_deletion_of_what_is_not_there_adds_nothing()
    {
        var rows = new TopicRows(Texts);
        Add(rows, 1, 5, null, null, deletes: true);
        Assert.Equal((0, 0L, 0UL), (rows.Count, rows.Version, rows.Sum(9)));
        Add(rows, 1, 6, "a", 1);
        Add(rows, 1, 7, null, null, deletes: true);
        Add(rows, 1, 8, null, null, deletes: true);
        Assert.Equal((2, 0, 8L, 0UL), (rows.Count, rows.Live, rows.Version, rows.Sum(8)));
    }

    /// <summary>A row's values tell its key and its offset, so that a look which saw half of a row would show.</summary>
    [Fact]
    public async Task Views_stay_as_they_are_while_rows_are_added()
    {
        const int keys = 500, records = 40_000;
        var rows = new TopicRows(Texts);
        var published = new TableView(rows, 0, 0);
        var (stop, looks) = (false, 0L);
        var readers = Enumerable.Range(0, 2).Select(r => Task.Factory.StartNew(() =>
        {
            var random = new Random(r);
            while (!Volatile.Read(ref stop) || looks == 0)
            {
                var view = Volatile.Read(ref published);
                var (number, key, name, size) = (random.Next(keys), default(FieldValue), default(FieldValue), default(FieldValue));
                Set(ref key, Texts, number);
                var row = view.Find(key);
                // Of the records 0 to version - 1 the last one of the key, which has every keys-th.
                var newest = view.Version > number ? (view.Version - 1 - number) / keys * keys + number : -1;
                Assert.Equal(newest >= 0, row >= 0);
                if (row < 0) continue;
                Assert.True(view.TryGet(row, 0, ref name) && view.TryGet(row, 1, ref size));
                Assert.Equal(($"k{number}", newest), (Encoding.UTF8.GetString(name.Text), size.Bits));
                Interlocked.Increment(ref looks);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        for (var offset = 0; offset < records; offset++)
        {
            Add(rows, offset % keys, offset, $"k{offset % keys}", offset);
            if (offset % 100 == 99) Volatile.Write(ref published, new TableView(rows, offset + 1, 0));
        }
        Volatile.Write(ref stop, true);
        await Task.WhenAll(readers);
        Assert.True(looks > 0);
    }

    [Fact]
    public void Looking_allocates_nothing_and_an_update_costs_as_much_as_its_row()
    {
        var rows = new TopicRows(Texts);
        for (var i = 0; i < 5_000; i++) Add(rows, i, i, $"name-{i % 10}", i);
        var view = new TableView(rows, 5_000, 0);
        var keys = Enumerable.Range(0, 1_000).Select(i => Encoding.UTF8.GetBytes($"key-{i * 7}")).ToArray();
        var found = 0;
        void Look()
        {
            foreach (var bytes in keys)
            {
                var (key, value) = (default(FieldValue), default(FieldValue));
                key.Set(bytes, 0, bytes.Length);
                if (view.Find(key) is var row and >= 0 && view.TryGet(row, 0, ref value)) found++;
            }
        }
        Look();
        Assert.Equal(715, found);
        Assert.Equal(0, Allocations.Least(Look));

        var before = rows.Memory;
        for (var i = 0; i < 100; i++) Add(rows, i, 5_000 + i, "name-1", i);
        Assert.InRange(rows.Memory - before, 0, before); // at most what grows by half
        Assert.Equal("name-3/3", Read(rows, 3, 5_000));
        Assert.Equal("name-1/3", Read(rows, 3, 5_100));
    }

    private static TableShape Shape(string key)
    {
        var errors = new ConfigErrors();
        var shape = TableSet.Declare(
        [
            new TableOptions
            {
                Name = "t",
                Topic = "t",
                Key = new TableKeyOptions { Field = RecordPart.Key, Type = key },
                Fields = [new TableFieldOptions { Name = "name" }, new TableFieldOptions { Name = "size", Type = "int" }],
            },
        ], errors).Shapes[0];
        errors.ThrowIfAny();
        return shape;
    }

    private static void Set(ref FieldValue key, TableShape shape, int number)
    {
        var bytes = Encoding.UTF8.GetBytes($"key-{number}");
        if (shape.KeyType == FieldType.Int) key.Set((long)number);
        else key.Set(bytes, 0, bytes.Length);
    }

    private static void Add(TopicRows rows, int number, long offset, string? name, long? size, bool deletes = false)
    {
        var (key, values) = (default(FieldValue), new FieldValue[2]);
        Set(ref key, rows.Shape, number);
        if (name is not null) values[0].Set(Encoding.UTF8.GetBytes(name), 0, name.Length);
        if (size is not null) values[1].Set(size.Value);
        rows.Add(key, offset, deletes ? default : values, Hash64.Of(Encoding.UTF8.GetBytes($"{number} {name} {size}")));
    }

    private static string? Read(TopicRows rows, int number, long version)
    {
        var (key, name, size) = (default(FieldValue), default(FieldValue), default(FieldValue));
        Set(ref key, rows.Shape, number);
        var row = rows.Find(key, version);
        if (row < 0) return null;
        rows.TryGet(row, 0, ref name);
        rows.TryGet(row, 1, ref size);
        return $"{(name.Present ? Encoding.UTF8.GetString(name.Text) : "-")}/{(size.Present ? size.Bits : "-")}";
    }

    private static void Same(Dictionary<int, (string? Name, long? Size)> expected, TopicRows rows, long version)
    {
        for (var number = 0; number < 42; number++)
            Assert.Equal(expected.TryGetValue(number, out var row) ? $"{row.Name ?? "-"}/{(object?)row.Size ?? "-"}" : null,
                Read(rows, number, version));
    }

    private static string Text(Dictionary<int, (string? Name, long? Size)> rows) =>
        string.Join(' ', rows.OrderBy(r => r.Key).Select(r => $"{r.Key}:{r.Value}"));
}
