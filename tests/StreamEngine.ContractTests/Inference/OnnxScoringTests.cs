using StreamEngine.Inference;
using StreamEngine.Inference.Onnx;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.ContractTests.Inference;

/// <summary>What a runner promises: the library's scores, the same in every batch, no garbage, memory that stays.</summary>
public sealed class OnnxScoringTests
{
    public static TheoryData<string> Models => ["trees", "dense", "job", "repurchase", "session_purchase", "sklearn-zipmap",
        "sklearn-classes", "sklearn-columns", "sklearn-frame", "sklearn-double", "lightgbm", "xgboost", "torch"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Scores_agree_with_the_golden_vectors(string name)
    {
        var (model, golden) = Load(name);
        using (model)
        {
            using var runner = model.CreateRunner(golden.Inputs.Length);
            var scores = Score(runner, golden.Inputs);
            for (var row = 0; row < scores.Length; row++)
            {
                for (var column = 0; column < runner.OutputWidth; column++)
                {
                    var difference = Math.Abs(scores[row][column] - golden.Outputs[row][column]);
                    Assert.True(difference <= golden.Tolerance, $"row {row}, output {column}: {difference} off");
                }
            }
        }
    }

    [Fact]
    public void Rows_beside_a_threshold_take_different_branches()
    {
        // The golden rows of the trees sit on thresholds, one float below and one above: moving a row by one float must show.
        var (model, golden) = Load("trees");
        using (model)
        {
            using var runner = model.CreateRunner(1);
            var moved = 0;
            foreach (var row in golden.Inputs)
            {
                var here = Score(runner, [row])[0][0];
                for (var column = 0; column < row.Length; column++)
                {
                    var beside = (double[])row.Clone();
                    beside[column] = MathF.BitIncrement((float)beside[column]);
                    if (Math.Abs(Score(runner, [beside])[0][0] - here) > 1e-5) moved++;
                }
            }
            Assert.True(moved > 20, $"only {moved} rows sit on a threshold: the golden vectors prove nothing");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_row_scores_the_same_bits_in_every_batch(string name)
    {
        var (model, golden) = Load(name);
        using (model)
        {
            using var one = model.CreateRunner(1);
            var alone = golden.Inputs.Select(row => Score(one, [row])[0]).ToArray();
            foreach (var size in (int[])[2, 3, 5, 7, 8, 13, 31, 32, 37, 64])
            {
                using var runner = model.CreateRunner(size);
                for (var start = 0; start < golden.Inputs.Length; start += size)
                {
                    var batch = golden.Inputs.Skip(start).Take(size).ToArray();
                    var scores = Score(runner, batch);
                    for (var row = 0; row < batch.Length; row++) Assert.Equal(Bits(alone[start + row]), Bits(scores[row]));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_call_allocates_nothing(string name)
    {
        var (model, golden) = Load(name);
        using (model)
        {
            using var runner = model.CreateRunner(32);
            var most = runner.MaxRows;
            for (var rows = 1; rows <= most; rows++) Fill(runner, golden.Inputs, rows);
            for (var rows = 1; rows <= most; rows++) runner.Run(rows);
            var vectors = new double[runner.InputWidth * most];
            int[] features = [.. Enumerable.Range(0, runner.InputWidth)];

            Assert.Equal(0, Allocations.Least(() =>
            {
                for (var call = 0; call < 1_000; call++)
                {
                    var rows = 1 + (call % most);
                    vectors[0] = call;
                    runner.Fill(vectors, features.Length, features, rows);
                    runner.Run(rows);
                }
            }));
        }
    }

    [Fact]
    public void Bound_memory_survives_collections()
    {
        var (model, golden) = Load("dense");
        using (model)
        {
            using var runner = model.CreateRunner(64);
            var first = Score(runner, golden.Inputs[..64]);
            for (var round = 0; round < 20; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                var filler = new byte[64][];
                for (var i = 0; i < filler.Length; i++) filler[i] = GC.AllocateUninitializedArray<byte>(20_000);
                Assert.Equal(first.SelectMany(Bits), Score(runner, golden.Inputs[..64]).SelectMany(Bits));
                GC.KeepAlive(filler);
            }
        }
    }

    [Fact]
    public async Task Runners_of_one_model_work_on_several_threads()
    {
        var (model, golden) = Load("trees");
        using (model)
        {
            var expected = Run().SelectMany(Bits).ToArray();
            var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                var same = true;
                for (var round = 0; round < 50; round++) same &= Run().SelectMany(Bits).SequenceEqual(expected);
                return same;
            })));
            Assert.DoesNotContain(false, all);

            float[][] Run()
            {
                using var runner = model.CreateRunner(golden.Inputs.Length);
                return Score(runner, golden.Inputs);
            }
        }
    }

    [Fact]
    public void A_runner_outlives_its_model()
    {
        var (model, golden) = Load("trees");
        using var runner = model.CreateRunner(4);
        var before = Score(runner, golden.Inputs[..4]);
        model.Dispose();
        Assert.Equal(before.SelectMany(Bits), Score(runner, golden.Inputs[..4]).SelectMany(Bits));
        Assert.Throws<ObjectDisposedException>(() => model.CreateRunner(1));
        runner.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { runner.Run(1); });
    }

    [Fact]
    public void A_missing_value_in_a_whole_number_input_fails_its_row_alone()
    {
        var (model, golden) = Load("sklearn-frame");
        using (model)
        {
            using var runner = model.CreateRunner(3);
            double[][] rows = [golden.Inputs[0], [1, 20.5, 0, double.NaN], golden.Inputs[1]];
            var scores = Score(runner, rows);
            Assert.Equal([false, true, false], scores.Select(s => float.IsNaN(s[0])));
            rows[1] = golden.Inputs[2];
            Assert.Equal(golden.Outputs[2][0], Score(runner, rows)[1][0], 1e-6);
        }
    }

    [Fact]
    public void A_batch_outside_the_ladder_is_refused()
    {
        var (model, _) = Load("trees");
        using (model)
        {
            using var runner = model.CreateRunner(8);
            Assert.Equal((8, 6, 1), (runner.MaxRows, runner.InputWidth, runner.OutputWidth));
            Assert.Throws<ArgumentOutOfRangeException>(() => { runner.Run(9); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { runner.Run(0); });
            Assert.Throws<ArgumentOutOfRangeException>(() => { runner.Fill([], 6, [0, 1, 2, 3, 4, 5], -1); });
            Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateRunner(0));
        }
    }

    private static (IModel Model, GoldenVectors Golden) Load(string name)
    {
        var folder = name switch
        {
            "job" => TestModels.Job,
            "repurchase" => TestModels.Repurchase,
            "session_purchase" =>
            TestModels.SessionPurchase,
            _ => TestModels.Folder(name)
        };
        return (new OnnxModelLoader().Load(folder), TestModels.Golden(folder));
    }

    private static float[][] Score(IModelRunner runner, double[][] rows)
    {
        var scores = new List<float[]>();
        foreach (var batch in rows.Chunk(runner.MaxRows))
        {
            Fill(runner, batch, batch.Length);
            scores.AddRange(runner.Run(batch.Length).ToArray().Chunk(runner.OutputWidth));
        }
        return [.. scores];
    }

    private static void Fill(IModelRunner runner, double[][] rows, int count)
    {
        var vectors = rows.Take(count).SelectMany(row => row).ToArray();
        runner.Fill(vectors, runner.InputWidth, [.. Enumerable.Range(0, runner.InputWidth)], count);
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
