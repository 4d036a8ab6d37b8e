using System.Buffers;
using StreamEngine.Configuration;
using StreamEngine.Events.Decoding;
using StreamEngine.Events.Registry;
using StreamEngine.Events.Tables;

namespace StreamEngine.Events;

/// <summary>All event sources compiled: the shared field catalogue, the decoders, and the masks of dead letters.</summary>
public sealed class EventCatalog
{
    internal EventCatalog(FieldCatalog fields, IReadOnlyList<EventSource> sources)
    {
        Fields = fields;
        Sources = sources;
    }

    /// <summary>The declared fields over all sources.</summary>
    public FieldCatalog Fields { get; }

    /// <summary>The sources in config order.</summary>
    public IReadOnlyList<EventSource> Sources { get; }

    /// <summary>Compiles the sources; every mistake goes to <paramref name="errors"/>, and with any the result is not to be used.</summary>
    /// <param name="sources">The sources in config order.</param>
    /// <param name="purposes">The declared purposes, at most 64.</param>
    /// <param name="registry">Where writers' schemas are found.</param>
    /// <param name="baseDirectory">What schema files are relative to.</param>
    /// <param name="errors">Takes the mistakes.</param>
    /// <param name="purposesNode">Where the purposes are written.</param>
    /// <param name="say">Told once per schema that can't be used, with the reason; for the log. Any thread may call it.</param>
    /// <param name="tables">The tables that fields are looked up in; none where absent.</param>
    public static EventCatalog Compile(
        IReadOnlyList<EventSourceOptions> sources, IReadOnlyList<string> purposes, ISchemaRegistry registry, string baseDirectory,
            ConfigErrors errors, ConfigNode? purposesNode = null, Action<string>? say = null, TableSet? tables = null) =>
        new CatalogCompiler(purposes, purposesNode ?? ConfigNode.InCode, registry, baseDirectory, errors, say, tables ?? TableSet.None)
            .Compile(sources);

    /// <summary>
    /// Writes a record's value with the source's personal data masked (texts <c>***</c>, numbers 0), framed as it was. False, with nothing
    /// written, where it can't be parsed: then nothing of it may be kept but a hash. A source without personal data keeps its bytes.
    /// </summary>
    public bool TryMask(int source, ReadOnlySpan<byte> value, IBufferWriter<byte> output)
    {
        if (Sources[source].Masker is not { } masker)
        {
            output.Write(value);
            return true;
        }
        var copy = new ArrayBufferWriter<byte>(Math.Max(64, value.Length));
        if (!masker.TryMask(value, copy)) return false;
        output.Write(copy.WrittenSpan);
        return true;
    }
}
