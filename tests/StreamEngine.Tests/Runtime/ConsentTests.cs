using System.Globalization;
using StreamEngine.Configuration;
using StreamEngine.Decisions;
using StreamEngine.Events;
using StreamEngine.Runtime;
using StreamEngine.State;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Runtime;

/// <summary>What a customer consents to, where sources speak of different purposes or of none.</summary>
public sealed class ConsentTests
{
    private static readonly string[] Purposes = ["ads", "email", "personalization"];
    private readonly ManualTime _time = new(DateTimeOffset.FromUnixTimeMilliseconds(Scenario.Start).AddDays(1));

    /// <summary>By its place, the purposes that a source speaks of.</summary>
    private static readonly string[][] Spoken = [Purposes, ["email"], []];

    [Fact]
    public void Of_each_purpose_the_newest_word_counts_of_a_source_that_speaks_of_it_in_any_order()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var events = Enumerable.Range(0, 12).Select(i => (Source: random.Next(3), At: Scenario.Start + random.Next(8) * 1_000L,
                Said: Purposes.Where(_ => random.Next(2) == 0).ToArray(), Id: $"{i}")).ToList();
            var expected = Purposes.Where(purpose =>
            {
                var words = events.Where(e => Spoken[e.Source].Contains(purpose)).ToList();
                return words.Count > 0 && words.Where(w => w.At == words.Max(o => o.At)).All(w => w.Said.Contains(purpose));
            });
            using var engine = Engine();
            var store = new MemoryStateStore();
            using var driver = new ShardDriver(engine, store, _time);
            foreach (var e in events) driver.Add("c", Event(e.Id, "search", e.At, e.Said), e.At, e.Source).Process();
            Assert.Equal((seed, string.Join(' ', expected)), (seed, string.Join(' ', Consents(store))));
        }
    }

    [Fact]
    public void An_event_that_says_nothing_of_a_purpose_neither_brings_it_back_nor_withdraws_it()
    {
        using var engine = Engine();
        using var driver = new ShardDriver(engine, time: _time);
        Outcome View(int at, int source, params string[] said)
        {
            driver.Add("c", Event($"{at}", "page_view", Scenario.Start + at * 1_000, said), 0, source).Process();
            return Decisions(driver).Last();
        }

        Assert.Equal(Outcome.Served, View(1, 0, "personalization"));
        Assert.Equal(Outcome.Served, View(2, 1, "email")); // of mails alone
        Assert.Equal(Outcome.Served, View(3, 2)); // of nothing
        Assert.Equal(Outcome.NoConsent, View(4, 0, "email"));
        Assert.Equal(Outcome.NoConsent, View(5, 2));
        Assert.Equal(Outcome.NoConsent, View(6, 1, "email"));
        // Who never said anything consents to nothing.
        driver.Add("other", Event("7", "page_view", Scenario.Start + 7_000, [], "other"), 0, 2).Process();
        Assert.Equal(Outcome.NoConsent, Decisions(driver).Last());
    }

    [Fact]
    public void An_opt_out_that_comes_too_late_for_all_else_is_heard()
    {
        using var engine = Engine();
        var store = new MemoryStateStore();
        using var driver = new ShardDriver(engine, store, _time);
        driver.Add("c", Event("1", "search", Scenario.Start, ["personalization"]), 0).Process();
        // Somebody else's events go on for an hour; each source's, as the slowest holds the watermark.
        for (var source = 0; source < 3; source++)
            driver.Add("o", Event($"o{source}", "search", Scenario.Start + 3_600_000, [], "o"), 0, source).Process();
        driver.Add("c", Event("2", "search", Scenario.Start + 60_000, []), 0).Process();
        Assert.Equal(1, driver.Shard.Counters.Rejected[(int)RejectReason.Late]);
        Assert.Empty(Consents(store));
        // It counts by its own time: one that is older than what is known changes nothing.
        driver.Add("c", Event("3", "search", Scenario.Start + 59_000, ["personalization"]), 0).Process();
        Assert.Empty(Consents(store));
    }

    [Fact]
    public void Where_no_source_has_consent_every_purpose_counts_as_given()
    {
        using var engine = Engine(o => [o.Events[0] with { Consent = null }]);
        using var driver = new ShardDriver(engine, time: _time);
        driver.Add("c", Event("1", "page_view", Scenario.Start, []), 0).Process();
        Assert.Equal(Outcome.Served, Decisions(driver).Single());
    }

    [Fact]
    public void A_purpose_that_is_asked_for_and_that_nobody_speaks_of_is_an_error()
    {
        var errors = new ConfigErrors();
        CompiledEngine.Compile(Options(o => [o.Events[0] with { Consent = new([new("email", "consent.email")]) }]), ".",
            new LinearModels(1), errors)?.Dispose();
        Assert.Contains("no source's 'consent' names a field for 'personalization'", string.Join('\n', errors.All),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Profiles_that_were_folded_by_other_words_are_not_taken_over()
    {
        string Version(Func<EngineOptions, IReadOnlyList<EventSourceOptions>> events)
        {
            using var engine = Engine(events);
            return engine.StateVersion;
        }

        var list = Version(o => [o.Events[0]]);
        Assert.Equal(list, Version(o => [o.Events[0] with { Consent = "other" }]));
        Assert.NotEqual(list, Version(o => [o.Events[0] with { Consent = null }]));
        Assert.NotEqual(list, Version(o => [o.Events[0] with { Consent = new([new("personalization", "p")]) }]));
    }

    private static EngineOptions Options(Func<EngineOptions, IReadOnlyList<EventSourceOptions>> events)
    {
        var options = Scenario.Options();
        return options with
        {
            Purposes = Purposes,
            Events = events(options),
            Decisions = options.Decisions with { Holdout = null, Caps = [] },
        };
    }

    private static CompiledEngine Engine(Func<EngineOptions, IReadOnlyList<EventSourceOptions>>? events = null) =>
        Scenario.Compile(Options(events ?? (o =>
        [
            o.Events[0],
            o.Events[0] with { Name = "crm", Topic = "crm", Consent = new([new("email", "mail")]) },
            o.Events[0] with { Name = "orders", Topic = "orders", Consent = null },
        ])), new LinearModels(1));

    private static IEnumerable<string> Consents(MemoryStateStore store)
    {
        var reader = new Word();
        store.Read("c"u8, reader);
        return Purposes.Where((_, bit) => (reader.Consent >> bit & 1) == 1);
    }

    private static IEnumerable<Outcome> Decisions(ShardDriver driver) =>
        driver.Outputs.Where(o => o.Topic == "decisions").Select(o =>
        {
            var entry = default(LoggedDecision);
            Assert.True(LoggedDecision.TryParse(o.Value, ref entry), entry.Error);
            return entry;
        }).Where(d => d.Kind == DecisionKind.Decision).Select(d => d.Outcome);

    private static string Event(string id, string type, long time, string[] said, string customer = "c") => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"{{id}}","customer":"{{customer}}","type":"{{type}}","time":{{time}},"value":0,"placement":"home","mail":{{(said.Contains("email") ? "true" : "false")}},"consent":[{{string.Join(',', said.Select(s => $"\"{s}\""))}}]}""");

    private sealed class Word : IProfileReader
    {
        public ulong Consent { get; private set; }

        public void Read(ReadOnlySpan<byte> profile) => Consent = StateLayout.Consent(profile.ToArray());
    }
}
