namespace StreamEngine.Inference.Onnx;

/// <summary>
/// Makes trees of a node's attributes: <c>TreeEnsembleRegressor</c>, <c>TreeEnsembleClassifier</c>, and <c>TreeEnsemble</c> of version 5.
/// </summary>
internal static class TreeReader
{
    private static readonly string[] Modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
    private static readonly string[] Transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];
    private static readonly string[] Aggregates = ["AVERAGE", "SUM", "MIN", "MAX"];

    /// <summary>The columns of scores that an ensemble makes.</summary>
    /// <exception cref="InvalidDataException">The trees can't be read, or do something that contributions can't be told of.</exception>
    public static ScoreColumn[] Read(GraphNode node, FeatureColumn[] columns)
    {
        var isFifth = node.Operator == "TreeEnsemble";
        var transform = isFifth ? Transforms[(int)node.Number("post_transform")] : node.Text("post_transform", "NONE");
        var aggregate = isFifth ? Aggregates[(int)node.Number("aggregate_function", 1)] : node.Text("aggregate_function", "SUM");
        if (aggregate is not ("SUM" or "AVERAGE")) throw new InvalidDataException($"its trees are joined by {aggregate}, not by a sum");
        var labels = Math.Max(node.Texts("classlabels_strings").Length, node.Numbers("classlabels_int64s").Length);
        var prefix = node.Operator == "TreeEnsembleClassifier" ? "class" : "target";
        var targets = node.Numbers(isFifth ? "leaf_targetids" : $"{prefix}_ids");
        var bases = Either(node, "base_values");
        // Two classes and weights of the first only: ONNX Runtime makes both scores of them.
        var isBinary = labels == 2 && targets.All(t => t == 0);
        if (isBinary && bases.Length > 1) throw new InvalidDataException("its two classes share their weights, and not their base values");
        var scores = isBinary ? 1 : labels > 0 ? labels : (int)node.Number("n_targets", 1);
        if (bases.Length != 0 && bases.Length != scores) throw new InvalidDataException("its base values are not one for each score");
        if (targets.Any(t => !(t >= 0 && t < scores))) throw new InvalidDataException("a leaf is of a class that is not there");
        var trees = aggregate == "SUM" ? 1
            : isFifth ? node.Numbers("tree_roots").Length : node.Numbers("nodes_treeids").Distinct().Count();
        var nodes = isFifth ? Fifth(node, targets, scores, trees) : Third(node, prefix, targets, scores, trees);
        var source = new TreeEnsemble(columns, nodes, bases.Length > 0 ? bases : new double[scores]);
        if (isBinary) return Binary(source, transform, Either(node, "class_weights").All(w => w >= 0));
        return Linked([.. Enumerable.Range(0, scores).Select(raw => new ScoreColumn { Source = source, Raw = raw })], transform);
    }

    /// <summary>The columns with a node's own link.</summary>
    /// <exception cref="InvalidDataException">It is one that is not read.</exception>
    public static ScoreColumn[] Linked(ScoreColumn[] columns, string transform) => transform switch
    {
        "NONE" => columns,
        "LOGISTIC" => [.. columns.Select(c => c with { Link = ScoreLink.Logistic })],
        "SOFTMAX" => [.. columns.Select(c => c with { Link = ScoreLink.Softmax, Softmax = columns })],
        _ => throw new InvalidDataException($"its scores go through {transform}"),
    };

    /// <summary>As ONNX Runtime makes two columns of one score: votes, of which the rest is the other class's, or a number with a sign.
    /// </summary>
    private static ScoreColumn[] Binary(TreeEnsemble source, string transform, bool isVotes)
    {
        var score = new ScoreColumn { Source = source, Raw = 0 };
        if (transform is not ("NONE" or "LOGISTIC")) throw new InvalidDataException($"its scores go through {transform}");
        return isVotes ? [score with { Factor = -1, Offset = 1 }, score] : Linked([score with { Factor = -1 }, score], transform);
    }

    private static double[] Either(GraphNode node, string attribute) =>
        node.Numbers(attribute) is { Length: > 0 } numbers ? numbers : node.Numbers($"{attribute}_as_tensor");

    private static TreeNode[] Third(GraphNode node, string prefix, double[] targets, int scores, int trees)
    {
        var (treeIds, nodeIds, modes) = (node.Numbers("nodes_treeids"), node.Numbers("nodes_nodeids"), node.Texts("nodes_modes"));
        var places = new Dictionary<(double, double), int>();
        for (var i = 0; i < nodeIds.Length; i++) places[(treeIds[i], nodeIds[i])] = i;
        var leaves = new double[]?[nodeIds.Length];
        var (leafTrees, leafNodes, weights) =
            (node.Numbers($"{prefix}_treeids"), node.Numbers($"{prefix}_nodeids"), Either(node, $"{prefix}_weights"));
        for (var i = 0; i < weights.Length; i++)
            (leaves[places[(leafTrees[i], leafNodes[i])]] ??= new double[scores])[(int)targets[i]] += weights[i] / trees;
        var (columns, values, yes, no) = (node.Numbers("nodes_featureids"), Either(node, "nodes_values"),
            node.Numbers("nodes_truenodeids"), node.Numbers("nodes_falsenodeids"));
        var (missing, covers) = (node.Numbers("nodes_missing_value_tracks_true"), Either(node, "nodes_hitrates"));
        return [.. Enumerable.Range(0, nodeIds.Length).Select(i =>
        {
            var cover = i < covers.Length ? covers[i] : 0;
            if (modes[i] == "LEAF") return new TreeNode { Leaf = leaves[i] ?? new double[scores], Cover = cover };
            return new TreeNode
            {
                Column = (int)columns[i],
                Mode = Mode(Array.IndexOf(Modes, modes[i]), modes[i]),
                Threshold = values[i],
                MissingIsTrue = i < missing.Length && missing[i] != 0,
                True = places[(treeIds[i], yes[i])],
                False = places[(treeIds[i], no[i])],
                Cover = cover,
            };
        })];
    }

    /// <summary>In version 5 leaves are counted by themselves, and a branch says whether it leads to one.</summary>
    private static TreeNode[] Fifth(GraphNode node, double[] targets, int scores, int trees)
    {
        var weights = node.Numbers("leaf_weights");
        var (modes, columns, splits) = (node.Numbers("nodes_modes"), node.Numbers("nodes_featureids"), node.Numbers("nodes_splits"));
        var missing = node.Numbers("nodes_missing_value_tracks_true");
        var nodes = new List<TreeNode>();
        for (var i = 0; i < columns.Length; i++)
            nodes.Add(new TreeNode
            {
                Column = (int)columns[i],
                Mode = Mode((int)modes[i], "BRANCH_MEMBER"),
                Threshold = splits[i],
                MissingIsTrue = i < missing.Length && missing[i] != 0,
            });
        for (var i = 0; i < columns.Length; i++)
            nodes[i] = nodes[i] with { True = Branch("true", i), False = Branch("false", i) };
        return [.. nodes];

        int Branch(string branch, int at)
        {
            var next = (int)node.Numbers($"nodes_{branch}nodeids")[at];
            if (node.Numbers($"nodes_{branch}leafs")[at] == 0) return next;
            var leaf = new double[scores];
            leaf[(int)targets[next]] = weights[next] / trees;
            nodes.Add(new TreeNode { Leaf = leaf });
            return nodes.Count - 1;
        }
    }

    private static SplitMode Mode(int mode, string name) => mode is >= 0 and <= (int)SplitMode.Neq ? (SplitMode)mode
        : throw new InvalidDataException($"a split is {name}");
}
