using System.Runtime.InteropServices;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.State;

namespace StreamEngine.Features;

/// <summary>
/// The compiled features: they keep aggregates in fixed slots of the profile and compute the feature vector from them. The same events in
/// any order (within the configured lateness) give the same vector: sums of fixed-point values exactly, sums of plain doubles up to
/// rounding. Immutable, so that all shards can share it; nothing here allocates after compilation.
/// </summary>
/// <remarks>
/// An event goes 1. through the inputs (each distinct condition and operand evaluated once), 2. into the columns of each window; then so
/// does each item of the lists that features go over. The vector
/// is 1. read window by window, 2. completed by the derived features in the order of their dependencies. Behind its numbers it holds the
/// texts of features, as bits (<see cref="KeptText"/>): whoever copies a vector of <see cref="Width"/> places copies them with it.
/// </remarks>
public sealed class FeatureSet
{
    private readonly EventInputs _inputs;
    private readonly WindowGroup[] _groups;
    private readonly DerivedFeatures _derived;
    private readonly int _begin;
    private readonly byte[] _new;
    private readonly double[] _empty;

    internal FeatureSet(FeatureNames names, EventInputs inputs, WindowGroup[] groups, DerivedFeatures derived, int begin, int end)
    {
        (Names, Texts, Shapes) = (names.Numbers, names.Texts, names.Shapes);
        _inputs = inputs;
        _groups = groups;
        _derived = derived;
        _begin = begin;
        var profile = new byte[end];
        foreach (var group in groups) group.Clear(ref MemoryMarshal.GetArrayDataReference(profile));
        _new = profile[begin..];
        _empty = new double[Width];
        Read(profile, 0, _empty);
    }

    /// <summary>The numbers' names in vector order; an rfm feature has four.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The texts, in order, with their places in the vector.</summary>
    public VectorTexts Texts { get; }

    /// <summary>What each feature of the config makes.</summary>
    public IReadOnlyList<FeatureShape> Shapes { get; }

    /// <summary>How many numbers the feature vector begins with.</summary>
    public int Count => Names.Count;

    /// <summary>Places of the whole feature vector: the numbers, then the texts.</summary>
    public int Width => Count + Texts.Texts.Count * KeptText.Places;

    /// <summary>
    /// Compiles the configured features and reserves their slots. Mistakes are added to <paramref name="errors"/>; the result must then not
    /// be used.
    /// </summary>
    /// <param name="options">The features in the order of the vector.</param>
    /// <param name="fields">The fields that <c>of</c> and <c>where</c> can use.</param>
    /// <param name="purposes">The purposes that <c>consent.NAME</c> can use.</param>
    /// <param name="time">How late events may be: sizes what sessions and distinct days keep.</param>
    /// <param name="layout">The profile's layout.</param>
    /// <param name="errors">Receives the mistakes.</param>
    public static FeatureSet Compile(
        IReadOnlyList<FeatureOptions> options,
        FieldCatalog fields,
        IReadOnlyList<string> purposes,
        TimeOptions time,
        StateLayout layout,
        ConfigErrors errors) =>
        new FeatureCompiler(fields, purposes, time, layout, errors).Compile(options);

    /// <summary>Makes a new, zero-filled profile that of a customer without events.</summary>
    public void Initialize(Span<byte> profile) => _new.CopyTo(profile[_begin..]);

    /// <summary>Takes an event in. The caller raises the profile's newest time afterwards.</summary>
    /// <param name="profile">The profile's bytes, initialized.</param>
    /// <param name="e">The event.</param>
    /// <param name="context">Points at the event.</param>
    public void Update(Span<byte> profile, Event e, EvalContext context)
    {
        Check(profile);
        Span<InputValue> inputs = stackalloc InputValue[_inputs.Count];
        ref var bytes = ref MemoryMarshal.GetReference(profile);
        e.Tie = e.IdHash;
        _inputs.Evaluate(0, e, context, inputs);
        foreach (var group in _groups) group.Update(ref bytes, e, inputs, 0);
        for (var part = 1; part <= _inputs.Lists.Length; part++) UpdateItems(ref bytes, e, context, inputs, part);
    }

    /// <summary>Takes the items of a list in, in their order: each as the event was, with its place to break ties.</summary>
    private void UpdateItems(ref byte profile, Event e, EvalContext context, Span<InputValue> inputs, int part)
    {
        var list = _inputs.Lists[part - 1];
        var (start, count) = (e.Fields[list.Field].Start, e.Fields[list.Field].Length);
        for (var i = 0; i < count; i++)
        {
            context.Item = start + i * list.Width;
            e.Tie = e.IdHash & ~(ulong)(FieldOptions.MostItems - 1) | (uint)i;
            _inputs.Evaluate(part, e, context, inputs);
            foreach (var group in _groups) group.Update(ref profile, e, inputs, part);
        }
    }

    /// <summary>Computes the feature vector.</summary>
    /// <param name="profile">The profile's bytes, initialized.</param>
    /// <param name="at">The time of evaluation, ms: never before the profile's newest event.</param>
    /// <param name="vector">Receives <see cref="Width"/> places: the numbers, then the texts.</param>
    public void Read(ReadOnlySpan<byte> profile, long at, Span<double> vector)
    {
        Check(profile);
        vector = vector[..Width];
        ref var bytes = ref MemoryMarshal.GetReference(profile);
        foreach (var group in _groups) group.Read(ref bytes, at, vector);
        _derived.Read(vector);
    }

    /// <summary>The feature vector of a customer of whom nothing is known.</summary>
    public void ReadEmpty(Span<double> vector) => _empty.CopyTo(vector);

    /// <summary>The offsets of the slots that a feature is read from; none for a derived one.</summary>
    /// <param name="feature">The feature's place in the config.</param>
    public IReadOnlyList<int> SlotsOf(int feature) =>
        [.. _groups.SelectMany(g => g.Slots()).Where(s => s.Feature == feature).SelectMany(s => s.Offsets).Distinct()];

    /// <summary>Takes slots over from a profile that was folded from the same events on its own.</summary>
    /// <param name="profile">Takes them; what else it keeps stands.</param>
    /// <param name="other">Gives them, a profile of this layout; changed.</param>
    /// <param name="slots">Their offsets.</param>
    internal void Take(Span<byte> profile, Span<byte> other, IReadOnlySet<int> slots)
    {
        Check(profile);
        Check(other);
        foreach (var group in _groups) group.Take(ref MemoryMarshal.GetReference(profile), ref MemoryMarshal.GetReference(other), slots);
    }

    private void Check(ReadOnlySpan<byte> profile)
    {
        if (profile.Length < _begin + _new.Length)
            throw new ArgumentException($"the profile has {profile.Length} bytes; its features need {_begin + _new.Length}",
                nameof(profile));
    }
}
