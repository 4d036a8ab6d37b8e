using System.Buffers.Binary;
using System.Text;

namespace StreamEngine.State.Checkpoints;

/// <summary>What a block holds.</summary>
public enum BlockKind : byte
{
    /// <summary>Profiles, all as of the block's position.</summary>
    Profiles = 1,

    /// <summary>The end of a cut; the block's position is the cut's start.</summary>
    Marker = 2,
}

/// <summary>
/// The unit of a checkpoint, in files and in the topic alike. Little-endian:
/// <code>
///  0  uint32  magic "SEC3"         13  byte    sources                          24  16 bytes    version, UTF-8, zeros behind it
///  4  uint32  bytes from 12 on     16  int32   newest source                    40  int64 each  next offset by source
///  8  uint32  their CRC-32C, ~     20  int32   ordinal of the newest record          ...        profiles, or the marker
/// 12  byte    kind
/// </code>
/// A profile is its key's length (uint16), its own (int32), key and <see cref="PackedProfile">packed</see> bytes. In a block of earlier
/// versions, with the magic "SEC2", the bytes stand as they are, and so does the checksum, whose bits are the other way round now: one
/// magic may not become the other unnoticed. Every byte of a block is under the checksum, or makes it fail.
/// </summary>
public readonly ref struct CutBlock
{
    private const uint Magic = 0x33434553, Plain = 0x32434553;
    private const int VersionAt = 24, VersionBytes = 16, Head = VersionAt + VersionBytes;

    /// <summary>Bytes of magic, length and checksum.</summary>
    internal const int Prefix = 12;

    /// <summary>What the magic of a block of any version begins with.</summary>
    internal static ReadOnlySpan<byte> Start => "SEC"u8;

    /// <summary>The longest block; longer ones are damage.</summary>
    public const int MaxBytes = 1 << 28;

    /// <summary>
    /// What stands in front of the versions of tables in a marker, and of the shared numbers, before their length: an array of names, which
    /// what is switched off is, begins with the count of its items, and that is never odd in Avro (a count below zero would say their bytes
    /// as well).
    /// </summary>
    private const byte TablesMark = 1, SharedMark = 3;
    private const int PartHead = 5;

    private readonly ReadOnlySpan<byte> _bytes;

    private CutBlock(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>What it holds.</summary>
    public BlockKind Kind => (BlockKind)_bytes[12];

    /// <summary>Bytes of the whole block.</summary>
    public int Length => _bytes.Length;

    /// <summary>The position of its profiles, or the cut's start.</summary>
    public CutPosition Position
    {
        get
        {
            var next = new long[_bytes[13]];
            for (var i = 0; i < next.Length; i++) next[i] = BinaryPrimitives.ReadInt64LittleEndian(_bytes[(Head + 8 * i)..]);
            return new CutPosition(next, BinaryPrimitives.ReadInt32LittleEndian(_bytes[16..]),
                BinaryPrimitives.ReadInt32LittleEndian(_bytes[20..]));
        }
    }

    /// <summary>Whether it was written with this version: in a topic those of several may stand side by side.</summary>
    public bool IsOf(string version)
    {
        Span<byte> wanted = stackalloc byte[VersionBytes];
        return Encoding.UTF8.TryGetBytes(version, wanted, out _) && _bytes.Slice(VersionAt, VersionBytes).SequenceEqual(wanted);
    }

    /// <summary>The profiles or the marker.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[(Head + 8 * _bytes[13])..];

    /// <summary>Parses the block at the start of some bytes; false where there is none, or a damaged one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out CutBlock block)
    {
        block = default;
        if (bytes.Length < Head || !IsMagic(bytes)) return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (length > MaxBytes || length < Head - Prefix || length > bytes.Length - Prefix) return false;
        var body = bytes.Slice(Prefix, (int)length);
        var sum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (Crc32C.Of(body) != (IsPlain(bytes) ? sum : ~sum)) return false;
        block = new CutBlock(bytes[..(Prefix + (int)length)]);
        return true;
    }

    /// <summary>The length of the block whose first bytes these are (at least 12); 0 where they are no block's.</summary>
    public static int LengthOf(ReadOnlySpan<byte> start)
    {
        if (start.Length < Prefix || !IsMagic(start)) return 0;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(start[4..]);
        return length is < Head - Prefix or > MaxBytes ? 0 : Prefix + (int)length;
    }

    /// <summary>Takes the next profile off a payload; false at its end.</summary>
    /// <param name="payload">What is left of <see cref="Payload"/>.</param>
    /// <param name="room">Where the profile is unpacked; made longer where it is too short.</param>
    /// <param name="key">Receives the key.</param>
    /// <param name="profile">Receives the profile; it stands until the room is used again.</param>
    public bool Next(ref ReadOnlySpan<byte> payload, ref byte[] room, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> profile)
    {
        key = profile = default;
        if (payload.Length < 6) return false;
        var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(payload);
        var length = BinaryPrimitives.ReadInt32LittleEndian(payload[2..]);
        key = payload.Slice(6, keyLength);
        payload = payload[(6 + keyLength)..];
        if (IsPlain(_bytes))
        {
            profile = payload[..length];
            payload = payload[length..];
            return true;
        }
        if (room.Length < length) room = new byte[Math.Max(length, 2 * room.Length)];
        profile = room.AsSpan(0, length);
        payload = payload[PackedProfile.Unpack(payload, room.AsSpan(0, length))..];
        return true;
    }

    private static bool IsPlain(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Plain;

    private static bool IsMagic(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes) is Magic or Plain;

    /// <summary>Reads the marker.</summary>
    public CutMarker Marker()
    {
        var payload = Payload;
        var position = Position;
        var fields = new long[5 + position.Next.Length];
        for (var i = 0; i < fields.Length; i++) fields[i] = BinaryPrimitives.ReadInt64LittleEndian(payload[(8 * i)..]);
        var rest = payload[(8 * fields.Length)..];
        // The version is text. Behind a zero stand the versions of tables and the shared numbers, where there are any, each with its mark
        // and its length in front, and then what is switched off, where something is.
        var end = rest.IndexOf((byte)0);
        var behind = end < 0 ? default : rest[(end + 1)..];
        var tables = Part(ref behind, TablesMark);
        var shared = Part(ref behind, SharedMark);
        return new CutMarker(fields[0], position, fields[1], fields[5..], fields[2], fields[3], fields[4],
            Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]))
        {
            SwitchedOff = behind.IsEmpty ? default(ReadOnlyMemory<byte>) : behind.ToArray(),
            Tables = tables.IsEmpty ? default(ReadOnlyMemory<byte>) : tables.ToArray(),
            Shared = shared.IsEmpty ? default(ReadOnlyMemory<byte>) : shared.ToArray(),
        };
    }

    /// <summary>Takes a marked part off what stands behind the version; empty where that part is not there.</summary>
    private static ReadOnlySpan<byte> Part(ref ReadOnlySpan<byte> behind, byte mark)
    {
        if (behind.Length <= PartHead || behind[0] != mark) return default;
        var part = behind.Slice(PartHead, BinaryPrimitives.ReadInt32LittleEndian(behind[1..]));
        behind = behind[(PartHead + part.Length)..];
        return part;
    }

    /// <summary>Writes a block into a buffer that grows and is used again.</summary>
    /// <param name="version">The version of layout and sources, at most 16 bytes; only needed where blocks of several can meet.</param>
    public sealed class Writer(string version = "")
    {
        private readonly byte[] _version = Encoding.UTF8.GetBytes(version);
        private byte[] _buffer = new byte[1 << 12];
        private int _used, _newest;

        /// <summary>Bytes of the block so far.</summary>
        public int Length => _used;

        /// <summary>The finished block.</summary>
        public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _used);

        /// <summary>Starts a block.</summary>
        public void Begin(BlockKind kind, ReadOnlySpan<long> next, int source, int ordinal)
        {
            _used = 0;
            var head = Take(Head + 8 * next.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], (byte)kind | next.Length << 8);
            BinaryPrimitives.WriteInt32LittleEndian(head[16..], source);
            BinaryPrimitives.WriteInt32LittleEndian(head[20..], ordinal);
            head.Slice(VersionAt, VersionBytes).Clear();
            _version.CopyTo(head[VersionAt..]);
            for (var i = 0; i < next.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(head[(Head + 8 * i)..], next[i]);
        }

        /// <summary>The profile that was added last, with its key, as it stands in the block.</summary>
        public ReadOnlySpan<byte> Newest => _buffer.AsSpan(_newest, _used - _newest);

        /// <summary>Adds a profile.</summary>
        public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
        {
            _newest = _used;
            var most = 6 + key.Length + PackedProfile.MostBytes(profile.Length);
            var place = Take(most);
            BinaryPrimitives.WriteUInt16LittleEndian(place, checked((ushort)key.Length));
            BinaryPrimitives.WriteInt32LittleEndian(place[2..], profile.Length);
            key.CopyTo(place[6..]);
            var packed = PackedProfile.Pack(profile, place[(6 + key.Length)..]);
            _used = _newest + 6 + key.Length + packed;
        }

        /// <summary>Adds a profile that stands in another block, as <see cref="Newest"/> gives it.</summary>
        public void Add(ReadOnlySpan<byte> newest) => newest.CopyTo(Take(newest.Length));

        /// <summary>Writes a whole marker block.</summary>
        public void Mark(CutMarker marker)
        {
            Begin(BlockKind.Marker, marker.Start.Next, marker.Start.Source, marker.Start.Ordinal);
            ReadOnlySpan<long> fields =
                [marker.Number, marker.Watermark, marker.Decisions, marker.CreatedAt, marker.Profiles, .. marker.Newest];
            foreach (var field in fields) BinaryPrimitives.WriteInt64LittleEndian(Take(8), field);
            var version = Encoding.UTF8.GetBytes(marker.Version);
            version.CopyTo(Take(version.Length));
            var off = marker.SwitchedOff.Span is [] or [0] ? default : marker.SwitchedOff.Span;
            var tables = marker.Tables.Span is [] or [0] ? default : marker.Tables.Span;
            var shared = marker.Shared.Span is [] or [0] ? default : marker.Shared.Span;
            if (!off.IsEmpty || !tables.IsEmpty || !shared.IsEmpty) Take(1)[0] = 0;
            Part(TablesMark, tables);
            Part(SharedMark, shared);
            off.CopyTo(Take(off.Length));
            End();
        }

        private void Part(byte mark, ReadOnlySpan<byte> part)
        {
            if (part.IsEmpty) return;
            var head = Take(PartHead);
            head[0] = mark;
            BinaryPrimitives.WriteInt32LittleEndian(head[1..], part.Length);
            part.CopyTo(Take(part.Length));
        }

        /// <summary>Closes the block with its length and checksum.</summary>
        public void End()
        {
            var body = _buffer.AsSpan(Prefix, _used - Prefix);
            BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(4), body.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(8), ~Crc32C.Of(body));
        }

        private Span<byte> Take(int length)
        {
            if (_used + length > _buffer.Length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _used + length));
            _used += length;
            return _buffer.AsSpan(_used - length, length);
        }
    }
}
