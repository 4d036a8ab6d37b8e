using StreamEngine.Events;

namespace StreamEngine.Expressions.Functions;

/// <summary>Texts of a feature vector, and their weights.</summary>
internal static class VectorFunctions
{
    public static ReadOnlySpan<byte> TextIn(double[] vector, int place) => KeptText.In(vector.AsSpan(), place).Text;

    /// <summary>The names that there are, the strongest first.</summary>
    public static ListValue NamesIn(double[] vector, int place, int count)
    {
        var found = 0;
        while (found < count && !Name(vector, place, found).IsEmpty) found++;
        var list = Scratch.List(found);
        for (var i = 0; i < found; i++) list.Cells[i] = Scratch.Copy(Name(vector, place, i).Text);
        return list;
    }

    public static bool HasName(ReadOnlySpan<byte> name, double[] vector, int place, int count) => IndexOf(name, vector, place, count) >= 0;

    /// <summary>What a name weighs; 0 where it isn't there.</summary>
    public static double WeightOf(ReadOnlySpan<byte> name, double[] vector, int place, int count, int weights) =>
        IndexOf(name, vector, place, count) is var index and >= 0 ? vector[weights + index] : 0;

    /// <summary>The rank of a name, by as much of it as is kept.</summary>
    private static int IndexOf(ReadOnlySpan<byte> name, double[] vector, int place, int count)
    {
        name = KeptText.Cut(name);
        for (var i = 0; i < count && !name.IsEmpty; i++)
            if (Name(vector, place, i).Text.SequenceEqual(name)) return i;
        return -1;
    }

    private static ref KeptText Name(double[] vector, int place, int rank) =>
        ref KeptText.In(vector.AsSpan(), place + rank * KeptText.Places);
}
