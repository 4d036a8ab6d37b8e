using StreamEngine.Configuration;
using StreamEngine.Expressions;
using Xunit;

namespace StreamEngine.Tests.Expressions;

/// <summary>
/// The cases of CEL's own conformance suite that the subset has: each has the value of the specification, and where the specification has
/// an error, or the subset lacks the form, the config is refused. A wrong value is what must not be.
/// </summary>
public sealed class CelSpecificationTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Expressions", "cel-cases.txt"));

    public static TheoryData<string> Sections => [.. Lines.Where(l => l.StartsWith('[') && l.EndsWith(']') && !l.Contains(" => "))];

    [Theory]
    [MemberData(nameof(Sections))]
    public void Has_the_value_of_the_specification(string section)
    {
        var cases = Lines.SkipWhile(l => l != section).Skip(1).TakeWhile(l => l.Contains(" => ")).ToList();
        Assert.NotEmpty(cases);
        Assert.Equal("", string.Join("\n", cases.Select(Mistake).OfType<string>()));
    }

    [Fact]
    public void There_are_many_cases() => Assert.InRange(Lines.Count(l => l.Contains(" => ")), 330, 1_000);

    private static string? Mistake(string line)
    {
        var at = line.LastIndexOf(" => ", StringComparison.Ordinal);
        var (expression, expected) = (line[..at], line[(at + 4)..]);
        var errors = new ConfigErrors();
        if (expected == "error")
        {
            // Of whatever type: only whether it is refused is asked.
            return ExpressionCompiler.Bool($"({expression}) == ({expression})", new Scope(), errors) is null && errors.Any ? null
                : $"{expression} is accepted";
        }
        // In lists, values must have one type to be compared, so that 1 is not taken for 1.0.
        var same = expected.StartsWith('[') ? $"({expression}) == {expected}" : $"[{expression}] == [{expected}]";
        var compiled = ExpressionCompiler.Bool(same, new Scope(), errors);
        return compiled is null ? $"{expression}: {string.Join("; ", errors.All)}" : compiled(new EvalContext()) ? null
            : $"{expression} is not {expected}";
    }
}
