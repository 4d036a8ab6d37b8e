using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Registry;

namespace StreamEngine.Connectors.Files;

/// <summary>
/// Finds the input files of a replay and the source that each belongs to: by name (<c>clicks=data/clicks/*.csv</c>), or the only source, or
/// the only one of the file's format. CSV headers give the sources their columns where the config gives none.
/// </summary>
/// <param name="Files">The files in the order given, those of a folder or pattern by path.</param>
/// <param name="Sources">The config's sources, with columns, and with the schemas that their Avro files were written with.</param>
public sealed record EventFiles(IReadOnlyList<EventFile> Files, IReadOnlyList<EventSourceOptions> Sources)
{
    /// <summary>The pipes among all that was looked at, which can be read once only; also those that are at fault.</summary>
    public IReadOnlyList<string> Pipes { get; private init; } = [];

    /// <summary>Bytes on disk over all files.</summary>
    public long Length => Files.Sum(f => f.Length);

    /// <summary>Finds the files; what does not fit is added to the errors.</summary>
    /// <param name="arguments">Files, folders and patterns, each with or without its source.</param>
    /// <param name="sources">The config's sources.</param>
    /// <param name="errors">Takes the mistakes.</param>
    /// <param name="maxRecordBytes">Of a longer line so many bytes and one more are kept.</param>
    public static EventFiles Find(IReadOnlyList<string> arguments, IReadOnlyList<EventSourceOptions> sources, ConfigErrors errors,
        int maxRecordBytes = LineFile.DefaultLimit)
    {
        var search = new Search(sources, errors, maxRecordBytes);
        foreach (var argument in arguments) search.Add(argument);
        return new EventFiles(search.Files, [.. search.Sources.Select((s, i) => s.WithFileSchemas(search.Schemas[i]))])
        {
            Pipes = [.. search.Opened.Where(b => b.IsPipe).Select(b => b.Path)],
        };
    }

    /// <summary>The decoders of the files' records, by source.</summary>
    /// <param name="catalog">Compiled from <see cref="Sources"/>.</param>
    public IReadOnlyList<IEventDecoder> CreateDecoders(EventCatalog catalog) =>
        [.. catalog.Sources.Select((s, i) => Files.Any(f => f.Source == i) ? s.CreateDecoder() : new UnusedDecoder())];

    private sealed class Search(IReadOnlyList<EventSourceOptions> sources, ConfigErrors errors, int maxRecordBytes)
    {
        public List<EventFile> Files { get; } = [];

        public List<ByteSource> Opened { get; } = [];

        public EventSourceOptions[] Sources { get; } = [.. sources];

        public List<AvroFileSchema>[] Schemas { get; } = [.. sources.Select(_ => new List<AvroFileSchema>())];

        public void Add(string argument)
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var named = equals > 0 ? Array.FindIndex(Sources, s => s.Name == argument[..equals]) : -1;
            var path = named >= 0 ? argument[(equals + 1)..] : argument;
            if (path == "-") path = "/dev/stdin";
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
            Opened.Add(bytes);
            var encoding = source >= 0 ? Sources[source].Encoding : Sources.Length == 1 ? Sources[0].Encoding : TextEncoding.Utf8;
            if (KindOf(bytes, encoding) is not { } format) return;
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
            var schemaId = format == RecordFormat.Avro ? TakeSchema(bytes, Schemas[source]) : 0;
            var hasHeader = format == RecordFormat.Csv && TakeHeader(bytes, source);
            Files.Add(new EventFile(path, source, format, hasHeader, Sources[source].SeparatorByte, maxRecordBytes,
                Sources[source].Encoding, schemaId)
            { Bytes = bytes, Schema = schemaId > 0 ? Schemas[source][schemaId - 1].Schema : null });
        }

        private RecordFormat? KindOf(ByteSource bytes, TextEncoding encoding)
        {
            var kind = FileKind.Of(bytes, encoding);
            if (kind.Fault is { } fault) errors.Add(new ConfigLocation(bytes.Path, 0, 0, "events"), $"the file is {fault}", kind.Remedy);
            return kind.Format;
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
            using var file = new LineFile(bytes.Open(encoding: options.Encoding), csv: true, options.SeparatorByte, maxRecordBytes);
            if (!file.Read()) return false;
            var header = CsvHeader.Split(file.Record, options.SeparatorByte);
            if (sources[source].Columns.Count > 0)
            {
                if (CsvHeader.Same(header, options.Columns)) return true;
                if (!CsvHeader.LooksLike(header, options.Columns)) return false; // the file has no header of its own
                errors.Add(new ConfigLocation(path, 1, 1, "events"), $"the first line '{CsvHeader.Shown(header)}' looks like a header, but "
                    + $"source '{options.Name}' ({options.Node.At}) has the columns '{CsvHeader.Shown(options.Columns)}'",
                    "Name the columns in 'columns' as the file does, in its order, or take 'columns' out: then the header names them");
                return true;
            }
            if (options.Columns.Count > 0 && !header.SequenceEqual(options.Columns))
            {
                errors.Add(new ConfigLocation(path, 1, 1, "events"), $"the header '{CsvHeader.Shown(header)}' differs from that of the "
                    + $"source's first file, '{CsvHeader.Shown(options.Columns)}'", "Give files with other columns a source of their own");
                return true;
            }
            var missing = CsvHeader.Needed(options).Where(c => !header.Contains(c)).ToList();
            var twice = CsvHeader.Needed(options).Where(c => header.Count(h => h == c) > 1).ToList();
            if (twice.Count > 0)
                errors.Add(new ConfigLocation(path, 1, 1, "events"),
                    $"the header '{CsvHeader.Shown(header)}' has {string.Join(", ", twice.Select(c => $"'{c}'"))} more than once, "
                    + $"and source '{options.Name}' ({options.Node.At}) reads it", "Give each column that is read a name of its own");
            if (missing.Count > 0)
                errors.Add(new ConfigLocation(path, 1, 1, "events"),
                    $"the header '{CsvHeader.Shown(header)}' lacks {string.Join(", ", missing.Select(c => $"'{c}'"))}, which source "
                    + $"'{options.Name}' ({options.Node.At}) reads", CsvHeader.Hint(header));
            if (twice.Count + missing.Count == 0) Sources[source] = options with { Columns = header };
            return true;
        }

        /// <summary>Returns the place of the file's schema among the source's, from 1.</summary>
        private int TakeSchema(ByteSource bytes, List<AvroFileSchema> schemas)
        {
            var path = bytes.Path;
            try
            {
                using var file = new AvroFile(bytes.Open(), path);
                var at = schemas.FindIndex(s => s.Schema.Identity == file.Schema.Identity);
                if (at < 0) schemas.Add(new AvroFileSchema(path, file.Schema));
                return at < 0 ? schemas.Count : at + 1;
            }
            catch (InvalidDataException e)
            {
                errors.Add(new ConfigLocation(path, 0, 0, "events"), e.Message, "Mend or leave out the file");
                return 0;
            }
        }

        private static string Names(IReadOnlyList<EventSourceOptions> sources) => string.Join(", ", sources.Select(s => s.Name));
    }
}
