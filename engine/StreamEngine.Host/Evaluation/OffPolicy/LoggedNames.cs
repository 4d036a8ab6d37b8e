using StreamEngine.Configuration;
using StreamEngine.Expressions;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Evaluation.OffPolicy;

/// <summary>
/// Which names of a config's expressions have values in decision records: the numbers of the feature vector, and constants of offers.
/// Fields of the event, consent, and features that are texts have none.
/// </summary>
internal sealed class LoggedNames(CompiledEngine log, CompiledEngine policy)
{
    private readonly HashSet<string> _numbers = [.. policy.Features.Names.Intersect(log.Features.Names)];

    /// <summary>For each number of the config's vector its place in the log's; -1 for none.</summary>
    public int[] Places { get; } = [.. policy.Features.Names.Select(name => log.Features.Names.ToList().IndexOf(name))];

    /// <summary>What an expression reads and no record has; null where records have all of it.</summary>
    public string? Missing(ExprText text)
    {
        var read = ExpressionCompiler.References(text);
        return read.Event.Select(n => $"event.{n}").Concat(read.Consent.Select(n => $"consent.{n}"))
            .Concat(read.Features.Where(n => !_numbers.Contains(n)).Select(n => $"features.{n}")).FirstOrDefault();
    }
}
