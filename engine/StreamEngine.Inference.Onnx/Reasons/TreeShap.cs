namespace StreamEngine.Inference.Onnx;

/// <summary>
/// Shapley values of a tree's inputs, exact, in polynomial time: Lundberg and others, From local explanations to global understanding with
/// explainable AI for trees (Nature Machine Intelligence, 2020).
/// </summary>
internal static class TreeShap
{
    /// <summary>
    /// An input on the way from the root, with the shares of ways that go along where it is unknown and where it is known.
    /// </summary>
    private struct Step
    {
        public int Input;
        public double Zero;
        public double One;
        public double Weight;
    }

    /// <summary>
    /// Algorithm 2, path-dependent: an input that is not known goes both ways, as often as the rows of the training did. The base is the
    /// tree's mean over those.
    /// </summary>
    /// <param name="trees">The ensemble; it has covers.</param>
    /// <param name="root">The tree's root.</param>
    /// <param name="goes">By node, whether the row takes the true branch.</param>
    /// <param name="raw">The score.</param>
    /// <param name="contributions">Receives what each input adds.</param>
    public static void PathDependent(TreeEnsemble trees, int root, bool[] goes, int raw, double[] contributions) =>
        Descend(trees, root, goes, raw, contributions, [], 1, 1, -1);

    /// <summary>
    /// Interventional, with one row to compare with: an input that is not known has that row's value. A leaf that is reached by taking some
    /// inputs of the one row and some of the other counts for the ones and against the others.
    /// </summary>
    /// <param name="trees">The ensemble.</param>
    /// <param name="root">The tree's root.</param>
    /// <param name="goes">By node, whether the row takes the true branch.</param>
    /// <param name="others">The same of the row that it is compared with.</param>
    /// <param name="raw">The score.</param>
    /// <param name="contributions">Receives what each input adds.</param>
    public static void Interventional(TreeEnsemble trees, int root, bool[] goes, bool[] others, int raw, double[] contributions) =>
        Part(trees, root, goes, others, raw, contributions, [], []);

    private static void Descend(TreeEnsemble trees, int node, bool[] goes, int raw, double[] contributions, Step[] before, double zero,
        double one, int input)
    {
        var path = Extend(before, zero, one, input);
        if (trees.Leaf(node) is { } leaf)
        {
            if (leaf[raw] == 0) return;
            for (var i = 1; i < path.Length; i++)
                contributions[path[i].Input] += UnwoundSum(path, i) * (path[i].One - path[i].Zero) * leaf[raw];
            return;
        }
        var (hot, cold) = goes[node] ? (trees.True(node), trees.False(node)) : (trees.False(node), trees.True(node));
        var (at, z, o) = (trees.Input(node), 1.0, 1.0);
        var known = Array.FindIndex(path, 1, s => s.Input == at);
        if (known > 0)
        {
            (z, o) = (path[known].Zero, path[known].One);
            path = Unwind(path, known);
        }
        Descend(trees, hot, goes, raw, contributions, path, z * trees.Cover(hot) / trees.Cover(node), o, at);
        Descend(trees, cold, goes, raw, contributions, path, z * trees.Cover(cold) / trees.Cover(node), 0, at);
    }

    /// <summary>The path with one more input: the weights count the subsets of each size.</summary>
    private static Step[] Extend(Step[] before, double zero, double one, int input)
    {
        var length = before.Length;
        Step[] path = [.. before, new Step { Input = input, Zero = zero, One = one, Weight = length == 0 ? 1 : 0 }];
        for (var i = length - 1; i >= 0; i--)
        {
            path[i + 1].Weight += one * path[i].Weight * (i + 1) / (length + 1);
            path[i].Weight = zero * path[i].Weight * (length - i) / (length + 1);
        }
        return path;
    }

    /// <summary>The path as if an input had not been added.</summary>
    private static Step[] Unwind(Step[] from, int index)
    {
        Step[] path = [.. from];
        var last = path.Length - 1;
        var (next, one, zero) = (path[last].Weight, path[index].One, path[index].Zero);
        for (var i = last - 1; i >= 0; i--)
        {
            if (one != 0)
            {
                var kept = path[i].Weight;
                path[i].Weight = next * (last + 1) / ((i + 1) * one);
                next = kept - path[i].Weight * zero * (last - i) / (last + 1);
            }
            else path[i].Weight = path[i].Weight * (last + 1) / (zero * (last - i));
        }
        for (var i = index; i < last; i++)
            (path[i].Input, path[i].Zero, path[i].One) = (path[i + 1].Input, path[i + 1].Zero, path[i + 1].One);
        return path[..last];
    }

    /// <summary>The sum of the weights that are left once an input is taken out.</summary>
    private static double UnwoundSum(Step[] path, int index)
    {
        var last = path.Length - 1;
        var (next, one, zero, sum) = (path[last].Weight, path[index].One, path[index].Zero, 0.0);
        for (var i = last - 1; i >= 0; i--)
        {
            if (one != 0)
            {
                var weight = next * (last + 1) / ((i + 1) * one);
                sum += weight;
                next = path[i].Weight - weight * zero * (last - i) / (last + 1);
            }
            else sum += path[i].Weight * (last + 1) / (zero * (last - i));
        }
        return sum;
    }

    private static void Part(TreeEnsemble trees, int node, bool[] goes, bool[] others, int raw, double[] contributions, List<int> ours,
        List<int> theirs)
    {
        if (trees.Leaf(node) is { } leaf)
        {
            if (leaf[raw] == 0 || ours.Count + theirs.Count == 0) return;
            var ways = Ways(ours.Count, theirs.Count);
            foreach (var input in ours) contributions[input] += leaf[raw] / (ours.Count * ways);
            foreach (var input in theirs) contributions[input] -= leaf[raw] / (theirs.Count * ways);
            return;
        }
        var at = trees.Input(node);
        var isOpen = goes[node] != others[node] && !ours.Contains(at) && !theirs.Contains(at);
        if (!isOpen)
        {
            Part(trees, trees.Next(node, theirs.Contains(at) ? others[node] : goes[node]), goes, others, raw, contributions, ours, theirs);
            return;
        }
        foreach (var (taken, branch) in new[] { (ours, goes[node]), (theirs, others[node]) })
        {
            taken.Add(at);
            Part(trees, trees.Next(node, branch), goes, others, raw, contributions, ours, theirs);
            taken.RemoveAt(taken.Count - 1);
        }
    }

    /// <summary>In how many ways so many can be chosen among all.</summary>
    private static double Ways(int ours, int theirs)
    {
        var ways = 1.0;
        for (var i = 1; i <= ours; i++) ways = ways * (theirs + i) / i;
        return ways;
    }
}
