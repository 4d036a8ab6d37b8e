using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Events;
using StreamEngine.Features;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>Event ids in the profile's tail against a plain list.</summary>
public sealed class DuplicateFilterTests
{
    private const int Horizon = 100;

    [Fact]
    public void Is_absent_without_a_horizon() =>
        Assert.Null(DuplicateFilter.Compile(new DuplicateOptions { Horizon = TimeSpan.Zero }, new StateLayout()));

    [Fact]
    public void An_id_inside_the_horizon_is_always_found_and_none_other()
    {
        var step = from dt in Gen.Choose(-60, 25)
                   from id in Gen.Choose(0, 40)
                   from jump in Gen.Frequency((30, Gen.Constant(0)),
            (1, Gen.Choose(50, 400)))
                   select (dt: dt + jump, id);
        var steps = from count in Gen.Choose(1, 400) from all in Gen.ArrayOf(step, count) select all;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(3, 5), Prop.ForAll(Arb.From(steps), all =>
        {
            var tail = new Tail(Horizon, 65_536);
            var seen = new List<(ulong Id, long Time)>();
            var newest = long.MinValue;
            var clock = 1_000L;
            foreach (var (dt, id) in all)
            {
                var time = clock + dt;
                clock = Math.Max(clock, time);
                newest = Math.Max(newest, time);
                var known = seen.Any(s => s.Id == (ulong)id && s.Time >= newest - Horizon);
                Assert.Equal(known ? DuplicateResult.Duplicate : DuplicateResult.Added, tail.Add((ulong)id, time));
                if (!known) seen.Add(((ulong)id, time));
            }
        }));
    }

    [Fact]
    public void Many_ids_grow_the_tail_by_doubling_and_are_all_found()
    {
        var random = new Random(1);
        var ids = Enumerable.Range(0, 5_000).Select(_ => (ulong)random.NextInt64()).ToArray();
        var tail = new Tail(1_000_000, 65_536);
        for (var i = 0; i < ids.Length; i++)
        {
            Assert.Equal(DuplicateResult.Added, tail.Add(ids[i], i));
            Assert.Equal(DuplicateResult.Duplicate, tail.Add(ids[random.Next(i + 1)], i));
        }
        foreach (var id in ids) Assert.Equal(DuplicateResult.Duplicate, tail.Add(id, 5_000));
        Assert.InRange(tail.Growths, 9, 11);
    }

    [Fact]
    public void Expired_ids_make_room_before_the_tail_grows()
    {
        var tail = new Tail(Horizon, 65_536);
        for (var i = 0; i < 100_000; i++) Assert.Equal(DuplicateResult.Added, tail.Add((ulong)i, i * 10L));
        Assert.InRange(tail.Growths, 0, 1);
        Assert.True(tail.Length <= StateLayout.HeaderLength + 24 + 16 + 16 * 16, $"{tail.Length} bytes");
    }

    [Fact]
    public void Ids_that_expire_from_a_large_tail_leave_the_others_to_be_found()
    {
        var random = new Random(2);
        var tail = new Tail(2_000, 65_536);
        var live = new Queue<ulong>();
        for (var i = 0; i < 30_000; i++)
        {
            var id = (ulong)random.NextInt64();
            Assert.Equal(DuplicateResult.Added, tail.Add(id, i));
            live.Enqueue(id);
            if (live.Count > 2_001) live.Dequeue();
            if (i % 3_000 == 0)
                foreach (var known in live) Assert.Equal(DuplicateResult.Duplicate, tail.Add(known, i));
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(100)]
    public void At_the_limit_the_longest_remembered_is_forgotten_and_told(int most)
    {
        var tail = new Tail(1_000_000, most);
        for (var i = 0; i < most; i++) Assert.Equal(DuplicateResult.Added, tail.Add((ulong)i, i));
        for (var i = most; i < 5 * most; i++)
        {
            Assert.Equal(DuplicateResult.AddedButEvicted, tail.Add((ulong)i, i));
            Assert.Equal(DuplicateResult.Duplicate, tail.Add((ulong)(i - most + 1), i));
        }
        Assert.Equal(DuplicateResult.AddedButEvicted, tail.Add(0, 5 * most));
    }

    [Fact]
    public void Asking_for_the_length_changes_nothing_and_adding_allocates_nothing()
    {
        var tail = new Tail(1_000_000, 64);
        var i = 0;
        for (; i < 64; i++) tail.Add((ulong)i, i);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var end = i + 1_000; i < end; i++) tail.Add((ulong)i, i);
        }));
    }

    /// <summary>A profile that grows as a store grows it.</summary>
    private sealed class Tail
    {
        private readonly DuplicateFilter _filter;
        private byte[] _profile = [];

        public Tail(int horizon, int most)
        {
            var layout = new StateLayout();
            layout.Reserve("something", 24, "");
            _filter = DuplicateFilter.Compile(new DuplicateOptions { Horizon = TimeSpan.FromMilliseconds(horizon), MaxPerCustomer = most },
                layout)!;
        }

        public int Growths { get; private set; } = -1;

        public int Length => _profile.Length;

        public DuplicateResult Add(ulong id, long time)
        {
            var created = _profile.Length == 0;
            var hash = id * 0xD6E8FEB86659FD93;
            var length = _filter.RequiredLength(_profile, hash, time);
            if (length > _profile.Length)
            {
                Array.Resize(ref _profile, length);
                Growths++;
            }
            var result = _filter.TryAdd(_profile, hash, time, created);
            ref var newest = ref StateLayout.NewestTime(_profile);
            newest = created ? time : Math.Max(newest, time);
            return result;
        }
    }
}
