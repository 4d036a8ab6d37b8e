using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Akka.TestKit.Xunit2;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Cluster.Routing;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Runtime.Requests;
using Xunit;

namespace StreamEngine.Tests.Cluster;

/// <summary>Messages between nodes: what is written is read again, and what is damaged or unknown is refused.</summary>
public sealed class RoutingSerializerTests : TestKit
{
    private static readonly Config Config = Config.QuickThrowOnFailure.WithMaxTest(3_000);
    private readonly SerializerWithStringManifest _serializer;

    public RoutingSerializerTests() : base(ClusterRouting.Config) =>
        _serializer = (SerializerWithStringManifest)Sys.Serialization.FindSerializerForType(typeof(IWireMessage));

    [Fact]
    public void Every_message_comes_back_as_it_was() =>
        Check.One(Config.WithReplay(7, 1), Prop.ForAll(Arb.From(RoutingMessages.Any(TestActor)), message =>
        {
            var bytes = _serializer.ToBinary(message);
            var read = _serializer.FromBinary(bytes, _serializer.Manifest(message));
            Assert.Equal(Show(message), Show(read));
            Assert.Equal(bytes.Length, _serializer.ToBinary(read).Length);
        }));

    [Fact]
    public void Nothing_that_messages_hold_is_left_out_of_what_is_drawn()
    {
        var (held, drawn) = (new HashSet<string>(), new HashSet<string>());
        foreach (var message in RoutingMessages.Any(TestActor).Sample(500, 2_000)) Walk(message);
        // How long to try is the deadline's matter, which the test of the time that is left holds.
        held.RemoveWhere(p => p.EndsWith(".Timeout", StringComparison.Ordinal) || p.EndsWith(".Deadline", StringComparison.Ordinal));
        Assert.Empty(held.Except(drawn));

        void Walk(object value)
        {
            if (value is IEnumerable list and not string)
                foreach (var item in list) Walk(item!);
            else if (value.GetType().Namespace?.StartsWith("StreamEngine", StringComparison.Ordinal) == true && !value.GetType().IsEnum)
                foreach (var property in Properties(value))
                {
                    var (name, now) = ($"{property.DeclaringType!.Name}.{property.Name}", property.GetValue(value));
                    held.Add(name);
                    if (now is null or "" or ICollection { Count: 0 }
                        || (now.GetType().IsValueType && now.Equals(Activator.CreateInstance(now.GetType())))) continue;
                    drawn.Add(name);
                    Walk(now);
                }
        }
    }

    [Fact]
    public void Damaged_bytes_are_refused_or_read_and_never_crash_or_hang() =>
        Check.One(Config.WithReplay(11, 3), Prop.ForAll(Arb.From(
            from message in RoutingMessages.Any(TestActor)
            from cut in Gen.Choose(0, 1_000)
            from at in Gen.Choose(0, 1_000)
            from flip in Gen.Choose(0, 255)
            select (message, cut, at, flip)), t =>
        {
            var bytes = _serializer.ToBinary(t.message);
            var manifest = _serializer.Manifest(t.message);
            // Each message ends in something that can't be missing, so what is cut off is always seen.
            if (bytes.Length > 0)
                Assert.Throws<SerializationException>(() => _serializer.FromBinary(bytes[..(t.cut % bytes.Length)], manifest));
            Assert.Throws<SerializationException>(() => _serializer.FromBinary([.. bytes, 0], manifest));
            bytes[t.at % bytes.Length] ^= (byte)t.flip;
            try
            {
                _serializer.FromBinary(bytes, manifest);
            }
            catch (SerializationException)
            {
                // This is how it refuses.
            }
        }));

    [Theory]
    [InlineData("decide.2")]
    [InlineData("")]
    [InlineData("gossip.1")]
    public void An_unknown_message_or_version_is_refused_by_name(string manifest)
    {
        var e = Assert.Throws<SerializationException>(() => _serializer.FromBinary([1, 2, 3], manifest));
        Assert.Contains($"'{manifest}'", e.Message, StringComparison.Ordinal);
        Assert.Contains("decide.1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_time_that_is_left_travels_and_not_the_clock()
    {
        var before = Sys.Scheduler.MonotonicClock;
        var ask = new ReadAsk(new ReadRequest { Customer = "c" }) { Deadline = before + TimeSpan.FromSeconds(5) };
        var read = (Ask)_serializer.FromBinary(_serializer.ToBinary(ask), "read.1");
        Assert.InRange(read.Deadline, before + TimeSpan.FromSeconds(4), ask.Deadline + (Sys.Scheduler.MonotonicClock - before));
        var late = (Ask)_serializer.FromBinary(_serializer.ToBinary(ask with { Deadline = TimeSpan.Zero }), "read.1");
        Assert.InRange(late.Deadline, before, Sys.Scheduler.MonotonicClock);
    }

    [Fact]
    public void A_reply_that_is_too_large_says_so_instead_of_staying_away()
    {
        var features = Enumerable.Range(0, 100_000).Select(i => KeyValuePair.Create($"feature_{i}", 1.0)).ToArray();
        var bytes = _serializer.ToBinary(new Answer(3, 1, new ProfileReply { Features = features }, null));
        var read = (Answer)_serializer.FromBinary(bytes, "profile.1");
        Assert.Equal((3, RequestStatus.Invalid), (read.Correlation, read.Reply.Status));
        Assert.Contains("bytes are more than a message between nodes may have", read.Reply.Message, StringComparison.Ordinal);
        Assert.Throws<SerializationException>(() =>
            _serializer.ToBinary(new DecideAsk(new DecideRequest { Customer = "c", Id = new string('x', RoutingSerializer.MaxBytes) })));
    }

    [Fact]
    public void A_small_message_stays_small()
    {
        var ask = new DecideAsk(new DecideRequest { Customer = "customer-17", Id = Guid.NewGuid().ToString("N"), Placement = "home" });
        Assert.InRange(_serializer.ToBinary(ask).Length, 1, 80);
    }

    private static System.Reflection.PropertyInfo[] Properties(object value) =>
        value.GetType().GetProperties(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public);

    /// <summary>Everything that a message holds, with the types of its values, and without its deadline.</summary>
    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        double number => BitConverter.DoubleToInt64Bits(number).ToString("x", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O"),
        IReadOnlyDictionary<string, object?> entries => "{" + string.Join(",", entries.Select(e =>
            $"{e.Key}:{e.Value?.GetType().Name}:{Show(e.Value)}").Order(StringComparer.Ordinal)) + "}",
        IActorRef actor => actor.Path.ToString(),
        IEnumerable list => "[" + string.Join(",", list.Cast<object?>().Select(Show)) + "]",
        // What has parts is shown by them; a value of the runtime's by its text.
        _ when value is not ActivityContext && value.GetType().Namespace?.StartsWith("StreamEngine", StringComparison.Ordinal) != true
            && !value.GetType().Name.StartsWith("KeyValuePair", StringComparison.Ordinal) => $"{value}",
        Enum => $"{value}",
        _ => value.GetType().Name + "(" + string.Join(",", Properties(value).Where(p => p.GetIndexParameters().Length == 0
            && p.Name is not ("Deadline" or "EqualityContract")).Select(p => $"{p.Name}={Show(p.GetValue(value))}")) + ")",
    };
}
