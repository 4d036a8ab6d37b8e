using StreamEngine.State;

namespace StreamEngine.Runtime.Requests;

/// <summary>Reads what is known of a customer into a reply, as people and other programs see it.</summary>
internal sealed class ProfileView(CompiledEngine engine, Func<int, long, int, string> decisionId) : IProfileReader
{
    private readonly double[] _vector = new double[engine.Features.Width];
    private byte[]? _profile;

    /// <summary>Reads a customer's profile.</summary>
    /// <param name="store">The shard's profiles.</param>
    /// <param name="customer">The profile's key.</param>
    /// <param name="time">As of when, ms; the profile's newest event counts where that is later.</param>
    public ProfileReply Read(IStateStore store, ReadOnlySpan<byte> customer, long time)
    {
        _profile = null;
        store.Read(customer, this);
        if (_profile is not { } profile)
        {
            engine.Features.ReadEmpty(_vector);
            return new ProfileReply { At = Time(time), Features = Features(), Texts = Texts() };
        }
        var newest = StateLayout.NewestTime(profile);
        var at = Math.Max(time, newest);
        engine.Features.Read(profile, at, _vector);
        var consent = StateLayout.Consent(profile);
        return new ProfileReply
        {
            Found = true,
            At = Time(at),
            NewestEvent = newest == long.MinValue ? null : Time(newest),
            Features = Features(),
            Texts = Texts(),
            Consents = [.. engine.Options.Purposes.Where((_, bit) => (consent >> bit & 1) == 1)],
            Caps = [.. engine.Policy.Contacts.Uses(profile, at)
                .Select(u => new CapUse(engine.Policy.Contacts.Name(u.Limit), u.Of, u.Used, u.Max))],
            Timers = [.. engine.Timers.Waiting(profile).Concat(Deferred(profile)).Select(t => KeyValuePair.Create(t.Name, Time(t.Due)))],
            Decisions =
            [
                .. engine.Policy.Recent.All(profile).Select(d => new ProfileDecision(
                    decisionId(d.Source, d.Offset, d.Ordinal), Time(d.DecidedAt), d.Outcome, d.Offers.Count > 0 ? Offer(d.Offers[0])
                        : "", d.ByRequest)),
            ],
        };
    }

    /// <summary>The ends of quiet hours that decisions wait for, among the timers.</summary>
    private IEnumerable<(string Name, long Due)> Deferred(byte[] profile) => engine.Policy.Deferred is not { } deferred ? []
        : deferred.All(profile).Where(d => d.Trigger >= 0)
            .Select(d => ($"deferred/{engine.Policy.Triggers[d.Trigger].Name}/{d.Placement}", d.Until));

    void IProfileReader.Read(ReadOnlySpan<byte> profile) => _profile = profile.ToArray();

    private string Offer(int index) => index < 0 ? "" : engine.Policy.Offers[index].Name;

    private List<KeyValuePair<string, double>> Features() =>
        [.. engine.Features.Names.Select((name, i) => KeyValuePair.Create(name, _vector[i]))];

    private List<KeyValuePair<string, string>> Texts() => engine.Features.Texts.Of(_vector);

    private static DateTimeOffset Time(long ms) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, -62_135_596_800_000, 253_402_300_799_999));
}
