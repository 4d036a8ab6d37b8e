using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>
/// Lets a restore decode each event with the rows that it was decoded with: as of the versions that the newest mark, or the cut, tells.
/// Another process may have read further than this one; then the restore waits. What a topic does not reach any more, as it was made anew,
/// is not waited for: where it was found to
/// end again and again, that is believed for all further marks, until it ends elsewhere.
/// </summary>
/// <param name="board">The tables; null where none is a topic.</param>
/// <param name="shard">The shard that is restored.</param>
internal sealed class TableWait(TableBoard? board, ShardState shard)
{
    private TableVersions _followed = TableVersions.None;
    private TableVersions? _awaited;
    private readonly Dictionary<string, (long Position, long Since)> _ends = [];   // of tables that are short, by name

    /// <summary>Whether it waits.</summary>
    public bool Waits => _awaited is { } versions && !IsThere(versions);

    /// <summary>Events look up in the tables as the shard's newest mark tells from now on; false where that has to wait.</summary>
    public bool Follow()
    {
        if (board is null || ReferenceEquals(_followed, shard.Tables)) return true;
        if (!IsThere(shard.Tables)) return false;
        shard.Event.Tables = board.At(shard.Tables);
        _followed = shard.Tables;
        return true;
    }

    /// <summary>Whether all versions are there that what was logged and not committed needs.</summary>
    public bool MayCatchUp(LoggedTail? tail)
    {
        for (var i = (board is null ? 0 : tail?.Count ?? 0) - 1; i >= 0; i--)
            if (tail![i] is { Entry.Kind: DecisionKind.Switches } mark)
                return IsThere(TableVersions.Logged(mark.Entry.Tables.Of(mark.Value)));
        return true;
    }

    private bool IsThere(TableVersions versions)
    {
        var isThere = true;
        foreach (var (table, position, looks) in board!.Short(versions))
        {
            if (!_ends.TryGetValue(table, out var end) || end.Position != position) _ends[table] = end = (position, looks);
            isThere &= looks - end.Since >= TableBoard.ShorterLooks;
        }
        _awaited = isThere ? null : versions;
        return isThere;
    }
}
