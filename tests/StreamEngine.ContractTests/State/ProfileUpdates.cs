using System.Buffers.Binary;
using System.Text;
using StreamEngine.State;

namespace StreamEngine.ContractTests.State;

/// <summary>Notes how it was called: created, the profile's length, whether it was all zeros.</summary>
internal sealed class Recorder : IProfileUpdate
{
    public required int InitialLength { get; init; }

    public int Required { get; init; }

    public List<(bool Created, int Length, bool Zeros)> Calls { get; } = [];

    public int RequiredLength(ReadOnlySpan<byte> profile) => Required;

    public void Apply(Span<byte> profile, bool created) => Calls.Add((created, profile.Length, !profile.ContainsAnyExcept((byte)0)));
}

/// <summary>Adds one to the first eight bytes.</summary>
internal sealed class Counter : IProfileUpdate
{
    public int InitialLength => 64;

    public int RequiredLength(ReadOnlySpan<byte> profile) => 64;

    public void Apply(Span<byte> profile, bool created) =>
        BinaryPrimitives.WriteInt64LittleEndian(profile, BinaryPrimitives.ReadInt64LittleEndian(profile) + 1);
}

/// <summary>Writes one byte everywhere.</summary>
internal sealed class Filler : IProfileUpdate
{
    public required int InitialLength { get; init; }

    public required byte Value { get; init; }

    public int RequiredLength(ReadOnlySpan<byte> profile) => 0;

    public void Apply(Span<byte> profile, bool created) => profile.Fill(Value);
}

/// <summary>Grows the profile now and then and writes a byte somewhere; the same change can be made to a model.</summary>
internal sealed class RandomChange(Random random, int maxLength) : IProfileUpdate
{
    private int _required, _place;
    private byte _value;

    public bool SawCreated { get; private set; }

    public int InitialLength => 24;

    public void Next()
    {
        _required = random.Next(4) == 0 ? random.Next(maxLength) : 0;
        _place = random.Next();
        _value = (byte)random.Next(256);
    }

    public int RequiredLength(ReadOnlySpan<byte> profile) => _required;

    public void Apply(Span<byte> profile, bool created)
    {
        SawCreated = created;
        profile[_place % profile.Length] += _value;
    }

    public byte[] ApplyTo(byte[]? known)
    {
        var bytes = known ?? new byte[InitialLength];
        if (bytes.Length < _required) Array.Resize(ref bytes, _required);
        bytes[_place % bytes.Length] += _value;
        return bytes;
    }
}

/// <summary>Takes a copy.</summary>
internal sealed class CopyReader : IProfileReader
{
    public byte[]? Bytes { get; private set; }

    public void Read(ReadOnlySpan<byte> profile) => Bytes = profile.ToArray();
}

/// <summary>Takes the length.</summary>
internal sealed class LengthReader : IProfileReader
{
    public int Length { get; private set; }

    public void Read(ReadOnlySpan<byte> profile) => Length = profile.Length;
}

/// <summary>Takes copies by key; fails on a key that comes twice.</summary>
internal sealed class Collector : IProfileVisitor
{
    public Dictionary<string, byte[]> Profiles { get; } = [];

    public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => Profiles.Add(Encoding.UTF8.GetString(key), profile.ToArray());
}
