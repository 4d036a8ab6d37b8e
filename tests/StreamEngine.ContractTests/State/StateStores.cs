using StreamEngine.State;
using StreamEngine.State.Faster;
using Xunit;

namespace StreamEngine.ContractTests.State;

public sealed class MemoryStateStoreTests : StateStoreContract
{
    private protected override IStateStore Open() => new MemoryStateStore();
}

public sealed class FasterStateStoreTests : StateStoreContract, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("state-").FullName;
    private int _stores;

    private protected override IStateStore Open() => OpenFaster(32L << 20);

    private protected override IStateStore OpenSmall() => OpenFaster(256 << 10);

    [Fact]
    public void State_beyond_memory_is_on_disk_and_memory_stays_bounded()
    {
        using var store = OpenFaster(256 << 10);
        for (var i = 0; i < 10_000; i++) store.Update(Key(i), new Filler { InitialLength = 400, Value = (byte)i });
        Assert.InRange(store.MemoryBytes, 1, 1 << 20);
        Assert.InRange(store.LogBytes, 4_000_000, long.MaxValue);
        for (var i = 0; i < 10_000; i += 97) Assert.All(BytesOf(store, Key(i))!, b => Assert.Equal((byte)i, b));
    }

    [Fact]
    public void Disk_stays_bounded_however_often_profiles_are_written()
    {
        using var store = OpenFaster(256 << 10);
        long longest = 0;
        for (var round = 0; round < 200; round++)
        {
            for (var i = 0; i < 2_000; i++)
            {
                store.Update(Key(i), new Filler { InitialLength = 400, Value = (byte)(i + round) });
                if (i % 50 == 0) store.Tidy();
            }
            longest = Math.Max(longest, store.LogBytes);
        }
        Assert.InRange(longest, 2_000 * 400, 6 << 20); // some 170 MB were written
        for (var i = 0; i < 2_000; i += 2) store.Delete(Key(i));
        for (var i = 0; i < 1_000; i++) store.Tidy();
        Assert.Equal(1_000, store.Count);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = BytesOf(store, Key(i));
            if (i % 2 == 0) Assert.Null(bytes);
            else Assert.All(bytes!, b => Assert.Equal((byte)(i + 199), b));
        }
    }

    [Fact]
    public void Tidying_keeps_every_byte_of_profiles_that_nothing_writes()
    {
        using var store = OpenFaster(256 << 10);
        var random = new Random(1);
        var lengths = Enumerable.Range(0, 3_000).Select(_ => random.Next(64, 8_000)).ToArray();
        for (var i = 0; i < lengths.Length; i++)
            store.Update(Key(i), new Filler { InitialLength = lengths[i], Value = (byte)(i % 251 + 1) });
        for (var round = 0; round < 100_000; round++)
        {
            store.Update(Key(lengths.Length + round % 1_000), new Filler { InitialLength = 400, Value = (byte)round });
            if (round % 20 == 0) store.Tidy();
        }
        for (var i = 0; i < lengths.Length; i++)
        {
            var bytes = BytesOf(store, Key(i))!;
            Assert.Equal(lengths[i], bytes.Length);
            Assert.All(bytes, b => Assert.Equal((byte)(i % 251 + 1), b));
        }
    }

    [Fact]
    public void A_disk_that_fails_is_told_with_folder_and_reason()
    {
        var directory = Path.Combine(_directory, "gone");
        using var store = new FasterStateStore(new FasterStateOptions(directory, 256 << 10, 64 << 10));
        Directory.Delete(directory);
        var error = Assert.Throws<IOException>(() =>
        {
            for (var i = 0; i < 100_000; i++) store.Update(Key(i), new Filler { InitialLength = 400, Value = 1 });
        });
        Assert.Contains(directory, error.Message);
        Assert.IsType<DirectoryNotFoundException>(error.InnerException);
    }

    [Fact]
    public void Closing_removes_the_files()
    {
        var directory = Path.Combine(_directory, "closed");
        using (var store = new FasterStateStore(new FasterStateOptions(directory, 256 << 10, 64 << 10)))
            for (var i = 0; i < 10_000; i++) store.Update(Key(i), new Counter());
        Assert.Empty(Directory.GetFiles(directory));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private FasterStateStore OpenFaster(long memory) =>
        new(new FasterStateOptions(Path.Combine(_directory, $"{_stores++}"), memory, IndexBytes: 64 << 10));
}
