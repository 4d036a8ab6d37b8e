using System.Buffers;
using System.Text;
using StreamEngine.Events.Avro;
using StreamEngine.Events.Decoding;
using StreamEngine.Events.Registry;

namespace StreamEngine.Events.Masking;

/// <summary>
/// Masks Avro by the writer's schema. Below a masked path every text is masked, every number is 0, arrays and maps become empty; so is a
/// single value where the path steps further down.
/// </summary>
internal sealed class AvroMasker(AvroSource source, PathNode root) : IMasker
{
    private const int MaxDepth = 200;

    /// <inheritdoc/>
    public bool TryMask(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> output)
    {
        var frame = AvroFrame.Of(value, source.Framing, source.Bare is not null);
        if (SchemaOf(frame) is not { } schema) return false;
        output.Write(value[..frame.Length]);
        var reader = new AvroReader(value[frame.Length..]);
        return Copy(schema, source.Reader, root, false, ref reader, new AvroWriter(output), MaxDepth) && reader.Left == 0;
    }

    /// <summary>The writer's schema; null where it is not known, or the registry that would know is away.</summary>
    private AvroSchema? SchemaOf(in AvroFrame frame)
    {
        try
        {
            return frame.Kind switch
            {
                AvroFrameKind.Confluent => source.SchemaById(frame.Id),
                AvroFrameKind.SingleObject => source.SchemaByFingerprint(frame.Fingerprint),
                AvroFrameKind.Bare => source.BareSchema,
                _ => null,
            };
        }
        catch (SchemaRegistryException)
        {
            return null;
        }
    }

    private static bool Copy(AvroSchema s, AvroSchema? r, PathNode? node, bool masked, ref AvroReader reader, AvroWriter writer, int depth)
    {
        if (depth == 0) return false;
        masked |= node is { Masked: true }
            || node is not null && s.Kind is not (AvroKind.Record or AvroKind.Union or AvroKind.Array or AvroKind.Map);
        switch (s.Kind)
        {
            case AvroKind.Null:
                return true;
            case AvroKind.Boolean:
                if (!reader.TryBoolean(out var flag)) return false;
                writer.Boolean(flag && !masked);
                return true;
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                if (!reader.TryLong(out var number)) return false;
                writer.Long(masked ? 0 : number);
                return true;
            case AvroKind.Float or AvroKind.Double or AvroKind.Fixed:
                if (!reader.TryFixed(s.Kind switch { AvroKind.Float => 4, AvroKind.Double => 8, _ => s.Size }, out var raw)) return false;
                writer.Raw(masked ? new byte[raw.Length] : raw);
                return true;
            case AvroKind.Bytes or AvroKind.String:
                if (!reader.TryBytes(out var text)) return false;
                // A masked decimal is the number 0, which is no bytes at all.
                writer.Bytes(!masked ? text : s.Logical == AvroLogical.Decimal ? default : MaskPaths.Mask);
                return true;
            case AvroKind.Union:
                if (!reader.TryLong(out var branch) || (ulong)branch >= (ulong)s.Branches.Count) return false;
                writer.Long(branch);
                return Copy(s.Branches[(int)branch], r, node, masked, ref reader, writer, depth - 1);
            case AvroKind.Record:
                var named = r is null ? null : AvroResolution.Branch(s, r);
                foreach (var field in s.Fields)
                {
                    // The paths are the reader's: a field that the writer calls by an older name must be masked too.
                    var to = named is null ? null : AvroResolution.ReaderField(named, s, field);
                    var child = node?.Child(field.Name) ?? (to is null ? null : node?.Child(to.Name));
                    if (!Copy(field.Schema, to?.Schema, child, masked, ref reader, writer, depth - 1)) return false;
                }
                return true;
            default:
                if (!masked)
                    return CopyBlocks(s, (r is null ? null : AvroResolution.Branch(s, r))?.Element, node, ref reader, writer, depth);
                writer.Long(0);
                return reader.TrySkip(AvroSkipper.Of(s));
        }
    }

    private static bool CopyBlocks(AvroSchema s, AvroSchema? element, PathNode? node, ref AvroReader reader, AvroWriter writer, int depth)
    {
        var skipper = AvroSkipper.Of(s.Element!);
        for (var index = 0; ;)
        {
            if (!reader.TryBlock(out var count, out _)) return false;
            writer.Long(count);
            if (count == 0) return true;
            // Items of no bytes have nothing to mask, and could be claimed without end.
            if (s.Kind == AvroKind.Array && skipper.FixedSize == 0) continue;
            for (; count > 0; count--, index++)
            {
                var child = MaskPaths.Item(node, index);
                if (s.Kind == AvroKind.Map)
                {
                    if (!reader.TryBytes(out var key)) return false;
                    writer.Bytes(key);
                    child = node?.Child(Encoding.UTF8.GetString(key));
                }
                if (!Copy(s.Element!, element, child, false, ref reader, writer, depth - 1)) return false;
            }
        }
    }

    /// <summary>Whether the schema has a value at that path (through unions, and into arrays with or without a number).</summary>
    public static bool Has(AvroSchema s, ReadOnlySpan<string> path)
    {
        if (path.Length == 0) return true;
        var rest = path[1..];
        switch (s.Kind)
        {
            case AvroKind.Union:
                foreach (var branch in s.Branches)
                    if (Has(branch, path)) return true;
                return false;
            case AvroKind.Record: return s.Field(path[0]) is { } field && Has(field.Schema, rest);
            case AvroKind.Map: return Has(s.Element!, rest);
            case AvroKind.Array: return Has(s.Element!, int.TryParse(path[0], out _) ? rest : path);
            default: return false;
        }
    }
}
