using System.Security.Cryptography;

namespace StreamEngine.State.Checkpoints;

/// <summary>Writes a whole shard into a file of <see cref="CutBlock"/>s: profiles that all have one position, then the marker.</summary>
public sealed class CutFileWriter : IProfileVisitor, IDisposable
{
    private const int BlockBytes = 256 << 10;

    private readonly CutBlock.Writer _block = new();
    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly CutPosition _at;
    private readonly int _empty;

    /// <summary>Makes the file, or empties it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="at">The position of every profile.</param>
    public CutFileWriter(string path, CutPosition at)
    {
        _at = at;
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
        Begin();
        _empty = _block.Length;
    }

    /// <summary>The file's bytes so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>The profiles so far.</summary>
    public long Profiles { get; private set; }

    /// <inheritdoc/>
    public void Visit(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile) => Add(key, profile);

    /// <summary>Adds a profile.</summary>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> profile)
    {
        _block.Add(key, profile);
        Profiles++;
        if (_block.Length >= BlockBytes) Flush();
    }

    /// <summary>Closes the cut; it is on the disk and reads back when this returns.</summary>
    /// <returns>The SHA-256 of the file, hex.</returns>
    /// <exception cref="IOException">The disk is full, or what was written does not read back.</exception>
    public string Close(CutMarker marker)
    {
        if (_block.Length > _empty) Flush();
        _block.Mark(marker);
        Write();
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        var check = CheckpointReader.Inspect(_file.Name);
        if (check.ValidBytes != Bytes || check.Cuts.Count != 1)
            throw new IOException($"{_file.Name} does not read back as it was written: check the disk.");
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private void Begin() => _block.Begin(BlockKind.Profiles, _at.Next, _at.Source, _at.Ordinal);

    private void Flush()
    {
        _block.End();
        Write();
        Begin();
    }

    private void Write()
    {
        _file.Write(_block.Bytes);
        _hash.AppendData(_block.Bytes);
        Bytes += _block.Length;
    }
}
