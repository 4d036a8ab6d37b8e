using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Serialization;
using StreamEngine.Cluster.Switches;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing.Protocol;

/// <summary>
/// Writes and reads the messages between nodes. A manifest names the message and the version of its format, so that nodes of two versions
/// can stand beside each other during an upgrade: what is not known is refused by name, and never guessed at.
/// </summary>
public sealed class RoutingSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>The largest message, bytes; the transport's frame has to be larger.</summary>
    public const int MaxBytes = 960 * 1024;

    private static readonly Dictionary<Type, string> Manifests = new()
    {
        [typeof(DecideAsk)] = "decide.1",
        [typeof(ReadAsk)] = "read.1",
        [typeof(WatchAsk)] = "watch.1",
        [typeof(HomeProbe)] = "probe.1",
        [typeof(HomeProbed)] = "probed.1",
        [typeof(Announcement)] = "owns.1",
        [typeof(Watched)] = "watched.1",
        [typeof(WatchTold)] = "told.2",
        [typeof(WatchMoved)] = "moved.1",
        [typeof(Unwatch)] = "unwatch.1",
        [typeof(SharedSwitch)] = "switch.1",
    };

    private static readonly Dictionary<Type, string> Answers = new()
    {
        [typeof(DecideReply)] = "decided.1",
        [typeof(ProfileReply)] = "profile.1",
        [typeof(WatchReply)] = "watching.1",
    };

    /// <inheritdoc/>
    public override int Identifier => 5_301;

    /// <inheritdoc/>
    /// <remarks>What has no texts is written as nodes read it that know of none.</remarks>
    public override string Manifest(object o) => (o switch
    {
        Answer { Reply: ProfileReply { Texts.Count: > 0 } } => "profile.2",
        WatchTold { Update.Texts.Count: > 0 } => "told.3",
        Answer answer => Answers.GetValueOrDefault(answer.Reply.GetType()),
        _ => Manifests.GetValueOrDefault(o.GetType()),
    }) ?? throw new SerializationException($"{o.GetType()} is no message between nodes");

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj)
    {
        var bytes = Write(obj);
        if (bytes.Length <= MaxBytes) return bytes;
        var fault = $"{bytes.Length} bytes are more than a message between nodes may have ({MaxBytes})";
        // Whoever waits is told: a message that is not sent would be silence.
        return obj is Answer answer
            ? Write(answer with { Reply = Refuse(answer.Reply, fault) })
            : throw new SerializationException($"{Manifest(obj)}: {fault}");
    }

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (bytes.Length > MaxBytes) throw new SerializationException($"{manifest}: {bytes.Length} bytes are more than {MaxBytes}");
        using var from = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
        try
        {
            var message = Read(from, manifest);
            return from.BaseStream.Position == bytes.Length
                ? message
                : throw new SerializationException($"{manifest}: {bytes.Length - from.BaseStream.Position} bytes too many");
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException or OverflowException)
        {
            throw new SerializationException($"{manifest}: the {bytes.Length} bytes are damaged: {e.Message}", e);
        }
    }

    private static Reply Refuse(Reply reply, string fault) => reply switch
    {
        DecideReply => new DecideReply { Status = RequestStatus.Invalid, Message = fault },
        ProfileReply => new ProfileReply { Status = RequestStatus.Invalid, Message = fault },
        _ => new WatchReply { Status = RequestStatus.Invalid, Message = fault },
    };

    private byte[] Write(object message)
    {
        var stream = new MemoryStream(256);
        using var to = new BinaryWriter(stream, Encoding.UTF8);
        switch (message)
        {
            case DecideAsk ask:
                WriteAsk(to, ask);
                WireFormat.Write(to, ask.Request);
                break;
            case ReadAsk ask:
                WriteAsk(to, ask);
                WireFormat.Write(to, ask.Request);
                break;
            case WatchAsk ask:
                WriteAsk(to, ask);
                to.Write(ask.Customer);
                to.Write(Akka.Serialization.Serialization.SerializedActorPath(ask.Watcher));
                to.Write7BitEncodedInt64(ask.Number);
                break;
            case Answer answer: WriteAnswer(to, answer); break;
            case HomeProbe probe:
                to.Write(probe.Customer);
                to.Write7BitEncodedInt(probe.Partition);
                break;
            case HomeProbed probed: to.Write7BitEncodedInt(probed.Partition); break;
            case Announcement owns:
                to.WriteAddress(owns.Node);
                to.Write(owns.Uid);
                to.Write(owns.Sequence);
                to.WriteList(owns.Owned, static (w, claim) =>
                {
                    w.Write7BitEncodedInt(claim.Key);
                    w.Write7BitEncodedInt64(claim.Value);
                });
                break;
            case Watched watched: to.Write(watched.Customer); break;
            case WatchTold told:
                WireFormat.Write(to, told.Update);
                to.Write(told.Update.IsComplete);
                if (told.Update.Texts.Count > 0) to.WriteList(told.Update.Texts, WireFormat.WriteText);
                break;
            case WatchMoved moved: to.Write(moved.Customer); break;
            case Unwatch unwatch:
                to.Write(unwatch.Customer);
                to.Write7BitEncodedInt64(unwatch.Number);
                break;
            case SharedSwitch told:
                to.Write(told.TopicId);
                WireFormat.Write(to, told.Record);
                break;
            default: throw new SerializationException($"{message.GetType()} is no message between nodes");
        }
        return stream.ToArray();
    }

    private object Read(BinaryReader from, string manifest)
    {
        switch (manifest)
        {
            case "decide.1": return ReadAsk(from, static r => new DecideAsk(WireFormat.ReadDecide(r)));
            case "read.1": return ReadAsk(from, static r => new ReadAsk(WireFormat.ReadRead(r)));
            case "watch.1":
                return ReadAsk(from, r =>
                    new WatchAsk(r.ReadString(), system.Provider.ResolveActorRef(r.ReadString()), r.Read7BitEncodedInt64()));
            case "decided.1": return ReadAnswer(from, WireFormat.ReadDecideReply);
            case "profile.1": return ReadAnswer(from, WireFormat.ReadProfileReply);
            case "profile.2":
                return ReadAnswer(from, static r => WireFormat.ReadProfileReply(r) with { Texts = r.ReadList(WireFormat.ReadText) });
            case "watching.1": return ReadAnswer(from, static r => WireFormat.ReadHead(r, new WatchReply()));
            case "probe.1": return new HomeProbe(from.ReadString(), from.Read7BitEncodedInt());
            case "probed.1": return new HomeProbed(from.Read7BitEncodedInt());
            case "owns.1":
                return new Announcement(from.ReadAddress(), from.ReadInt64(), from.ReadInt64(),
                    from.ReadList(static r => KeyValuePair.Create(r.Read7BitEncodedInt(), r.Read7BitEncodedInt64())));
            case "watched.1": return new Watched(from.ReadString());
            // Of the version before: it did not say whether it has all features.
            case "told.1": return new WatchTold(WireFormat.ReadUpdate(from));
            case "told.2": return new WatchTold(WireFormat.ReadUpdate(from) with { IsComplete = from.ReadBoolean() });
            case "told.3":
                return new WatchTold(WireFormat.ReadUpdate(from) with
                {
                    IsComplete = from.ReadBoolean(),
                    Texts = from.ReadList(WireFormat.ReadText),
                });
            case "moved.1": return new WatchMoved(from.ReadString());
            case "unwatch.1": return new Unwatch(from.ReadString(), from.Read7BitEncodedInt64());
            case "switch.1": return new SharedSwitch(from.ReadString(), WireFormat.ReadSwitch(from));
            default:
                throw new SerializationException($"'{manifest}' is no message that this version knows; known are: "
                    + string.Join(", ", Manifests.Values.Concat(Answers.Values).Order(StringComparer.Ordinal)));
        }
    }

    private void WriteAsk(BinaryWriter to, Ask ask)
    {
        to.Write7BitEncodedInt64(ask.Correlation);
        to.Write7BitEncodedInt(ask.Attempt);
        to.Write7BitEncodedInt64(Math.Max(0, (ask.Deadline - system.Scheduler.MonotonicClock).Ticks));
        to.WriteTrace(ask.Trace);
    }

    private Ask ReadAsk(BinaryReader from, Func<BinaryReader, Ask> read)
    {
        var (correlation, attempt) = (from.Read7BitEncodedInt64(), from.Read7BitEncodedInt());
        var left = TimeSpan.FromTicks(Math.Clamp(from.Read7BitEncodedInt64(), 0, TimeSpan.TicksPerDay));
        var trace = from.ReadTrace();
        return read(from) with
        {
            Correlation = correlation,
            Attempt = attempt,
            Deadline = system.Scheduler.MonotonicClock + left,
            Trace = trace
        };
    }

    private static void WriteAnswer(BinaryWriter to, Answer answer)
    {
        to.Write7BitEncodedInt64(answer.Correlation);
        to.Write7BitEncodedInt(answer.Attempt);
        to.Write(answer.Owner is not null);
        if (answer.Owner is { } owner)
        {
            to.WriteAddress(owner.Node);
            to.Write7BitEncodedInt64(owner.Since);
        }
        switch (answer.Reply)
        {
            case DecideReply reply: WireFormat.Write(to, reply); break;
            case ProfileReply reply: WireFormat.Write(to, reply); break;
            default: WireFormat.WriteHead(to, answer.Reply); break;
        }
    }

    private static Answer ReadAnswer(BinaryReader from, Func<BinaryReader, Reply> read)
    {
        var (correlation, attempt) = (from.Read7BitEncodedInt64(), from.Read7BitEncodedInt());
        var owner = from.ReadBoolean() ? new Claim(from.ReadAddress(), from.Read7BitEncodedInt64()) : null;
        return new Answer(correlation, attempt, read(from), owner);
    }
}
