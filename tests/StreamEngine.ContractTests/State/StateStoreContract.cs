using System.Buffers.Binary;
using System.Text;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.State;

/// <summary>
/// What every state store promises. A binding gives the store; a second one with little memory where the store can spill.
/// </summary>
public abstract class StateStoreContract
{
    /// <summary>An empty store with memory for everything that these tests write.</summary>
    private protected abstract IStateStore Open();

    /// <summary>An empty store whose memory is far below what the test writes.</summary>
    private protected virtual IStateStore OpenSmall() => Open();

    [Fact]
    public void An_update_of_what_is_there_creates_nothing()
    {
        using var store = OpenSmall();
        var update = new Mark();
        Assert.False(store.TryUpdate("a"u8, update));
        Assert.Equal((0, 0L), (update.Applied, store.Count));
        store.Update("a"u8, update);
        Assert.True(store.TryUpdate("a"u8, update));
        Assert.Equal((2, 1L), (update.Applied, store.Count));
        store.Delete("a"u8);
        Assert.False(store.TryUpdate("a"u8, update));
        Assert.Equal(2, update.Applied);
        for (var i = 0; i < 200_000; i++) store.Update(BitConverter.GetBytes(i), update);
        for (var i = 0; i < 200_000; i += 997) Assert.True(store.TryUpdate(BitConverter.GetBytes(i), update)); // some of them on the disk
        Assert.False(store.TryUpdate(BitConverter.GetBytes(200_000), update));
        Assert.Equal(200_000, store.Count);
    }

    [Fact]
    public void A_new_profile_is_zeros_of_the_initial_length()
    {
        using var store = Open();
        var update = new Recorder { InitialLength = 40 };
        store.Update("a"u8, update);

        Assert.Equal([(true, 40, true)], update.Calls);
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void A_new_profile_is_as_long_as_its_first_update_requires()
    {
        using var store = Open();
        var update = new Recorder { InitialLength = 16, Required = 100 };
        store.Update("a"u8, update);

        Assert.Equal([(true, 100, true)], update.Calls);
    }

    [Fact]
    public void An_update_sees_the_last_ones_bytes()
    {
        using var store = Open();
        var counter = new Counter();
        for (var i = 0; i < 5; i++) store.Update("a"u8, counter);
        store.Update("b"u8, counter);

        Assert.Equal(5, CountOf(store, "a"));
        Assert.Equal(1, CountOf(store, "b"));
        Assert.Equal(2, store.Count);
    }

    [Fact]
    public void A_profile_grows_and_keeps_its_bytes_with_zeros_behind()
    {
        using var store = Open();
        store.Update("a"u8, new Filler { InitialLength = 16, Value = 7 });
        var update = new Recorder { InitialLength = 16, Required = 64 };
        store.Update("a"u8, update);

        Assert.Equal([(false, 64, false)], update.Calls);
        var bytes = BytesOf(store, "a"u8)!;
        Assert.All(bytes[..16], b => Assert.Equal(7, b));
        Assert.All(bytes[16..], b => Assert.Equal(0, b));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void An_update_applies_once_however_often_the_store_tries()
    {
        using var store = OpenSmall();
        var update = new Recorder { InitialLength = 200 };
        for (var i = 0; i < 20_000; i++) store.Update(Key(i % 5_000), update);
        Assert.Equal(20_000, update.Calls.Count);
        Assert.Equal(5_000, update.Calls.Count(c => c.Created));
    }

    [Fact]
    public void What_is_deleted_is_gone_and_comes_back_empty()
    {
        using var store = Open();
        store.Update("a"u8, new Filler { InitialLength = 32, Value = 9 });

        Assert.True(store.Delete("a"u8));
        Assert.False(store.Delete("a"u8));
        Assert.Null(BytesOf(store, "a"u8));
        Assert.Equal(0, store.Count);

        var update = new Recorder { InitialLength = 32 };
        store.Update("a"u8, update);
        Assert.Equal([(true, 32, true)], update.Calls);
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void What_never_was_is_neither_read_nor_deleted()
    {
        using var store = Open();
        Assert.Null(BytesOf(store, "nobody"u8));
        Assert.False(store.Delete("nobody"u8));
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void Keys_of_any_length_are_told_apart()
    {
        using var store = Open();
        var keys = new[] { "", "a", "ab", "abc", "abcdefgh", "abcdefghi", new string('x', 300), new string('x', 301) };
        for (var i = 0; i < keys.Length; i++)
            for (var n = 0; n <= i; n++) store.Update(Encoding.UTF8.GetBytes(keys[i]), new Counter());
        for (var i = 0; i < keys.Length; i++) Assert.Equal(i + 1, CountOf(store, keys[i]));
    }

    [Fact]
    public void A_scan_shows_every_live_profile_once() => ScanOf(Open());

    [Fact]
    public void A_scan_reads_what_is_beyond_memory() => ScanOf(OpenSmall());

    [Fact]
    public void Random_operations_agree_with_a_dictionary() => Compare(Open(), seed: 1, keys: 2_000, operations: 100_000, maxLength: 200);

    [Fact]
    public void Random_operations_agree_with_a_dictionary_beyond_memory() =>
        Compare(OpenSmall(), seed: 2, keys: 5_000, operations: 100_000, maxLength: 600);

    [Fact]
    public void An_update_of_a_known_profile_allocates_nothing()
    {
        using var store = Open();
        var counter = new Counter();
        var keys = Enumerable.Range(0, 100).Select(Key).ToArray();
        void Run()
        {
            for (var round = 0; round < 50; round++)
                foreach (var key in keys) store.Update(key, counter);
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }

    [Fact]
    public void A_read_of_a_known_profile_allocates_nothing()
    {
        using var store = Open();
        store.Update("a"u8, new Counter());
        var reader = new LengthReader();
        void Run()
        {
            for (var i = 0; i < 1_000; i++) store.Read("a"u8, reader);
        }
        Run();
        Assert.Equal(0, Allocations.Least(Run));
    }

    private static void ScanOf(IStateStore opened)
    {
        using var store = opened;
        var model = new Dictionary<string, byte>();
        for (var round = 1; round <= 3; round++)
            for (var i = 0; i < 3_000; i++)
            {
                store.Update(Key(i), new Filler { InitialLength = 250, Value = (byte)(round + i) });
                model[Encoding.UTF8.GetString(Key(i))] = (byte)(round + i);
            }
        for (var i = 0; i < 3_000; i += 3)
        {
            store.Delete(Key(i));
            model.Remove(Encoding.UTF8.GetString(Key(i)));
        }

        var seen = new Collector();
        store.Scan(seen);
        Assert.Equal(model.Count, seen.Profiles.Count);
        foreach (var (key, value) in model) Assert.All(seen.Profiles[key], b => Assert.Equal(value, b));
        Assert.Equal(model.Count, store.Count);
    }

    private static void Compare(IStateStore opened, int seed, int keys, int operations, int maxLength)
    {
        using var store = opened;
        var random = new Random(seed);
        var model = new Dictionary<int, byte[]>();
        var change = new RandomChange(random, maxLength);
        for (var i = 0; i < operations; i++)
        {
            var id = random.Next(keys);
            var key = Key(id);
            model.TryGetValue(id, out var known);
            switch (random.Next(10))
            {
                case < 7:
                    change.Next();
                    store.Update(key, change);
                    model[id] = change.ApplyTo(known);
                    Assert.Equal(known is null, change.SawCreated);
                    break;
                case < 9:
                    Assert.Equal(known, BytesOf(store, key));
                    break;
                default:
                    Assert.Equal(known is not null, store.Delete(key));
                    model.Remove(id);
                    break;
            }
        }
        Assert.Equal(model.Count, store.Count);
        foreach (var (id, bytes) in model) Assert.Equal(bytes, BytesOf(store, Key(id)));
    }

    private protected static byte[] Key(int id) => Encoding.UTF8.GetBytes($"customer-{id}");

    private static long CountOf(IStateStore store, string key) =>
        BinaryPrimitives.ReadInt64LittleEndian(BytesOf(store, Encoding.UTF8.GetBytes(key)));

    private protected static byte[]? BytesOf(IStateStore store, ReadOnlySpan<byte> key)
    {
        var reader = new CopyReader();
        return store.Read(key, reader) ? reader.Bytes : null;
    }

    /// <summary>Counts how often it is applied.</summary>
    private sealed class Mark : IProfileUpdate
    {
        public int Applied { get; private set; }

        public int InitialLength => 128;

        public int RequiredLength(ReadOnlySpan<byte> profile) => profile.Length;

        public void Apply(Span<byte> profile, bool created) => Applied++;
    }
}
