using System.Text;
using Avro.Generic;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Decisions;
using StreamEngine.Inference;
using StreamEngine.Runtime;
using StreamEngine.Testing;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Decisions;

/// <summary>Experiments on models, values and contexts: what is priced otherwise, for whom, and what is run for it.</summary>
public sealed class ExperimentTermTests
{
    private static readonly VariationOptions Control = new() { Name = "control" };

    private static readonly OfferOptions Scored = Shop.Offer("a", "10.0") with
    {
        Propensity = new PropensityOptions { Model = "old", Output = "low", Default = 0.03 },
    };

    // Over the revenue of 20: 0.2 and 0.4 by the old model, 0.6 by the new one.
    private static LinearModel Old() => new("old", ["revenue"], ("low", [0.01f, 0]), ("high", [0.02f, 0]));

    private static LinearModel New() => new("new", ["revenue"], ("buy", [0.03f, 0]));

    [Fact]
    public void A_variation_has_another_model_another_output_or_a_fixed_propensity()
    {
        Assert.Equal((0.2, PropensitySource.Model, 0), Priced(null));
        Assert.Equal((0.6, PropensitySource.Model, 1), Priced(new() { Name = "a", Model = "new" }));
        Assert.Equal((0.4, PropensitySource.Model, 0), Priced(new() { Name = "a", Output = "high" }));
        Assert.Equal((0.05, PropensitySource.Fixed, -1), Priced(new() { Name = "a", Default = 0.05 }));
        // Where the model fails, the offer's own default stands in, or the variation's.
        Assert.Equal((0.03, PropensitySource.Fallback, 1), Priced(new() { Name = "a", Model = "new" }, revenue: 40));
        Assert.Equal((0.07, PropensitySource.Fallback, 1), Priced(new() { Name = "a", Model = "new", Default = 0.07 }, revenue: 40));

        static (double P, PropensitySource Source, int Model) Priced(ExperimentPropensityOptions? tried, double revenue = 20)
        {
            var shop = Make(new VariationOptions { Name = "arm", Propensities = tried is null ? [] : [tried] });
            shop.Context.Features[1] = revenue;
            var d = shop.Decide();
            return (Math.Round(d.P[0], 6), d.Source[0], d.Model[0]);
        }
    }

    [Fact]
    public void A_variation_has_another_value_and_context_for_its_customers_alone()
    {
        var arm = new VariationOptions
        {
            Name = "arm",
            Values = [new() { Name = "a", Is = "features.revenue * double(offer.factor)" }],
            Contexts = [new() { Name = "a", Is = "0.5" }],
        };
        var offers = new[] { Shop.Offer("a", "10.0") with { Attributes = new Dictionary<string, string> { ["factor"] = "3" } } };
        var d = new Shop(offers, new DecisionOptions { Experiments = [ExperimentTests.Certain(arm)] }).Decide();
        Assert.Equal((0.5, 0.5, 60.0, 15.0), (d.P[0], d.C[0], d.V[0], d.Priority[0]));
        // In the control, and outside of the experiment, all is as without it.
        foreach (var (weight, coverage) in new[] { (0.0, 1.0), (1.0, 0.0) })
        {
            var shop = new Shop(offers, new DecisionOptions
            {
                Experiments =
                [
                    new()
                    {
                        Name = "e",
                        Coverage = coverage,
                        Variations = [Control with { Weight = 1 - weight }, arm with { Weight = weight }],
                    },
                ],
            });
            d = shop.Decide();
            Assert.Equal((0.5, 1.0, 10.0, 5.0), (d.P[0], d.C[0], d.V[0], d.Priority[0]));
        }
    }

    [Fact]
    public void The_record_has_the_models_that_were_needed()
    {
        foreach (var (tried, models) in new (ExperimentPropensityOptions, string)[]
        {
            (new() { Name = "a", Model = "new" }, "new"), (new() { Name = "a", Output = "high" }, "old"),
            (new() { Name = "a", Default = 0.05 }, ""),
        })
        {
            var shop = Make(new VariationOptions { Name = "arm", Propensities = [tried] });
            shop.Decide();
            var output = new OutputBuffer();
            new DecisionRecordWriter("shop", ["events"], shop.Policy, "c0ffee").Write(output, 0, shop.Request(), shop.Result, [1, 2]);
            var record = ApacheAvro.Of("decision").Record(output.Value(0)[5..]);
            Assert.Equal(models, string.Join(' ', ((object[])record["models"]!).Cast<GenericRecord>().Select(m => m["name"])));
        }
    }

    /// <summary>Each model is run for the rows that need it, and a row's score is the same whichever rows are beside it.</summary>
    [Fact]
    public void A_model_is_run_for_its_customers_only()
    {
        var loader = new Models();
        var options = Scenario.Options();
        options = options with
        {
            Models = [new ModelOptions { Name = "shop" }, new ModelOptions { Name = "other", Path = "models/shop" }],
            Offers = [.. options.Offers.Take(2)],
            Decisions = options.Decisions with
            {
                Experiments =
                [
                    new()
                    {
                        Name = "models",
                        Variations =
                        [
                            Control,
                            new() { Name = "arm", Propensities = [.. "ab".Select(o => new ExperimentPropensityOptions
                            {
                                Name = $"{o}",
                                Model = "other",
                                Output = "1",
                            })] },
                        ],
                    },
                ],
            },
        };
        using var engine = Scenario.Compile(options, loader);
        var one = Run(engine, loader, 1, out var rows);
        var decided = one.Select(v => ApacheAvro.Of("decision").Record(v.AsSpan(5))).Where(d => d.Text("kind") == "decision").ToList();
        // Rows are scored before it is known who consents.
        int[] expected = [decided.Count(d => !IsArm(d)), decided.Count(IsArm)];
        Assert.True(expected.Min() > 100, string.Join(' ', expected));
        Assert.Equal(expected, rows);
        foreach (var d in decided.Where(d => ((object[])d["candidates"]!).Length > 0))
            Assert.Equal(IsArm(d) ? "other" : "shop", ((GenericRecord)((object[])d["models"]!).Single())["name"]);
        Assert.Equal(one.Select(Convert.ToHexString), Run(engine, loader, 1_000, out rows).Select(Convert.ToHexString));
        Assert.Equal(expected, rows);

        bool IsArm(GenericRecord d) => engine.Policy.Experiments[0].Assign(Encoding.UTF8.GetBytes(d.Text("customer_id"))) == 1;
    }

    /// <summary>More combinations of variations than an int can number, each with models of its own.</summary>
    [Fact]
    public void The_models_of_many_experiments_are_those_of_the_customers_variations()
    {
        const int Many = 40;
        string Name(int i) => $"m{i}";
        var shop = new Shop([.. Enumerable.Range(0, Many).Select(i => Shop.Offer($"o{i}") with
        {
            Propensity = new PropensityOptions { Model = Name(i), Output = "p", Default = 0.1 },
        })], new DecisionOptions
        {
            Experiments = [.. Enumerable.Range(0, Many - 1).Select(i => new ExperimentOptions
            {
                Name = $"e{i}",
                Variations = [Control, new() { Name = "arm", Propensities = [new() { Name = $"o{i}", Default = 0.2 }] }],
            })],
        }, [.. Enumerable.Range(0, Many).Select(i => new LinearModel(Name(i), ["revenue"], ("p", [0.01f, 0])))]);
        var (plan, random, needed) = (shop.Policy.Plan, new Random(1), new bool[Many]);
        for (var round = 0; round < 200; round++)
        {
            int[] variations = [.. Enumerable.Range(0, Many - 1).Select(_ => random.Next(-1, 2))];
            Array.Fill(needed, round % 2 == 0);
            plan.For(variations, needed);
            Assert.Equal([.. variations.Select(v => v != 1), true], needed);
            var id = Encoding.UTF8.GetBytes($"customer-{round}");
            plan.For(id, default, needed);
            Assert.Equal([.. shop.Policy.Experiments.Select(e => e.Assign(id) != 1), true], needed);
        }
        Assert.Equal(0, Allocations.Least(() => plan.For("c"u8, default, needed)));
    }

    [Fact]
    public void Scores_of_some_rows_are_those_of_all()
    {
        var model = Old();
        using var all = new Scorer([new ModelUse("old", model, [1])]);
        using var some = new Scorer([new ModelUse("old", model, [1])]);
        var vectors = Enumerable.Range(0, 600).Select(i => i % 7 == 3 ? LinearModel.Poison : (double)i).ToArray();
        bool[] needed = [.. Enumerable.Range(0, 300).Select(i => i % 3 == 0)];
        all.Score(vectors, 2, 300);
        some.Score(vectors, 2, 300, default, needed);
        for (var row = 0; row < 300; row += 3)
        {
            Assert.Equal(all.Fault(0, row), some.Fault(0, row));
            if (all.Fault(0, row) == ScoreFault.None) Assert.Equal(all.Outputs(0, row).ToArray(), some.Outputs(0, row).ToArray());
        }
        Assert.Equal(ScoreFault.Failed, some.Fault(0, 1));
        // The next batch may need all, or none.
        some.Score(vectors, 2, 300, default, Enumerable.Repeat(true, 300).ToArray());
        Assert.Equal(all.Outputs(0, 1).ToArray(), some.Outputs(0, 1).ToArray());
        var runs = model.Runs.Count;
        some.Score(vectors, 2, 300, default, new bool[300]);
        Assert.Equal(runs, model.Runs.Count);
        Assert.Equal(ScoreFault.Failed, some.Fault(0, 0));
        // What is left by an earlier batch, also a smaller one, is nothing to this one.
        some.Score(vectors, 2, 2, default, [true, false]);
        Assert.Equal((ScoreFault.None, ScoreFault.Failed), (some.Fault(0, 0), some.Fault(0, 1)));
        some.Score(vectors, 2, 600 / 2, default, new bool[300]);
        Assert.All(Enumerable.Range(0, 300), row => Assert.Equal(ScoreFault.Failed, some.Fault(0, row)));
        some.Score(vectors, 2, 2);
        some.Score(vectors, 2, 300, [true]);
        Assert.All(Enumerable.Range(0, 300), row => Assert.Equal(ScoreFault.Failed, some.Fault(0, row)));
        Assert.Equal(0, Allocations.Least(() => some.Score(vectors, 2, 2, default, needed.AsSpan(0, 2))));
    }

    [Fact]
    public void Two_experiments_that_change_the_same_are_refused_and_mistakes_are_told()
    {
        var errors = new ConfigErrors();
        var arm = new VariationOptions
        {
            Name = "arm",
            Propensities = [new() { Name = "a", Default = 0.1 }],
            Values = [new() { Name = "a", Is = "2.0" }],
            Contexts = [new() { Name = "a", Is = "3.0" }],
        };
        new Shop([Scored], null, Old()).Compile(new DecisionOptions
        {
            Experiments =
            [
                new() { Name = "one", Variations = [Control, arm] }, new() { Name = "two", Variations = [Control, arm] },
                new()
                {
                    Name = "wrong",
                    Variations =
                    [
                        Control,
                        new()
                        {
                            Name = "arm",
                            Propensities = [new() { Name = "a" }, new() { Name = "b", Default = 0.1 }],
                            Values = [new() { Name = "c", Is = "1.0" }],
                        },
                        new() { Name = "model", Propensities = [new() { Name = "a", Model = "ole" }] },
                        new() { Name = "output", Propensities = [new() { Name = "a", Output = "top" }] },
                    ],
                },
            ],
        }, [Scored], errors, Old());
        Assert.Equal(
        [
            "'b' is no offer", "'c' is no offer", "no other propensity of a is given", "'ole' is no model",
            "model old 1 has no output 'top'",
            .. new[] { "propensity", "value", "context" }
                .Select(t => $"experiments one and two both change the {t} of a for the same customers"),
            "experiments one and wrong both change the propensity of a for the same customers",
            "experiments two and wrong both change the propensity of a for the same customers",
        ], errors.All.Select(e => e.Message));
    }

    [Fact]
    public void The_config_reads_as_documented()
    {
        var errors = new ConfigErrors();
        var options = OptionsBinder.Bind<DecisionOptions>(StreamEngine.Host.Configuration.YamlConfigReader.Read("t.yaml", """
            experiments:
              models:
                variations:
                  control: {}
                  new:
                    propensities: { summer-sale: { model: clicks-2, output: summer-sale }, newsletter: 0.02 }
                    values: { summer-sale: offer.margin * 1.1 }
                    contexts: { summer-sale: "0.9" }
            """, errors)!, errors);
        errors.ThrowIfAny();
        var arm = options.Experiments[0].Variations[1];
        Assert.Equal([("summer-sale", "clicks-2", "summer-sale", null), ("newsletter", null, null, 0.02)],
            arm.Propensities.Select(p => (p.Name, p.Model, p.Output, p.Default)));
        Assert.Equal(("offer.margin * 1.1", "0.9"), (arm.Values[0].Is.Text, arm.Contexts[0].Is.Text));
    }

    private static Shop Make(VariationOptions arm) =>
        new([Scored], new DecisionOptions { Experiments = [ExperimentTests.Certain(arm)] }, Old(), New());

    private static List<byte[]> Run(CompiledEngine engine, Models loader, int batch, out int[] rows)
    {
        foreach (var model in loader.Loaded) model.Runs.Clear();
        using var driver = new ShardDriver(engine);
        var n = 0;
        foreach (var (key, json, time) in Scenario.Events(2_000, 40, 3))
        {
            driver.Add(key, json, time);
            if (++n % batch == 0) driver.Process();
        }
        driver.Process();
        rows = [.. loader.Loaded.Select(m => m.Runs.Sum())];
        return [.. driver.Outputs.Where(o => o.Topic == "decisions").Select(o => o.Value)];
    }

    private sealed class Models : IModelLoader
    {
        public List<LinearModel> Loaded { get; } = [];

        public IModel Load(string directory, ModelOptions? options = null)
        {
            Loaded.Add((LinearModel)new LinearModels(Loaded.Count).Load(directory, options));
            return Loaded[^1];
        }
    }
}
