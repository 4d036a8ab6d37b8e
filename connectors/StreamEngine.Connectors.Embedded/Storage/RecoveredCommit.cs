using FASTER.core;

namespace StreamEngine.Connectors.Embedded.Storage;

/// <summary>
/// Tells FasterLog where the log ends. Nothing else is kept: chunks prove themselves (checksum, chain, closed group), so a commit is one
/// durable write instead of two, and recovery does not depend on a second file that may be torn.
/// </summary>
internal sealed class RecoveredCommit(long untilAddress) : ILogCommitManager
{
    public IEnumerable<long> ListCommits() => untilAddress > SegmentFiles.FirstAddress ? [1] : [];

    public byte[] GetCommitMetadata(long commitNum)
    {
        var info = new FasterLogRecoveryInfo();
        info.Initialize();
        info.BeginAddress = SegmentFiles.FirstAddress;
        info.UntilAddress = untilAddress;
        info.CommitNum = 1;
        return info.ToByteArray();
    }

    public void Commit(long beginAddress, long untilAddress, byte[] commitMetadata, long commitNum, bool forceWriteMetadata) { }

    public void RemoveCommit(long commitNum) { }

    public void RemoveAllCommits() { }

    public void OnRecovery(long commitNum) { }

    public void Dispose() { }
}
