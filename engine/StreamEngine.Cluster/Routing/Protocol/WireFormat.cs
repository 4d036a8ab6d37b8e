using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Cluster.Routing.Protocol;

/// <summary>
/// Version 1 of the requests, replies and updates on the wire. A change that an older node could not read gets a new manifest and a format
/// of its own beside this one (<see cref="RoutingSerializer"/>).
/// </summary>
internal static class WireFormat
{
    public static void Write(BinaryWriter to, DecideRequest request)
    {
        to.Write(request.Customer);
        to.Write(request.Id);
        to.Write(request.Placement);
        to.WriteList(request.Context, static (w, entry) =>
        {
            w.Write(entry.Key);
            w.WriteValue(entry.Value);
        });
        to.Write7BitEncodedInt(request.Offers);
        to.WriteMaybe(request.Time, WireValues.WriteTime);
    }

    public static DecideRequest ReadDecide(BinaryReader from)
    {
        var request = new DecideRequest { Customer = from.ReadString(), Id = from.ReadString(), Placement = from.ReadString() };
        var context = from.ReadList(static r => KeyValuePair.Create(r.ReadString(), r.ReadValue()));
        return request with
        {
            Context = context.ToDictionary(),
            Offers = from.Read7BitEncodedInt(),
            Time = from.ReadMaybe(WireValues.ReadTime),
        };
    }

    public static void Write(BinaryWriter to, ReadRequest request)
    {
        to.Write(request.Customer);
        to.WriteMaybe(request.Time, WireValues.WriteTime);
    }

    public static ReadRequest ReadRead(BinaryReader from) =>
        new() { Customer = from.ReadString(), Time = from.ReadMaybe(WireValues.ReadTime) };

    public static void Write(BinaryWriter to, DecideReply reply)
    {
        WriteHead(to, reply);
        to.Write(reply.RequestId);
        to.Write(reply.DecisionId);
        to.Write((byte)reply.Outcome);
        to.WriteTime(reply.DecidedAt);
        to.WriteList(reply.Offers, WriteOffer);
        to.Write(reply.Repeated);
        to.Write(reply.IsFallback);
    }

    public static DecideReply ReadDecideReply(BinaryReader from) => ReadHead(from, new DecideReply()) with
    {
        RequestId = from.ReadString(),
        DecisionId = from.ReadString(),
        Outcome = from.ReadEnum<Outcome>(),
        DecidedAt = from.ReadTime(),
        Offers = from.ReadList(ReadOffer),
        Repeated = from.ReadBoolean(),
        IsFallback = from.ReadBoolean(),
    };

    public static void Write(BinaryWriter to, ProfileReply reply)
    {
        WriteHead(to, reply);
        to.Write(reply.Found);
        to.WriteTime(reply.At);
        to.WriteMaybe(reply.NewestEvent, WireValues.WriteTime);
        to.WriteList(reply.Features, WriteFeature);
        to.WriteList(reply.Consents, static (w, purpose) => w.Write(purpose));
        to.WriteList(reply.Caps, static (w, cap) =>
        {
            w.Write(cap.Cap);
            w.Write(cap.Offer);
            w.Write7BitEncodedInt(cap.Used);
            w.Write7BitEncodedInt(cap.Max);
        });
        to.WriteList(reply.Timers, static (w, timer) =>
        {
            w.Write(timer.Key);
            w.WriteTime(timer.Value);
        });
        to.WriteList(reply.Decisions, static (w, decision) =>
        {
            w.Write(decision.DecisionId);
            w.WriteTime(decision.DecidedAt);
            w.Write((byte)decision.Outcome);
            w.Write(decision.Offer);
            w.Write(decision.ByRequest);
        });
        if (reply.Texts.Count > 0) to.WriteList(reply.Texts, WriteText);
    }

    public static ProfileReply ReadProfileReply(BinaryReader from) => ReadHead(from, new ProfileReply()) with
    {
        Found = from.ReadBoolean(),
        At = from.ReadTime(),
        NewestEvent = from.ReadMaybe(WireValues.ReadTime),
        Features = from.ReadList(ReadFeature),
        Consents = from.ReadList(static r => r.ReadString()),
        Caps = from.ReadList(static r => new CapUse(r.ReadString(), r.ReadString(), r.Read7BitEncodedInt(), r.Read7BitEncodedInt())),
        Timers = from.ReadList(static r => KeyValuePair.Create(r.ReadString(), r.ReadTime())),
        Decisions = from.ReadList(static r =>
            new ProfileDecision(r.ReadString(), r.ReadTime(), r.ReadEnum<Outcome>(), r.ReadString(), r.ReadBoolean())),
    };

    public static void Write(BinaryWriter to, CustomerUpdate update)
    {
        to.Write(update.Customer);
        to.WriteTime(update.At);
        to.Write(update.Decision is not null);
        if (update.Decision is { } decision)
        {
            to.Write(decision.DecisionId);
            to.Write((byte)decision.Origin);
            to.Write(decision.Placement);
            to.Write((byte)decision.Outcome);
            to.WriteList(decision.Offers, WriteOffer);
        }
        to.WriteList(update.Features, WriteFeature);
    }

    public static CustomerUpdate ReadUpdate(BinaryReader from) => new()
    {
        Customer = from.ReadString(),
        At = from.ReadTime(),
        Decision = from.ReadBoolean()
            ? new CustomerDecision(from.ReadString(), from.ReadEnum<DecisionOrigin>(), from.ReadString(), from.ReadEnum<Outcome>(),
                from.ReadList(ReadOffer))
            : null,
        Features = from.ReadList(ReadFeature),
    };

    public static void Write(BinaryWriter to, SwitchRecord record)
    {
        to.Write(record.Target.ToString());
        to.Write7BitEncodedInt64(record.Offset);
        to.Write(record.Off);
        to.Write(record.By);
        to.Write(record.Reason);
        to.WriteTime(record.At);
    }

    public static SwitchRecord ReadSwitch(BinaryReader from) =>
        SwitchTarget.TryParse(from.ReadString(), out var target)
            ? new SwitchRecord(target, from.Read7BitEncodedInt64(), from.ReadBoolean(), from.ReadString(), from.ReadString(),
                from.ReadTime())
            : throw new FormatException("what is switched is none of all, offer:NAME, channel:NAME, model:NAME and budget:NAME");

    public static void WriteHead(BinaryWriter to, Reply reply)
    {
        to.Write((byte)reply.Status);
        to.Write(reply.Message);
        to.Write(reply.Progress);
    }

    public static T ReadHead<T>(BinaryReader from, T reply) where T : Reply =>
        reply with { Status = from.ReadEnum<RequestStatus>(), Message = from.ReadString(), Progress = from.ReadDouble() };

    private static void WriteOffer(BinaryWriter to, OfferedOffer offer)
    {
        to.Write(offer.Offer);
        to.Write(offer.Treatment);
        to.Write(offer.Channel);
        to.Write(offer.IsDefault);
    }

    private static OfferedOffer ReadOffer(BinaryReader from) =>
        new(from.ReadString(), from.ReadString(), from.ReadString(), from.ReadBoolean());

    public static void WriteText(BinaryWriter to, KeyValuePair<string, string> text)
    {
        to.Write(text.Key);
        to.Write(text.Value);
    }

    public static KeyValuePair<string, string> ReadText(BinaryReader from) => KeyValuePair.Create(from.ReadString(), from.ReadString());

    private static void WriteFeature(BinaryWriter to, KeyValuePair<string, double> feature)
    {
        to.Write(feature.Key);
        to.Write(feature.Value);
    }

    private static KeyValuePair<string, double> ReadFeature(BinaryReader from) => KeyValuePair.Create(from.ReadString(), from.ReadDouble());
}
