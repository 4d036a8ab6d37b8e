using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("StreamEngine.SystemTests.LongestFirst", "StreamEngine.SystemTests")]

namespace StreamEngine.SystemTests;

/// <summary>
/// Begins with the collection that takes longest. Two run side by side on two cores; xunit's own order is random, and where the longest one
/// came last it ran alone, and the suite took two minutes more.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections
        .OrderByDescending(c => c.DisplayName == nameof(ChaosTests)).ThenBy(c => c.DisplayName, StringComparer.Ordinal);
}
