using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Avro;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Finds the input files of a replay and the source that each belongs to: by name (<c>clicks=data/clicks/*.csv</c>), or the only source, or
/// the only one of the file's format. CSV headers give the sources their columns where the config gives none.
/// </summary>
/// <param name="Files">The files in the order given, those of a folder or pattern by path.</param>
/// <param name="Sources">The config's sources, with columns.</param>
/// <param name="Schemas">By source, the schema that its Avro files were written with.</param>
public sealed record EventFiles(IReadOnlyList<EventFile> Files, IReadOnlyList<EventSourceOptions> Sources,
    IReadOnlyList<AvroSchema?> Schemas)
{
    /// <summary>Bytes on disk over all files.</summary>
    public long Length => Files.Sum(f => f.Length);

    /// <summary>Finds the files; what does not fit is added to the errors.</summary>
    public static EventFiles Find(IReadOnlyList<string> arguments, IReadOnlyList<EventSourceOptions> sources, ConfigErrors errors)
    {
        var search = new Search(sources, errors);
        foreach (var argument in arguments) search.Add(argument);
        return new EventFiles(search.Files, search.Sources, search.Schemas);
    }

    /// <summary>The decoders of the files' records, by source.</summary>
    /// <param name="catalog">Compiled from <see cref="Sources"/>.</param>
    /// <exception cref="AvroException">The files' schema does not resolve to the source's.</exception>
    public IReadOnlyList<IEventDecoder> CreateDecoders(EventCatalog catalog) =>
        [.. catalog.Sources.Select((s, i) => !Files.Any(f => f.Source == i) ? new UnusedDecoder() : Schemas[i] is { } schema
            ? s.CreateDecoder(schema) : s.CreateDecoder())];

    private sealed class Search(IReadOnlyList<EventSourceOptions> sources, ConfigErrors errors)
    {
        public List<EventFile> Files { get; } = [];

        public EventSourceOptions[] Sources { get; } = [.. sources];

        public AvroSchema?[] Schemas { get; } = new AvroSchema?[sources.Count];

        public void Add(string argument)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var named = equals > 0 ? Array.FindIndex(Sources, s => s.Name == argument[..equals]) : -1;
            var path = named >= 0 ? argument[(equals + 1)..] : argument;
            var found = PathPattern.Find(path);
            if (found.Count == 0)
            {
                var unnamed = equals > 0 && named < 0 && PathPattern.Find(argument[(equals + 1)..]).Count > 0;
                errors.Add(new ConfigLocation(path, 0, 0, "events"),
                    unnamed ? $"there is no source '{argument[..equals]}'" : Directory.Exists(path) ? "there is no file in this folder"
                        : "there is no such file",
                    $"Name a file, a folder or a pattern, or SOURCE=PATH with one of the sources {Names(Sources)}");
            }
            foreach (var file in found) AddFile(file, named);
        }

        private void AddFile(string path, int source)
        {
            var bytes = new ByteSource(path);
            if (EventFile.Sniff(bytes) is not { } format) return;
            if (source < 0) source = Guess(path, format);
            if (source < 0) return;
            if (format != Sources[source].Format)
            {
                errors.Add(new ConfigLocation(path, 0, 0, "events"),
                    $"the file looks like {format.ToString().ToLowerInvariant()}, the source '{Sources[source].Name}' is "
                    + $"{Sources[source].Format.ToString().ToLowerInvariant()}",
                    "Write SOURCE=PATH with the source it belongs to, or set the source's format");
                return;
            }
            if (format == RecordFormat.Avro) TakeSchema(bytes, source);
            var hasHeader = format == RecordFormat.Csv && TakeHeader(bytes, source);
            Files.Add(new EventFile(path, source, format, hasHeader, Sources[source].SeparatorByte) { Bytes = bytes });
        }

        private int Guess(string path, RecordFormat format)
        {
            if (Sources.Length == 1) return 0;
            var fitting = Sources.Where(s => s.Format == format).ToList();
            if (fitting.Count == 1) return Array.IndexOf(Sources, fitting[0]);
            errors.Add(new ConfigLocation(path, 0, 0, "events"), fitting.Count == 0
                ? $"no source has the format {format.ToString().ToLowerInvariant()}"
                : $"the file may belong to {Names(fitting)}", "Write SOURCE=PATH with the source it belongs to");
            return -1;
        }

        /// <summary>Checks the header against the config, or takes the columns from it; false where the first record is data.</summary>
        private bool TakeHeader(ByteSource bytes, int source)
        {
            var (options, path) = (Sources[source], bytes.Path);
            using var file = new LineFile(bytes.Open(), path, csv: true, options.SeparatorByte);
            if (!file.Read()) return false;
            var header = CsvHeader.Split(file.Record, options.SeparatorByte);
            if (options.Columns.Count > 0 && !header.SequenceEqual(options.Columns))
            {
                if (sources[source].Columns.Count > 0) return false; // the config's columns: the file has no header of its own
                errors.Add(new ConfigLocation(path, 1, 1, "events"), $"the header '{CsvHeader.Shown(header)}' differs from that of the "
                    + $"source's first file, '{CsvHeader.Shown(options.Columns)}'", "Give files with other columns a source of their own");
                return true;
            }
            var missing = CsvHeader.Needed(options).Select(n => n.Column).Distinct().Where(c => !header.Contains(c)).ToList();
            if (missing.Count > 0)
            {
                errors.Add(new ConfigLocation(path, 1, 1, "events"),
                    $"the header '{CsvHeader.Shown(header)}' lacks {string.Join(", ", missing.Select(c => $"'{c}'"))}, which source "
                    + $"'{options.Name}' ({options.Node.At}) reads", CsvHeader.Hint(header));
                return true;
            }
            Sources[source] = options with { Columns = header };
            return true;
        }

        private void TakeSchema(ByteSource bytes, int source)
        {
            var path = bytes.Path;
            try
            {
                using var file = new AvroFile(bytes.Open(), path);
                Schemas[source] ??= file.Schema;
                if (Schemas[source]!.Fingerprint != file.Schema.Fingerprint)
                    errors.Add(new ConfigLocation(path, 0, 0, "events"), "the file's schema differs from that of the source's first file",
                        "Give files with another schema a source of their own");
            }
            catch (InvalidDataException e)
            {
                errors.Add(new ConfigLocation(path, 0, 0, "events"), e.Message, "Mend or leave out the file");
            }
        }

        private static string Names(IReadOnlyList<EventSourceOptions> sources) => string.Join(", ", sources.Select(s => s.Name));
    }
}
