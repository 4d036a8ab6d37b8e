namespace StreamEngine.State;

/// <summary>
/// One shard's profiles by key (the customer id's UTF-8 bytes). One thread. An operation that has to fetch from disk completes before it
/// returns.
/// </summary>
public interface IStateStore : IDisposable
{
    /// <summary>
    /// Runs an update on the profile's bytes in place, creating the profile (zero-filled, <see cref="IProfileUpdate.InitialLength"/> long)
    /// where there is none.
    /// </summary>
    void Update(ReadOnlySpan<byte> key, IProfileUpdate update);

    /// <summary>
    /// Runs an update on the profile's bytes in place where there is a profile; false, and nothing is changed, where there is none.
    /// </summary>
    bool TryUpdate(ReadOnlySpan<byte> key, IProfileUpdate update);

    /// <summary>Lets a reader see the profile's bytes; false where there is none.</summary>
    bool Read(ReadOnlySpan<byte> key, IProfileReader reader);

    /// <summary>Removes the profile; false where there was none.</summary>
    bool Delete(ReadOnlySpan<byte> key);

    /// <summary>Shows every live profile once, in no particular order; the store must not be changed meanwhile.</summary>
    void Scan(IProfileVisitor visitor);

    /// <summary>
    /// A bounded piece of housekeeping, where there is any: gives back disk that superseded profiles take. Call it between commits.
    /// </summary>
    void Tidy();

    /// <summary>How many profiles there are (may be an estimate after deletes).</summary>
    long Count { get; }

    /// <summary>Bytes of memory held for profiles.</summary>
    long MemoryBytes { get; }
}

/// <summary>A change to one profile: a reused object, so that nothing is allocated per event.</summary>
public interface IProfileUpdate
{
    /// <summary>Length in bytes of a new profile.</summary>
    int InitialLength { get; }

    /// <summary>
    /// The length the profile must have for <see cref="Apply"/>: where it is larger than now, the store grows the profile (zero-filled
    /// behind) first. Must not change anything.
    /// </summary>
    int RequiredLength(ReadOnlySpan<byte> profile);

    /// <summary>Changes the profile. Called exactly once per update.</summary>
    /// <param name="profile">The bytes, at least the required length.</param>
    /// <param name="created">Whether the profile is new and still all zeros.</param>
    void Apply(Span<byte> profile, bool created);
}

/// <summary>Sees one profile.</summary>
public interface IProfileReader
{
    /// <summary>Reads the bytes; they are valid during the call only.</summary>
    void Read(ReadOnlySpan<byte> profile);
}

/// <summary>Sees profiles with their keys.</summary>
public interface IProfileVisitor
{
    /// <summary>One profile; the bytes are valid during the call only.</summary>
    void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile);
}
