namespace StreamEngine.Benchmarks;

/// <summary>
/// A fixed piece of work, in plain C#, that budgets are counted in: mixes arithmetic, branches and reads beyond the first cache.
/// </summary>
internal sealed class Calibration
{
    private readonly ulong[] _table = new ulong[1 << 16];

    public Calibration()
    {
        var x = 88172645463325252UL;
        for (var i = 0; i < _table.Length; i++) _table[i] = x = Next(x);
    }

    /// <summary>One unit: 256 steps, about half a microsecond on a machine of 2024.</summary>
    public ulong Work()
    {
        ulong x = 1, sum = 0;
        for (var i = 0; i < 256; i++)
        {
            x = Next(x + _table[(int)(x & 0xFFFF)]);
            if ((x & 3) == 0) sum += x;
            else sum ^= x;
        }
        return sum;
    }

    private static ulong Next(ulong x)
    {
        x ^= x << 13;
        x ^= x >> 7;
        return x ^ (x << 17);
    }
}
