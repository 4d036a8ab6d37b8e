using System.Runtime.CompilerServices;
using StreamEngine.Events;

namespace StreamEngine.Features;

/// <summary>
/// A histogram with buckets of a constant relative width (DDSketch: Masson, Rim, Lee 2019) of which only those that have a value are kept,
/// in order. At most 128 are: where there would be more, two neighbours become one everywhere (UDDSketch: Epicoco and others 2020), which
/// doubles the relative error from 1 % to 2 %, 4 %, ... How often, and what is in each bucket, depends on the values alone, so that any
/// order and any merging gives the same.
/// </summary>
internal struct QuantileCell : ICell<QuantileCell>
{
    /// <summary>The most buckets that are kept.</summary>
    public const int Most = 128;

    /// <summary>The relative error of a value as long as the buckets suffice.</summary>
    public const double Error = 0.01;

    /// <summary>A value that is closer to zero is taken for zero.</summary>
    public const double Smallest = 1e-9;

    private static readonly double LogOfWidth = Math.Log((1 + Error) / (1 - Error));
    private static readonly double LogOfSmallest = Math.Log(Smallest);

    private int _count;
    private int _halvings;
    private Buckets _buckets;

    public static void Clear(Span<QuantileCell> cells) => cells.Clear();

    public static void Add(ref QuantileCell cell, in Column column, in InputValue input, Event e) =>
        cell.Take(Halved(KeyOf(input.Value), cell._halvings), 1);

    public static void Merge(ref QuantileCell cell, in Column column, in QuantileCell other)
    {
        while (cell._halvings < other._halvings) cell.Halve();
        foreach (ref readonly var bucket in ((ReadOnlySpan<Bucket>)other._buckets)[..other._count])
            cell.Take(Halved(bucket.Key, cell._halvings - other._halvings), bucket.Events);
    }

    public static double Read(ref byte profile, in Column column, CellPart part, in RowRange rows) => Of(ref profile, column, rows, 0.5);

    /// <summary>The value at place floor(share (n - 1)) of n values in order, counted from 0; NaN where there is none.</summary>
    public static double Of(ref byte profile, in Column column, in RowRange rows, double share)
    {
        if (rows.IsOne) return column.Cell<QuantileCell>(ref profile, rows.Start).At(share);
        return column.Fold<QuantileCell>(ref profile, rows).At(share);
    }

    private readonly double At(double share)
    {
        var buckets = ((ReadOnlySpan<Bucket>)_buckets)[.._count];
        long events = 0;
        foreach (ref readonly var bucket in buckets) events += bucket.Events;
        if (events == 0) return double.NaN;
        var place = (long)(share * (events - 1));
        foreach (ref readonly var bucket in buckets)
        {
            place -= bucket.Events;
            if (place < 0) return Value(bucket.Key);
        }
        return double.NaN;
    }

    /// <summary>The bucket of a value: the k-th above the smallest value, with the value's sign; 0 for zero.</summary>
    private static int KeyOf(double value)
    {
        var size = Math.Abs(value);
        return size < Smallest ? 0 : Math.Sign(value) * Math.Max(1, (int)Math.Ceiling((Math.Log(size) - LogOfSmallest) / LogOfWidth));
    }

    private static int Halved(int key, int halvings)
    {
        for (; halvings > 0; halvings--) key = key >= 0 ? (key + 1) / 2 : -((1 - key) / 2);
        return key;
    }

    /// <summary>The value whose relative distance from both edges of the bucket is the same.</summary>
    private readonly double Value(int key)
    {
        if (key == 0) return 0;
        var width = LogOfWidth * (1 << _halvings);
        var log = Math.Abs(key) * width + LogOfSmallest + Math.Log(2 / (Math.Exp(width) + 1));
        return Math.Sign(key) * Math.Min(Math.Exp(log), double.MaxValue);
    }

    private void Take(int key, uint events)
    {
        int place;
        while ((place = Find(key)) < 0)
        {
            if (_count < Most)
            {
                place = ~place;
                Span<Bucket> buckets = _buckets;
                buckets[place.._count].CopyTo(buckets[(place + 1)..]);
                buckets[place] = new Bucket { Key = key };
                _count++;
                break;
            }
            Halve();
            key = Halved(key, 1);
        }
        Count(ref _buckets[place], events);
    }

    /// <summary>A count that would wrap stops at the largest instead.</summary>
    private static void Count(ref Bucket bucket, uint events) =>
        bucket.Events = events <= uint.MaxValue - bucket.Events ? bucket.Events + events : uint.MaxValue;

    /// <summary>Makes two neighbours one, everywhere.</summary>
    private void Halve()
    {
        Span<Bucket> buckets = _buckets;
        var count = 0;
        foreach (var bucket in buckets[.._count])
        {
            var key = Halved(bucket.Key, 1);
            if (count > 0 && buckets[count - 1].Key == key) Count(ref buckets[count - 1], bucket.Events);
            else buckets[count++] = bucket with { Key = key };
        }
        buckets[count.._count].Clear();
        _count = count;
        _halvings++;
    }

    /// <summary>The place of a bucket, or the complement of where it would stand.</summary>
    private readonly int Find(int key)
    {
        ReadOnlySpan<Bucket> buckets = _buckets;
        int low = 0, high = _count - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            if (buckets[middle].Key == key) return middle;
            if (buckets[middle].Key < key) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }

    private struct Bucket
    {
        public int Key;
        public uint Events;
    }

    [InlineArray(Most)]
    private struct Buckets
    {
        private Bucket _first;
    }
}
