using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Evaluation.OffPolicy;

namespace StreamEngine.Host.Evaluation;

/// <summary><c>evaluate model</c>: how good a model's scores were, from a table of what came true.</summary>
internal static class EvaluateCommand
{
    private static readonly string[] Needed = ["label", "score"];
    private static readonly double[] Shares = [0.1, 0.2, 0.3];

    private static readonly Option<string> Scores = new("--scores")
    {
        Description = "A CSV or Parquet file with the columns label (0 or 1) and score; with a column treatment (0 or 1) uplift is told "
            + "too.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<int> Bins = new("--bins")
    {
        Description = "How many bins of equal mass the reliability table has; 10 make it a table of deciles.",
        HelpName = "N",
        DefaultValueFactory = _ => 10,
    };

    /// <summary>The command, and its part for examples.</summary>
    public static (Command All, Command Model, Command Policy) Make()
    {
        Bins.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !(int.TryParse(r.Tokens[0].Value, CultureInfo.InvariantCulture, out var n) && n is > 0 and <= 1_000))
                r.AddError($"{Bins.Name} is '{r.Tokens[0].Value}': give a whole number from 1 to 1000.");
        });
        var model = new Command("model", "Tells how good scores are: ROC-AUC, PR-AUC, log loss, Brier score, calibration error, and for "
            + "each bin of scores the rate and its lift; of scores of uplift the Qini area and the uplift among the highest.")
        {
            Scores, Bins,
        };
        Invocation.Act(model, call => Run(call));
        var policy = PolicyCommand.Make();
        return (new Command("evaluate", "Models and policies, against what came true.") { model, policy }, model, policy);
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var table = DataTable.Read(call.Get(Scores)!, "scores", Needed, errors);
        errors.ThrowIfAny();
        var labels = Flags(table, "label", errors);
        var treated = table.Column("treatment") < 0 ? null : Flags(table, "treatment", errors);
        var scores = Enumerable.Range(0, table.Rows.Count).Select(row => table.Number(row, "score", "scores", errors)).ToArray();
        if (!errors.Any && Array.FindIndex(scores, s => !double.IsFinite(s)) is var row and >= 0)
            errors.Add(table.At(row, "scores"), $"score is {scores[row].ToString(CultureInfo.InvariantCulture)}",
                "Leave rows without a finite score out, and say how many they were");
        if (!errors.Any && labels.Distinct().Count() < 2)
            errors.Add(table.At(-1, "scores"), "all labels are the same", "Take rows of both labels: there is nothing to tell apart");
        if (!errors.Any && treated is not null && treated.Distinct().Count() < 2)
            errors.Add(table.At(-1, "scores"), "all rows have the same treatment", "Take rows of both, or leave the column out");
        errors.ThrowIfAny();
        var metrics = ModelMetrics.Of(labels, scores, call.Get(Bins));
        if (call.Json) call.Print(Json(metrics, labels, scores, treated));
        else Tell(call.Out, metrics, labels, scores, treated);
        return ExitCode.Done;
    }

    private static bool[] Flags(DataTable table, string column, ConfigErrors errors) => [.. table.Rows.Select((_, row) =>
    {
        var number = table.Number(row, column, "scores", errors);
        if (number is not (0 or 1) && errors.All.Count == 0)
            errors.Add(table.At(row, "scores"), $"{column} is {number.ToString(CultureInfo.InvariantCulture)}", "Write 0 or 1");
        return number == 1;
    })];

    private static void Tell(TextWriter output, ModelMetrics m, bool[] labels, double[] scores, bool[]? treated)
    {
        output.WriteLine($"{m.Rows} rows, {m.Positives} with label 1 ({Text(m.BaseRate)})");
        foreach (var (name, value) in Numbers(m, labels, scores, treated)) output.WriteLine($"  {name,-12} {Text(value)}");
        output.WriteLine($"  {"rows",8} {"score",10} {"rate",10} {"lift",8}");
        foreach (var bin in m.Bins.Reverse())
            output.WriteLine($"  {bin.Count,8} {Text(bin.Score),10} {Text(bin.Rate),10} {Text(bin.Rate / m.BaseRate),8}");
    }

    private static JsonObject Json(ModelMetrics m, bool[] labels, double[] scores, bool[]? treated)
    {
        var json = new JsonObject { ["rows"] = m.Rows, ["positives"] = m.Positives };
        foreach (var (name, value) in Numbers(m, labels, scores, treated)) json[name] = Number(value);
        json["bins"] = new JsonArray([.. m.Bins.Select(b => new JsonObject
        {
            ["rows"] = b.Count,
            ["score"] = Number(b.Score),
            ["rate"] = Number(b.Rate),
            ["lift"] = Number(b.Rate / m.BaseRate),
        })]);
        return json;
    }

    private static IEnumerable<(string Name, double Value)> Numbers(ModelMetrics m, bool[] labels, double[] scores, bool[]? treated)
    {
        yield return ("roc_auc", m.RocAuc);
        yield return ("pr_auc", m.PrAuc);
        yield return ("log_loss", m.LogLoss);
        yield return ("brier", m.Brier);
        yield return ("ece", m.Ece);
        if (treated is null) yield break;
        yield return ("qini", UpliftMetrics.Qini(labels, scores, treated));
        foreach (var share in Shares)
            yield return (string.Create(CultureInfo.InvariantCulture, $"uplift@{share:0%}").Replace(" ", "", StringComparison.Ordinal),
                UpliftMetrics.At(labels, scores, treated, share));
    }

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("0.0000##", CultureInfo.InvariantCulture) : "-";
}
