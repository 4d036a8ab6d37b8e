namespace StreamEngine.Decisions;

/// <summary>
/// Random variates from a key: the same key gives the same sequence on every machine. The uniform numbers are SplitMix64's (Steele, Lea and
/// Flood, <em>Fast splittable pseudorandom number generators</em>, 2014): a mix of the key and a counter.
/// </summary>
/// <param name="key">The sequence; a hash of what it is for.</param>
internal struct Variates(ulong key)
{
    private ulong _state = key;
    private double _spare = double.NaN;   // the polar method gives two numbers

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    /// <summary>A number between 0 and 1, never either: one of 2^52, in the middle of its interval.</summary>
    public double Uniform() => ((Next() >> 12) + 0.5) * (1.0 / (1UL << 52));

    /// <summary>A standard normal number, by Marsaglia's polar method (1964), which needs no sine.</summary>
    public double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            var spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        double x, y, square;
        do
        {
            (x, y) = (2 * Uniform() - 1, 2 * Uniform() - 1);
            square = x * x + y * y;
        }
        while (square is >= 1 or < 1e-300);
        var scale = Math.Sqrt(-2 * PortableMath.Log(square) / square);
        _spare = y * scale;
        return x * scale;
    }

    /// <summary>
    /// A gamma number of scale 1 (Marsaglia and Tsang, <em>A simple method for generating gamma variables</em>, 2000); for a shape below 1
    /// that of the shape plus 1, times a uniform number to the power of 1 / shape.
    /// </summary>
    public double Gamma(double shape)
    {
        if (shape < 1) return Gamma(shape + 1) * PortableMath.Exp(PortableMath.Log(Uniform()) / shape);
        var d = shape - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x, v;
            do
            {
                x = Normal();
                v = 1 + c * x;
            }
            while (v <= 0);
            v = v * v * v;
            var (u, square) = (Uniform(), x * x);
            if (u < 1 - 0.0331 * square * square) return d * v;
            if (PortableMath.Log(u) < 0.5 * square + d * (1 - v + PortableMath.Log(v))) return d * v;
        }
    }

    /// <summary>A beta number, the share of one gamma number in two. Where a shape is 0 it is certain: 0 or 1.</summary>
    public double Beta(double alpha, double beta)
    {
        if (alpha <= 0) return 0;
        if (beta <= 0) return 1;
        var (x, y) = (Gamma(alpha), Gamma(beta));
        // Of two shapes near 0 both may come out as 0: the limit is a coin.
        return x + y > 0 ? x / (x + y) : Uniform() < alpha / (alpha + beta) ? 1 : 0;
    }

    /// <summary>A number of Student's t distribution: a normal one, divided by the root of a mean square.</summary>
    /// <param name="freedom">The degrees of freedom, above 0.</param>
    public double StudentT(double freedom) => Normal() / Math.Sqrt(2 * Gamma(freedom / 2) / freedom);
}
