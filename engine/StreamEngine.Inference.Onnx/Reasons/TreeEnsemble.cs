namespace StreamEngine.Inference.Onnx;

/// <summary>How a split compares a value with its threshold, as ONNX numbers it.</summary>
internal enum SplitMode : byte
{
    /// <summary>At most.</summary>
    Leq,

    /// <summary>Below.</summary>
    Lt,

    /// <summary>At least.</summary>
    Gte,

    /// <summary>Above.</summary>
    Gt,

    /// <summary>The same.</summary>
    Eq,

    /// <summary>Another.</summary>
    Neq,
}

/// <summary>A node of a tree, as a graph's attributes say it.</summary>
internal sealed record TreeNode
{
    /// <summary>The split's column; -1 for a leaf.</summary>
    public int Column { get; init; } = -1;

    /// <summary>How it compares.</summary>
    public SplitMode Mode { get; init; }

    /// <summary>What it compares with.</summary>
    public double Threshold { get; init; }

    /// <summary>Whether a missing value takes the true branch.</summary>
    public bool MissingIsTrue { get; init; }

    /// <summary>The node behind the true branch.</summary>
    public int True { get; init; }

    /// <summary>The node behind the false branch.</summary>
    public int False { get; init; }

    /// <summary>How many rows of the training came here, or their weight; 0 where the graph does not say.</summary>
    public double Cover { get; init; }

    /// <summary>A leaf's raw scores; null for a split.</summary>
    public double[]? Leaf { get; init; }
}

/// <summary>
/// An ensemble of trees. Where its graph says how many rows of the training came to each node (<c>nodes_hitrates</c>, as XGBoost's
/// converter and <c>train_propensity.py --covers</c> write it), contributions are path-dependent; else they compare with one row.
/// </summary>
internal sealed class TreeEnsemble : IScoreSource
{
    private readonly FeatureColumn[] _columns;
    private readonly TreeNode[] _nodes;
    private readonly int[] _roots;
    private readonly double[] _base;
    private readonly bool _hasCovers;

    /// <param name="columns">The columns that splits look at.</param>
    /// <param name="nodes">The nodes of all trees.</param>
    /// <param name="bases">By score, what is added to the sum over the trees.</param>
    /// <exception cref="InvalidDataException">The nodes are no trees.</exception>
    public TreeEnsemble(FeatureColumn[] columns, TreeNode[] nodes, double[] bases)
    {
        (_columns, _nodes, _base) = (columns, nodes, bases);
        _roots = Roots(nodes);
        _hasCovers = nodes.All(n => n.Cover > 0) && nodes.All(n => n.Leaf is not null
            || Math.Abs(n.Cover - nodes[n.True].Cover - nodes[n.False].Cover) <= 1e-3 * n.Cover);
        if (nodes.Any(n => n.Leaf is null && (n.Column < 0 || n.Column >= columns.Length)))
            throw new InvalidDataException("a split looks at a column that is not there");
    }

    /// <inheritdoc/>
    public ReasonMethod Method => _hasCovers ? ReasonMethod.PathDependent : ReasonMethod.Interventional;

    /// <summary>A leaf's raw scores; null for a split.</summary>
    public double[]? Leaf(int node) => _nodes[node].Leaf;

    /// <summary>The model's input that a split looks at.</summary>
    public int Input(int node) => _columns[_nodes[node].Column].Input;

    /// <summary>The node behind the true branch.</summary>
    public int True(int node) => _nodes[node].True;

    /// <summary>The node behind the false branch.</summary>
    public int False(int node) => _nodes[node].False;

    /// <summary>The node behind a branch.</summary>
    public int Next(int node, bool branch) => branch ? True(node) : False(node);

    /// <summary>How many rows of the training came to a node.</summary>
    public double Cover(int node) => _nodes[node].Cover;

    /// <inheritdoc/>
    public double[] Scores(double[] inputs)
    {
        var (goes, scores) = (Branches(inputs), (double[])_base.Clone());
        foreach (var root in _roots)
        {
            var node = root;
            while (_nodes[node].Leaf is null) node = Next(node, goes[node]);
            for (var raw = 0; raw < scores.Length; raw++) scores[raw] += _nodes[node].Leaf![raw];
        }
        return scores;
    }

    /// <inheritdoc/>
    public double Explain(int raw, double[] inputs, double[] background, double[] contributions)
    {
        var goes = Branches(inputs);
        if (_hasCovers)
        {
            foreach (var root in _roots) TreeShap.PathDependent(this, root, goes, raw, contributions);
            return _base[raw] + _roots.Sum(root => Mean(root, raw));
        }
        var others = Branches(background);
        foreach (var root in _roots) TreeShap.Interventional(this, root, goes, others, raw, contributions);
        return Scores(background)[raw];
    }

    /// <summary>A tree's mean over the rows of the training.</summary>
    private double Mean(int node, int raw) => _nodes[node] is { Leaf: null } split
        ? (Cover(split.True) * Mean(split.True, raw) + Cover(split.False) * Mean(split.False, raw)) / Cover(node)
        : _nodes[node].Leaf![raw];

    /// <summary>By node, whether a row takes the true branch.</summary>
    private bool[] Branches(double[] inputs)
    {
        var values = _columns.Select(c => c.Map(inputs[c.Input])).ToArray();
        return [.. _nodes.Select(n => n.Leaf is null && IsTrue(n, values[n.Column]))];
    }

    private static bool IsTrue(TreeNode split, double value) => (split.MissingIsTrue && double.IsNaN(value)) || split.Mode switch
    {
        SplitMode.Leq => value <= split.Threshold,
        SplitMode.Lt => value < split.Threshold,
        SplitMode.Gte => value >= split.Threshold,
        SplitMode.Gt => value > split.Threshold,
        SplitMode.Eq => value == split.Threshold,
        _ => value != split.Threshold,
    };

    /// <summary>The nodes that no branch leads to, one for each tree.</summary>
    private static int[] Roots(TreeNode[] nodes)
    {
        var parents = new int[nodes.Length];
        foreach (var split in nodes.Where(n => n.Leaf is null))
            foreach (var next in new[] { split.True, split.False })
                if ((uint)next >= (uint)nodes.Length || ++parents[next] > 1) throw new InvalidDataException("its nodes are no trees");
        int[] roots = [.. Enumerable.Range(0, nodes.Length).Where(i => parents[i] == 0)];
        var (open, seen) = (new Stack<int>(roots), 0);
        for (; open.TryPop(out var node); seen++)
            if (nodes[node].Leaf is null)
            {
                open.Push(nodes[node].True);
                open.Push(nodes[node].False);
            }
        return seen == nodes.Length ? roots : throw new InvalidDataException("its nodes are no trees");
    }
}
