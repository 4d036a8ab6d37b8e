using System.Buffers;
using StreamEngine.Configuration;
using StreamEngine.Connectors.Files;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Registry;

namespace StreamEngine.Host.Logs;

/// <summary>
/// How a file's records become values of its source's topic. Text goes as it is. Avro values get the frame by which the source will know
/// their schema: the registry's id, or the fingerprint; or none where the source reads bare values.
/// </summary>
internal static class Framing
{
    /// <summary>What stands before each value; the mistake is told where the source could not read the file's schema back.</summary>
    /// <param name="file">The file.</param>
    /// <param name="source">Its source.</param>
    /// <param name="readers">The source's own schema; null where it names none.</param>
    /// <param name="registry">The config's schemas.</param>
    /// <param name="errors">Takes the mistake.</param>
    public static byte[] Of(EventFile file, EventSourceOptions source, AvroSchema? readers, ISchemaRegistry registry, ConfigErrors errors)
    {
        if (file.Schema is not { } schema) return [];
        if (source.Framing == AvroFraming.Bare)
        {
            if (readers?.Identity == schema.Identity) return [];
            Refuse($"its schema is not the one of source '{source.Name}', whose records have no frame that could say so",
                "Let 'schema' name the file's own schema, or set another 'framing'");
            return [];
        }
        var subject = $"{source.Topic}-value";
        var newest = registry.Latest(subject);
        var frame = new ArrayBufferWriter<byte>();
        var writer = new AvroWriter(frame);
        if (source.Framing != AvroFraming.SingleObject && newest is { Id: > 0 } && newest.Schema.Identity == schema.Identity)
            writer.ConfluentHeader(newest.Id);
        else if (source.Framing != AvroFraming.Confluent
            && (registry.ByFingerprint(schema.Fingerprint) ?? readers)?.Identity == schema.Identity)
            writer.SingleObjectHeader(schema.Fingerprint);
        else
            Refuse($"its schema is {(newest is null ? "not registered: there is no subject" : "another than the newest of the subject")} "
                + $"'{subject}' in schemas.registry, so that nobody could read the records",
                "Register the file's schema there, or (in another framing than confluent) name it as the source's 'schema'");
        return frame.WrittenSpan.ToArray();

        void Refuse(string fault, string remedy) => errors.Add(new ConfigLocation(file.Path, 0, 0, "events"), fault, remedy);
    }
}
