using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Host.Cli;
using StreamEngine.Host.Evaluation.Export;
using StreamEngine.Host.Explanation;
using StreamEngine.Host.Replay;

namespace StreamEngine.Host.Evaluation;

/// <summary><c>decisions rank</c>: arbitration over a table of candidates, without events and models.</summary>
internal static class DecisionsCommand
{
    private static readonly Option<string> Candidates = new("--candidates")
    {
        Description = "A CSV or Parquet file with the columns decision, offer, p, c, v, l; with --max-per-group also group.",
        HelpName = "FILE",
        Required = true,
    };

    private static readonly Option<int?> Top = new("--top")
    {
        Description = "The most offers that are told of a decision; all where absent, those without a place behind the others.",
        HelpName = "N",
    };

    private static readonly Option<int?> MaxPerGroup = new("--max-per-group")
    {
        Description = "The most offers of one group that have a place in a decision; as many as there are where absent.",
        HelpName = "K",
    };

    /// <summary>The command, and its parts for examples.</summary>
    public static (Command All, Command Rank, Command Show, Command Why, Command Export) Make()
    {
        foreach (var option in new[] { Top, MaxPerGroup })
            option.Validators.Add(r =>
            {
                if (r.Tokens.Count > 0 && !(int.TryParse(r.Tokens[0].Value, CultureInfo.InvariantCulture, out var n) && n > 0))
                    r.AddError($"{option.Name} is '{r.Tokens[0].Value}': give a whole number from 1.");
            });
        var rank = new Command("rank", "Ranks candidates by p x c x v x l, multiplied in this order in double precision, by the rules of "
            + "the funnel: ties by the offer's name, no place for a priority that is no finite number. CSV on standard output.")
        {
            Candidates, Top, MaxPerGroup,
        };
        Invocation.Act(rank, call => Run(call));
        var (show, why) = ExplainCommands.Make();
        var export = ExportCommand.Make();
        return (new Command("decisions", "Decisions, looked at from outside.") { rank, show, why, export }, rank, show, why, export);
    }

    private static int Run(Invocation call)
    {
        var errors = new ConfigErrors();
        var table = DataTable.Read(call.Get(Candidates)!, "candidates", RankedCandidates.Columns, errors);
        var ranked = RankedCandidates.Of(table, call.Get(MaxPerGroup), errors);
        errors.ThrowIfAny();
        var top = call.Get(Top) ?? int.MaxValue;
        if (call.Json)
        {
            call.Print(new JsonArray([.. ranked.Select(d => new JsonObject
            {
                ["decision"] = d.Decision,
                ["offers"] = new JsonArray([.. d.Offers.Take(top).Select(Json)]),
            })]));
            return ExitCode.Done;
        }
        var csv = new FeatureCsv(call.Out); // standard output is not ours to close
        csv.Write(["decision", "offer", "rank", "drop", "priority"]);
        foreach (var (decision, offers) in ranked)
            foreach (var o in offers.Take(top))
                csv.Write([decision, o.Offer, o.Rank.ToString(CultureInfo.InvariantCulture), o.Drop], [o.Score], []);
        return ExitCode.Done;
    }

    private static JsonNode Json(RankedCandidate candidate) => new JsonObject
    {
        ["offer"] = candidate.Offer,
        ["rank"] = candidate.Rank,
        ["drop"] = candidate.Drop,
        ["priority"] = double.IsFinite(candidate.Score) ? JsonValue.Create(candidate.Score) : null,
    };
}
