using System.Security.Cryptography;
using System.Text;

namespace StreamEngine.State;

/// <summary>A fixed place in every profile.</summary>
/// <param name="Name">What it holds, e.g. <c>feature/views_1h</c>; names and shapes make the layout's version.</param>
/// <param name="Offset">Bytes from the profile's start.</param>
/// <param name="Length">Length in bytes.</param>
/// <param name="Shape">What two slots of one name must share for one's bytes to mean the same in the other.</param>
public sealed record Slot(string Name, int Offset, int Length, string Shape = "")
{
    /// <summary>The slot's bytes in a profile.</summary>
    public Span<byte> In(Span<byte> profile) => profile.Slice(Offset, Length);

    /// <summary>The slot's bytes in a profile.</summary>
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> profile) => profile.Slice(Offset, Length);
}

/// <summary>
/// The compiled layout of a profile: parts reserve fixed slots while the config is compiled, then the layout is sealed. The first 32 bytes
/// are the profile's own header. Behind <see cref="FixedLength"/> a profile may have a tail of variable length (the remembered event ids).
/// </summary>
public sealed class StateLayout
{
    private readonly List<Slot> _slots = [new("header", 0, HeaderLength, "header")];
    private readonly StringBuilder _shape = new();

    /// <summary>
    /// Bytes of the header: newest event time (int64, ms), the newest word on consent (a bit per purpose), the cut in which the profile
    /// last changed (uint32), and the time of that word (int64, ms).
    /// </summary>
    public const int HeaderLength = 32;

    /// <summary>The most bytes of any profile, tail included: several fit into a checkpoint's block.</summary>
    public const int MaxProfileBytes = 64 << 20;

    /// <summary>Room for what stands beside a profile where it is kept: its key, and the store's or the checkpoint's own header.</summary>
    public const int BesideProfile = 4 << 10;

    /// <summary>Where in the header the cut stands.</summary>
    public const int EpochOffset = 16;

    /// <summary>Bytes of the fixed part, a multiple of 8; not more than the most of any profile.</summary>
    public int FixedLength => (int)Math.Min(Needed, MaxProfileBytes);

    /// <summary>Bytes that the reserved slots need. Where that is more than the most of any profile, the layout must not be used.</summary>
    public long Needed { get; private set; } = HeaderLength;

    /// <summary>All slots in order.</summary>
    public IReadOnlyList<Slot> Slots => _slots;

    /// <summary>Reserves a slot, aligned to 8 bytes.</summary>
    /// <param name="name">Unique in the layout.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="shape">What makes two slots of one name incompatible, e.g. operator and window; part of the version.</param>
    /// <param name="meaning">
    /// What else does, in words. No part of the version: a checkpoint is of the same config or of one that was changed on purpose, a
    /// savepoint may be of any. </param>
    public Slot Reserve(string name, int length, string shape, string meaning = "")
    {
        var slot = new Slot(name, FixedLength, length, meaning.Length == 0 ? shape : $"{shape}, {meaning}");
        _slots.Add(slot);
        _shape.Append(name).Append('=').Append(shape).Append('\n');
        Needed += ((long)length + 7) & ~7;
        return slot;
    }

    /// <summary>Identifies the layout: the first 16 hex digits of the SHA-256 of names and shapes in order.</summary>
    public string Version => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_shape.ToString())))[..16];

    /// <summary>Event time of the profile's newest event, ms; <see cref="long.MinValue"/> before the first.</summary>
    public static ref long NewestTime(Span<byte> profile) =>
        ref System.Runtime.CompilerServices.Unsafe.As<byte, long>(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(profile));

    /// <summary>When the newest word on consent was given, ms: that of an event, or of one that was rejected for want of consent.</summary>
    public static ref long ConsentTime(Span<byte> profile) =>
        ref System.Runtime.CompilerServices.Unsafe.As<byte, long>(
        ref System.Runtime.InteropServices.MemoryMarshal.GetReference(profile[24..]));

    /// <summary>The purposes that the newest word consents to: what a timer's decision goes by.</summary>
    public static ref ulong Consent(Span<byte> profile) =>
        ref System.Runtime.CompilerServices.Unsafe.As<byte, ulong>(
        ref System.Runtime.InteropServices.MemoryMarshal.GetReference(profile[8..]));

    /// <summary>
    /// The cut after which the profile last changed; 0 where no checkpoints are kept. No part of what is known of the customer.
    /// </summary>
    public static ref uint Epoch(Span<byte> profile) =>
        ref System.Runtime.CompilerServices.Unsafe.As<byte, uint>(
        ref System.Runtime.InteropServices.MemoryMarshal.GetReference(profile[EpochOffset..]));
}
