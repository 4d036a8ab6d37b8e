using System.Diagnostics;
using Akka.Actor;
using FsCheck;
using FsCheck.Fluent;
using StreamEngine.Cluster.Routing.Protocol;
using StreamEngine.Cluster.Switches;
using StreamEngine.Decisions;
using StreamEngine.Runtime.Requests;
using Outcome = StreamEngine.Decisions.Outcome;

namespace StreamEngine.Tests.Cluster;

/// <summary>Random messages of every kind that travels between nodes.</summary>
internal static class RoutingMessages
{
    private static readonly Gen<string> Text = Gen.Frequency(
        (6, Gen.Elements("a", "b7", "home", "ä ö", "客户", "😀", "\0", "/", "%2F", "'\"", " ").ArrayOf().Select(string.Concat)),
        (1, Gen.Constant("")), (1, Gen.Choose(1, 400).Select(length => new string('x', length))));

    private static readonly Gen<long> Number = Gen.OneOf(Gen.Choose(-3, 3).Select(n => (long)n),
        Gen.Choose(int.MinValue, int.MaxValue).Select(n => (long)n * 1_000_003), Gen.Elements(long.MinValue, long.MaxValue));

    private static readonly Gen<double> Real = Gen.OneOf(Gen.Choose(-1_000, 1_000).Select(n => n / 7.0),
        Gen.Elements(0.0, -0.0, double.NaN, double.PositiveInfinity, double.Epsilon, double.MaxValue));

    private static readonly Gen<DateTimeOffset> Time =
        from seconds in Gen.Choose(0, int.MaxValue)
        from ticks in Gen.Choose(0, 9_999_999)
        from minutes in Gen.Choose(-14 * 60, 14 * 60)
        select new DateTimeOffset(DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(ticks).Ticks, TimeSpan.FromMinutes(minutes));

    private static readonly Gen<object?> Value = Gen.OneOf(Gen.Constant<object?>(null), Text.Select(t => (object?)t),
        Gen.Elements(true, false).Select(b => (object?)b), Number.Select(n => (object?)n), Number.Select(n => (object?)(int)n),
        Real.Select(d => (object?)d), Number.Select(n => (object?)(n / 100m)), Time.Select(t => (object?)t));

    private static readonly Gen<ActivityContext> Trace = Gen.OneOf(Gen.Constant(default(ActivityContext)), Number.Select(_ =>
        new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true)));

    private static readonly Gen<OfferedOffer> Offer =
        from offer in Text
        from treatment in Text
        from channel in Text
        from isDefault in Flag()
        select new OfferedOffer(offer, treatment, channel, isDefault);

    private static readonly Gen<KeyValuePair<string, double>> Feature =
        from name in Text from value in Real select KeyValuePair.Create(name, value);

    private static readonly Gen<Claim?> Owner = Gen.OneOf(Gen.Constant<Claim?>(null),
        from port in Gen.Choose(1, 65_535)
        from since in Number
        select (Claim?)new Claim(new Address("akka.tcp", "shop", "10.0.0.1", port), since));

    /// <summary>A request for a decision.</summary>
    public static Gen<DecideRequest> Decide { get; } =
        from customer in Text
        from id in Text
        from placement in Text
        from offers in Gen.Choose(int.MinValue, int.MaxValue)
        from names in Text.ArrayOf().Resize(8)
        from values in Value.ArrayOf(16)
        from time in Maybe(Time)
        select new DecideRequest
        {
            Customer = customer,
            Id = id,
            Placement = placement,
            Offers = offers,
            Time = time,
            Context = names.Distinct().Zip(values).ToDictionary(p => p.First, object? (p) => p.Second),
        };

    private static readonly Gen<DecideReply> Decided =
        from status in Any<RequestStatus>()
        from message in Text
        from progress in Real
        from id in Text
        from decision in Text
        from outcome in Any<Outcome>()
        from at in Time
        from offers in Offer.ArrayOf().Resize(5)
        from repeated in Flag()
        from fallback in Flag()
        select new DecideReply
        {
            Status = status,
            Message = message,
            Progress = progress,
            RequestId = id,
            DecisionId = decision,
            Outcome = outcome,
            DecidedAt = at,
            Offers = offers,
            Repeated = repeated,
            IsFallback = fallback,
        };

    private static readonly Gen<ProfileReply> Profile =
        from status in Any<RequestStatus>()
        from message in Text
        from progress in Real
        from found in Flag()
        from at in Time
        from newest in Maybe(Time)
        from features in Feature.ArrayOf().Resize(30)
        from texts in Text.ArrayOf().Resize(3)
        from consents in Text.ArrayOf().Resize(4)
        from used in Gen.Choose(0, 9)
        from caps in Text.ArrayOf().Resize(4)
        from timers in Text.ArrayOf().Resize(4)
        from decisions in Text.ArrayOf().Resize(4)
        from outcome in Any<Outcome>()
        select new ProfileReply
        {
            Status = status,
            Message = message,
            Progress = progress,
            Found = found,
            At = at,
            NewestEvent = newest,
            Features = features,
            Texts = [.. texts.Select(t => KeyValuePair.Create(t, message))],
            Consents = consents,
            Caps = [.. caps.Select(c => new CapUse(c, message, used, -used))],
            Timers = [.. timers.Select(t => KeyValuePair.Create(t, at))],
            Decisions = [.. decisions.Select(d => new ProfileDecision(d, at, outcome, message, found))],
        };

    private static readonly Gen<CustomerUpdate> Update =
        from customer in Text
        from at in Time
        from features in Feature.ArrayOf().Resize(30)
        from decided in Flag()
        from id in Text
        from origin in Any<DecisionOrigin>()
        from outcome in Any<Outcome>()
        from offers in Offer.ArrayOf().Resize(3)
        from complete in Flag()
        from texts in Text.ArrayOf().Resize(3)
        select new CustomerUpdate
        {
            Customer = customer,
            At = at,
            Decision = decided ? new CustomerDecision(id, origin, customer, outcome, offers) : null,
            Features = features,
            Texts = [.. texts.Select(t => KeyValuePair.Create(t, customer))],
            IsComplete = complete,
        };

    /// <summary>A message of any kind; deadlines are not compared, since what travels is what is left of them.</summary>
    public static Gen<IWireMessage> Any(IActorRef watcher) => Gen.OneOf(
        AskOf(Decide.Select(Ask (r) => new DecideAsk(r))),
        AskOf(from customer in Text
              from time in Maybe(Time)
              select (Ask)new ReadAsk(new ReadRequest { Customer = customer, Time = time })),
        AskOf(from customer in Text from number in Number select (Ask)new WatchAsk(customer, watcher, number)),
        AnswerOf(Decided.Select(Reply (r) => r)), AnswerOf(Profile.Select(Reply (r) => r)),
        AnswerOf(from status in Any<RequestStatus>()
                 from message in Text
                 select (Reply)new WatchReply { Status = status, Message = message }),
        from customer in Text from partition in Gen.Choose(0, 1_000) select (IWireMessage)new HomeProbe(customer, partition),
        Gen.Choose(0, 1_000).Select(IWireMessage (partition) => new HomeProbed(partition)),
        from uid in Number
        from sequence in Number
        from partitions in Gen.Choose(0, 1_000).ArrayOf().Resize(20)
        from since in Number
        select (IWireMessage)new Announcement(new Address("akka.tcp", "shop", "host-1", 1), uid, sequence,
            [.. partitions.Select(p => KeyValuePair.Create(p, since))]),
        Text.Select(IWireMessage (customer) => new Watched(customer)), Text.Select(IWireMessage (customer) => new WatchMoved(customer)),
        from customer in Text from number in Number select (IWireMessage)new Unwatch(customer, number),
        Update.Select(IWireMessage (update) => new WatchTold(update)),
        from topic in Text
        from kind in Gen.Elements(SwitchKind.Offer, SwitchKind.Channel, SwitchKind.Model, SwitchKind.Budget)
        from name in Text
        from offset in Number
        from off in Flag()
        from who in Text
        from reason in Text
        from at in Time
        select (IWireMessage)new SharedSwitch(topic, new SwitchRecord(name.Length == 0 ? SwitchTarget.All : new SwitchTarget(kind, name),
            offset, off, who, reason, at)));

    private static Gen<IWireMessage> AskOf(Gen<Ask> asks) =>
        from ask in asks
        from correlation in Number
        from attempt in Gen.Choose(1, 100)
        from trace in Trace
        select (IWireMessage)(ask with { Correlation = correlation, Attempt = attempt, Trace = trace });

    private static Gen<IWireMessage> AnswerOf(Gen<Reply> replies) =>
        from reply in replies
        from correlation in Number
        from attempt in Gen.Choose(1, 100)
        from owner in Owner
        select (IWireMessage)new Answer(correlation, attempt, reply, owner);

    private static Gen<bool> Flag() => Gen.Elements(true, false);

    private static Gen<T> Any<T>() where T : struct, Enum => Gen.Elements(Enum.GetValues<T>());

    private static Gen<T?> Maybe<T>(Gen<T> values) where T : struct => Gen.OneOf(Gen.Constant<T?>(null), values.Select(v => (T?)v));
}
