using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using StreamEngine.Configuration;
using StreamEngine.Inference;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Inference;

public sealed class ScorerTests
{
    private static readonly string[] Features = ["f0", "f1", "f2"];

    [Theory]
    [InlineData("dense", 128)]
    [InlineData("trees", 32)]
    public void Runs_in_chunks_and_gathers_by_name(string kind, int chunk)
    {
        var model = new LinearModel("m", ["f2", "f0"], ("a", [1, 100, 0]), ("b", [0, 1, 0.5f]));
        model = new LinearModel("m", ["f2", "f0"], ("a", [1, 100, 0]),
            ("b", [0, 1, 0.5f]))
        { Manifest = model.Manifest with { Kind = kind } };
        using var scorer = Scorer(model);
        var vectors = Vectors(300, (row, f) => row * 10 + f);
        scorer.Score(vectors, 3, 300);
        for (var row = 0; row < 300; row++)
        {
            Assert.Equal(ScoreFault.None, scorer.Fault(0, row));
            Assert.Equal([row * 10 + 2 + 100f * row * 10, row * 10 + 0.5f], scorer.Outputs(0, row).ToArray());
        }
        Assert.Equal((300 + chunk - 1) / chunk, model.Runs.Count);
        Assert.All(model.Runs[..^1], rows => Assert.Equal(chunk, rows));
    }

    [Fact]
    public void A_bad_row_fails_alone()
    {
        var model = new LinearModel("m", ["f1"], ("a", [1, 0]));
        using var scorer = Scorer(model);
        var vectors = Vectors(200, (row, _) => row switch { 5 => double.NaN, 70 => LinearModel.Poison, 199 => 1e300, _ => row });
        scorer.Score(vectors, 3, 200);
        for (var row = 0; row < 200; row++)
        {
            Assert.Equal(row switch { 5 or 199 => ScoreFault.NotANumber, 70 => ScoreFault.Failed, _ => ScoreFault.None },
                scorer.Fault(0, row));
            if (row is not (5 or 70 or 199)) Assert.Equal(row, scorer.Outputs(0, row)[0]);
        }
        Assert.Equal(3, scorer.FailedRows);
        Assert.Contains("poisoned", scorer.LastFailure(0));
        scorer.Score(Vectors(200, (_, _) => 1), 3, 200);
        for (var row = 0; row < 200; row++) Assert.Equal(ScoreFault.None, scorer.Fault(0, row));
    }

    [Fact]
    public void Calls_rows_and_failures_are_counted_and_a_batch_is_timed_once()
    {
        using var meter = new Meter("scorer-test");
        var (time, seen) = (new FakeTimeProvider(), new List<string>());
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Meter == meter) all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            seen.Add(string.Create(CultureInfo.InvariantCulture, $"{instrument.Name} {tags[0].Value} {value}")));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            seen.Add($"{instrument.Name["streamengine.model.".Length..]} {tags[0].Value} {value}"));
        listener.Start();
        var metrics = new ScoreMetrics(meter, ["m", "n"], time);
        var slow = new LinearModel("m", ["f1"], ("a", [1, 0]));
        using var scorer = Scorer(metrics, slow, new LinearModel("n", ["f2"], ("a", [2, 0])));
        time.AutoAdvanceAmount = TimeSpan.FromMilliseconds(3); // each look at the clock: a batch looks when it begins and when it ends
        scorer.Score(Vectors(200, (row, f) => (row, f) switch { (5, 1) => double.NaN, (190, 1) => LinearModel.Poison, _ => 1 }), 3, 200);
        scorer.Score(Vectors(3, (_, _) => 1), 3, 3, [true, false]);
        Assert.Equal(["streamengine.model.duration m 0.003", "streamengine.model.duration n 0.003", "streamengine.model.duration n 0.003"],
            seen);
        seen.Clear();
        listener.RecordObservableInstruments();
        // Of model m: runs of 128 and 72 rows; the second failed, and its rows ran one by one.
        Assert.Equal(["calls m 74", "calls n 3", "rows m 200", "rows n 203", "rows_failed m 2", "rows_failed n 0"], seen);
    }

    [Fact]
    public void Scores_several_models_and_allocates_nothing()
    {
        using var meter = new Meter("scorer-test");
        using var scorer = Scorer(new ScoreMetrics(meter, ["m", "n"], TimeProvider.System),
            new LinearModel("m", ["f1"], ("a", [1, 0])), new LinearModel("n", ["f2"], ("a", [2, 0])));
        var vectors = Vectors(150, (row, f) => row + f);
        scorer.Score(vectors, 3, 150);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (var i = 0; i < 100; i++) scorer.Score(vectors, 3, 1 + i);
        }));
        Assert.Equal((1f, 4f), (scorer.Outputs(0, 0)[0], scorer.Outputs(1, 0)[0]));
    }

    [Fact]
    public void An_input_that_is_no_feature_is_a_config_error()
    {
        var errors = new ConfigErrors();
        ModelUse.Bind("m", new LinearModel("m", ["f0", "f11"], ("a", [1, 1, 0])), Features, ConfigNode.InCode, errors);
        var error = Assert.Single(errors.All).ToString();
        Assert.Contains("f11", error);
        Assert.Contains("Did you mean 'f1'", error);
    }

    [Fact]
    public void A_model_unlike_its_manifest_is_refused()
    {
        var model = new LinearModel("m", ["f0"], ("a", [1, 0]));
        model = new LinearModel("m", ["f0"], ("a", [1, 0])) { Manifest = model.Manifest with { Outputs = ["a", "b"] } };
        Assert.Contains("model.json", Assert.Throws<ModelException>(() => Scorer(model)).Message);
    }

    private static Scorer Scorer(params LinearModel[] models) => Scorer(null, models);

    private static Scorer Scorer(ScoreMetrics? metrics, params LinearModel[] models)
    {
        var errors = new ConfigErrors();
        var uses = models.Select(m => ModelUse.Bind(m.Manifest.Name, m, Features, ConfigNode.InCode, errors)).ToArray();
        errors.ThrowIfAny();
        return new Scorer(uses, metrics);
    }

    private static double[] Vectors(int rows, Func<int, int, double> value) =>
        [.. Enumerable.Range(0, rows * 3).Select(i => value(i / 3, i % 3))];
}
