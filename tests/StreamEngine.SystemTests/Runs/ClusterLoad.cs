using StreamEngine.Connectors;
using StreamEngine.SystemTests.Shop;

namespace StreamEngine.SystemTests.Runs;

/// <summary>Writes a cluster's events through whatever happens to its broker.</summary>
internal sealed class ClusterLoad(Arena arena, Action<string> tell)
{
    /// <summary>
    /// Writes until the input ends. A writer that a broker's restart left stuck is replaced: what it wrote or did not, the oracle reads the
    /// topic as it is.
    /// </summary>
    public async Task Write(IEnumerable<InputRecord> input, int perSecond)
    {
        using var records = input.GetEnumerator();
        for (var written = false; !written;)
        {
            try
            {
                await arena.Write(Rest(records), perSecond);
                written = true;
            }
            catch (LogException e)
            {
                tell($"another writer, as one failed: {e.Message}");
            }
        }
    }

    private static IEnumerable<InputRecord> Rest(IEnumerator<InputRecord> records)
    {
        while (records.MoveNext()) yield return records.Current;
    }
}
