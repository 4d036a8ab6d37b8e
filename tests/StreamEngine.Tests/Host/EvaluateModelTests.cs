using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using StreamEngine.Host.Evaluation;
using Xunit;

namespace StreamEngine.Tests.Host;

/// <summary><c>evaluate model</c>, against scikit-learn's figures for the same rows.</summary>
public sealed class EvaluateModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("evaluate-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Figures_are_those_of_scikit_learn()
    {
        var (code, output, error) = await EvaluateAsync(Rows(), "--json");
        Assert.True(code == 0, error);
        var json = JsonNode.Parse(output)!;
        // sklearn.metrics 1.2.1: roc_auc_score, average_precision_score, log_loss, brier_score_loss; the others by numpy.
        foreach (var (name, value) in new[]
        {
            ("roc_auc", 0.743557681852778), ("pr_auc", 0.6742007645988176), ("log_loss", 0.6424233233267224),
            ("brier", 0.21355180999999998),
            ("ece", 0.0849500000000001), ("qini", 0.008186269781362908), ("uplift@10%", 0.25336927223719674),
            ("uplift@30%", 0.2100352112676056),
        })
            Assert.Equal(value, (double)json[name]!, 12);
        var best = json["bins"]!.AsArray()[^1]!;
        Assert.Equal(97, (int)best["rows"]!);
        foreach (var (name, value) in new[] { ("score", 0.9486597938144332), ("rate", 0.7216494845360825), ("lift", 1.5722210992071513) })
            Assert.Equal(value, (double)best[name]!, 12);
    }

    [Fact]
    public void Perfect_scores_and_scores_that_say_nothing()
    {
        bool[] labels = [false, true, false, true];
        var perfect = ModelMetrics.Of(labels, [0, 1, 0, 1], 2);
        Assert.Equal((1, 1, 0, 0), (perfect.RocAuc, perfect.PrAuc, perfect.Brier, perfect.Ece));
        Assert.InRange(perfect.LogLoss, 0, 1e-15);
        var nothing = ModelMetrics.Of(labels, [0.5, 0.5, 0.5, 0.5], 2);
        Assert.Equal((0.5, 0.5, 0.25, 0), (nothing.RocAuc, nothing.PrAuc, nothing.Brier, nothing.Ece));
        Assert.Single(nothing.Bins);
        var raw = ModelMetrics.Of(labels, [-3, 7, -2, 9], 2);
        Assert.Equal((1, double.NaN), (raw.RocAuc, raw.LogLoss));
    }

    [Fact]
    public void Scores_that_find_who_is_moved_gain_and_the_reverse_loses()
    {
        // Only rows of a high score are moved by the treatment.
        bool[] labels = [true, false, false, false, true, true], treated = [true, false, true, false, true, false];
        double[] scores = [0.9, 0.9, 0.5, 0.5, 0.1, 0.1];
        Assert.True(UpliftMetrics.Qini(labels, scores, treated) > 0);
        Assert.True(UpliftMetrics.Qini(labels, [.. scores.Select(s => -s)], treated) < 0);
        Assert.Equal(1, UpliftMetrics.At(labels, scores, treated, 0.3));
        Assert.Equal(1.0 / 3, UpliftMetrics.At(labels, scores, treated, 1), 12);
    }

    [Theory]
    [InlineData("label,score\n1,0.5\n2,0.5\n", "label is 2")]
    [InlineData("label,score\n1,0.5\n1,0.7\n", "all labels are the same")]
    [InlineData("label,score\n1,0.5\n0,NaN\n", "score is NaN")]
    [InlineData("label,score,treatment\n1,0.5,1\n0,0.3,1\n", "all rows have the same treatment")]
    [InlineData("label\n1\n", "there is no column 'score'")]
    public async Task Mistakes_are_told(string table, string message)
    {
        var (code, output, error) = await EvaluateAsync(table);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error);
    }

    [Fact]
    public async Task People_get_a_table()
    {
        var (code, output, _) = await EvaluateAsync("label,score\n1,0.9\n0,0.2\n1,0.8\n0,0.1\n", "--bins", "2");
        Assert.Equal(0, code);
        Assert.StartsWith("4 rows, 2 with label 1 (0.5000)\n  roc_auc      1.0000\n", output.ReplaceLineEndings("\n"));
        Assert.Contains("0.8500", output);
    }

    /// <summary>A thousand rows of a generator that is easily written in another language; many scores tie.</summary>
    private static string Rows()
    {
        var state = 12_345L;
        var rows = new StringBuilder("label,score,treatment\n");
        for (var i = 0; i < 1_000; i++)
        {
            var score = Math.Floor(Next() * 100) / 100;
            var treated = Next() < 0.5;
            var label = Next() < 0.1 + 0.5 * score + (treated ? 0.3 * score : 0);
            rows.Append(CultureInfo.InvariantCulture, $"{(label ? 1 : 0)},{Math.Clamp(score, 0.001, 0.999)},{(treated ? 1 : 0)}\n");
        }
        return rows.ToString();

        double Next() => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648.0;
    }

    private Task<(int Code, string Output, string Error)> EvaluateAsync(string table, params string[] options)
    {
        var path = Path.Combine(_folder, "scores.csv");
        File.WriteAllText(path, table);
        return Cli.RunAsync(["evaluate", "model", "--scores", path, .. options]);
    }
}
