using FASTER.core;

namespace StreamEngine.State.Faster;

/// <summary>What the running operation wants from FASTER's callbacks: one object per store, set before each call.</summary>
internal sealed class ProfileOperation
{
    private byte[] _zeros = [];

    public IProfileUpdate? Update;
    public IProfileReader? Reader;
    public bool Creates;
    public bool Applied;
    public bool Found;
    public long Address;
    public long Count;

    /// <summary>Makes the change.</summary>
    public void Apply(Span<byte> profile, bool created)
    {
        Applied = true;
        Update!.Apply(profile, created);
    }

    /// <summary>A new profile's length: the update may need more than its initial one.</summary>
    public int InitialLength()
    {
        var length = Update!.InitialLength;
        if (_zeros.Length < length) _zeros = new byte[length];
        return Math.Max(length, Update.RequiredLength(_zeros.AsSpan(0, length)));
    }
}

/// <summary>Lengths of values: what an update needs, never less than what is there.</summary>
internal sealed class ProfileLengths(ProfileOperation operation) : IVariableLengthStruct<SpanByte, long>
{
    public int GetInitialLength(ref long input) => sizeof(int) + operation.InitialLength();

    public int GetLength(ref SpanByte value, ref long input) =>
        sizeof(int) + Math.Max(value.Length, operation.Update!.RequiredLength(value.AsReadOnlySpan()));
}

/// <summary>
/// FASTER's callbacks over one profile. The change is made in place where the record is mutable and long enough. Else the updaters only
/// copy (or zero), and the change is made in the Post callbacks: FASTER runs these once, after the new record is linked, while it may run
/// the updaters again on a retry.
/// </summary>
internal readonly struct ProfileFunctions(ProfileOperation operation) : IFunctions<SpanByte, SpanByte, long, long, Empty>
{
    public bool InPlaceUpdater(ref SpanByte key, ref long input, ref SpanByte value, ref long output, ref RMWInfo rmwInfo)
    {
        var profile = value.AsSpan();
        if (operation.Update!.RequiredLength(profile) > profile.Length) return false;
        operation.Apply(profile, created: false);
        return true;
    }

    public bool InitialUpdater(ref SpanByte key, ref long input, ref SpanByte value, ref long output, ref RMWInfo rmwInfo)
    {
        value.AsSpan().Clear();
        return true;
    }

    public void PostInitialUpdater(ref SpanByte key, ref long input, ref SpanByte value, ref long output, ref RMWInfo rmwInfo)
    {
        operation.Count++;
        operation.Apply(value.AsSpan(), created: true);
    }

    public bool CopyUpdater(ref SpanByte key, ref long input, ref SpanByte oldValue, ref SpanByte newValue, ref long output,
        ref RMWInfo rmwInfo)
    {
        var target = newValue.AsSpan();
        oldValue.AsReadOnlySpan().CopyTo(target);
        target[oldValue.Length..].Clear();
        return true;
    }

    public void PostCopyUpdater(ref SpanByte key, ref long input, ref SpanByte oldValue, ref SpanByte newValue, ref long output,
        ref RMWInfo rmwInfo) =>
        operation.Apply(newValue.AsSpan(), created: false);

    public bool SingleReader(ref SpanByte key, ref long input, ref SpanByte value, ref long dst, ref ReadInfo readInfo) =>
        Show(ref value, readInfo.Address);

    public bool ConcurrentReader(ref SpanByte key, ref long input, ref SpanByte value, ref long dst, ref ReadInfo readInfo) =>
        Show(ref value, readInfo.Address);

    /// <summary>Copies of whole records: compaction.</summary>
    public bool SingleWriter(ref SpanByte key, ref long input, ref SpanByte src, ref SpanByte dst, ref long output,
        ref UpsertInfo upsertInfo, WriteReason reason)
    {
        src.CopyTo(ref dst);
        return true;
    }

    public bool ConcurrentWriter(ref SpanByte key, ref long input, ref SpanByte src, ref SpanByte dst, ref long output,
        ref UpsertInfo upsertInfo)
    {
        if (dst.Length < src.Length) return false;
        src.CopyTo(ref dst);
        return true;
    }

    public bool NeedInitialUpdate(ref SpanByte key, ref long input, ref long output, ref RMWInfo rmwInfo) => operation.Creates;

    public bool NeedCopyUpdate(ref SpanByte key, ref long input, ref SpanByte oldValue, ref long output, ref RMWInfo rmwInfo) => true;

    public bool SingleDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo deleteInfo) => true;

    public bool ConcurrentDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo deleteInfo) => true;

    public void PostSingleDeleter(ref SpanByte key, ref DeleteInfo deleteInfo) { }

    public void PostSingleWriter(ref SpanByte key, ref long input, ref SpanByte src, ref SpanByte dst, ref long output,
        ref UpsertInfo upsertInfo, WriteReason reason)
    { }

    public void ReadCompletionCallback(ref SpanByte key, ref long input, ref long output, Empty ctx, Status status,
        RecordMetadata recordMetadata)
    { }

    public void RMWCompletionCallback(ref SpanByte key, ref long input, ref long output, Empty ctx, Status status,
        RecordMetadata recordMetadata)
    { }

    public void CheckpointCompletionCallback(int sessionID, string sessionName, CommitPoint commitPoint) { }

    public void DisposeSingleWriter(ref SpanByte key, ref long input, ref SpanByte src, ref SpanByte dst, ref long output,
        ref UpsertInfo upsertInfo, WriteReason reason)
    { }

    public void DisposeCopyUpdater(ref SpanByte key, ref long input, ref SpanByte oldValue, ref SpanByte newValue, ref long output,
        ref RMWInfo rmwInfo)
    { }

    public void DisposeInitialUpdater(ref SpanByte key, ref long input, ref SpanByte value, ref long output, ref RMWInfo rmwInfo) { }

    public void DisposeSingleDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo deleteInfo) { }

    public void DisposeDeserializedFromDisk(ref SpanByte key, ref SpanByte value) { }

    private bool Show(ref SpanByte value, long address)
    {
        operation.Found = true;
        operation.Address = address;
        operation.Reader?.Read(value.AsReadOnlySpan());
        return true;
    }
}
