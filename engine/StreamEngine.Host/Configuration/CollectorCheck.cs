using StreamEngine.Configuration;
using StreamEngine.Events;

namespace StreamEngine.Host.Configuration;

/// <summary>Checks the section <c>collector</c> against the sources and keys that it names.</summary>
internal static class CollectorCheck
{
    /// <summary>Adds every mistake.</summary>
    public static void Check(CollectorOptions collector, HostOptions options, ConfigErrors errors)
    {
        if (options.Http.Port == 0)
            errors.Add(collector.Node.At, "http.port is 0: nothing is listened on", "Give http.port a port, or take the section out");
        if (collector.Sources.Count == 0)
            errors.Add(collector.Node, "sources", "there is no source", "Name the sources of 'events' that may be written");
        if (collector.Segment is { } segment && !collector.Sources.Any(s => s.Name == segment))
            errors.Add(collector.Node, "segment", $"'{segment}' is none of the collector's sources", "Name one of collector.sources");
        foreach (var source in collector.Sources)
        {
            if (options.Events.FirstOrDefault(e => e.Name == source.Name) is { } events)
                CheckSource(source, events, collector, errors);
            else
                errors.Add(source.Node.At, $"there is no source '{source.Name}'",
                    $"Sources are {string.Join(", ", options.Events.Select(e => e.Name))}");
            foreach (var key in source.Keys) CheckKey(key, source, options.Http, errors);
            Origins.Check(source.Origins, source.Node, errors);
        }
    }

    private static void CheckSource(CollectorSourceOptions source, EventSourceOptions events, CollectorOptions collector,
        ConfigErrors errors)
    {
        if (events.Format == RecordFormat.Csv)
            errors.Add(source.Node.At, $"the source '{source.Name}' is CSV, which the collector does not take",
                "Give it the format json or avro");
        if (events.Customer.All.All(p => p == RecordPart.Key))
            errors.Add(source.Node.At, "an event over HTTP has no key, and the source has its customer nowhere else",
                "Name the field that holds the customer id as the source's 'customer'");
        foreach (var path in source.Hash)
            if (RecordPart.Fault(path) is { } fault) errors.Add(source.Node, "hash", fault.Message, fault.Remedy);
        if (source.Hash.Count > 0 && collector.HashKeyFile is null)
            errors.Add(source.Node, "hash", "there is no secret to hash with: who guesses an identifier could tell its hash",
                "Name a file with a random text as collector.hash_key_file");
        if (events.Format == RecordFormat.Json) return;
        foreach (var (option, given) in new[]
        {
            ("arrival", source.Arrival is not null), ("make_id", source.MakeId is not null), ("hash", source.Hash.Count > 0),
            ("without_consent", source.WithoutConsent == WithoutConsent.Reduce && events.Requires.Count > 0),
        })
            if (given)
                errors.Add(source.Node, option, $"the source '{source.Name}' is {Spelling.Snake(events.Format.ToString())}: only JSON can "
                    + "be changed on its way", option == "without_consent" ? "Write drop or pass"
                    : "Take it out, or give the source the format json");
    }

    private static void CheckKey(string name, CollectorSourceOptions source, HttpOptions http, ConfigErrors errors)
    {
        if (http.Keys.FirstOrDefault(k => k.Name == name) is not { } key)
            errors.Add(source.Node, "keys", $"there is no key '{Printable.Text(name)}'", "Name keys of http.keys");
        else if (!key.Scopes.Contains(Scope.Collect) && !key.Scopes.Contains(Scope.Admin))
            errors.Add(source.Node, "keys", $"the key '{name}' may not collect", "Give it the scope collect");
    }
}
