using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamEngine.Features;

/// <summary>Takes columns over from a profile that was folded from the same events on its own: a backfill.</summary>
internal sealed partial class WindowGroup
{
    /// <summary>The offsets of the slots that the group's features are read from, by the feature's place in the config.</summary>
    public IEnumerable<(int Feature, int[] Offsets)> Slots()
    {
        int[] state = _window.StateLength == 0 ? [] : [_state];
        foreach (var output in _outputs)
            yield return (output.Feature, [.. state, .. output.Columns.Select(c => c.Offset).Distinct()]);
        foreach (var text in _texts) yield return (text.Feature, [.. state, text.Column.Offset]);
    }

    /// <summary>
    /// Copies the named slots from another profile of this layout, and brings both onto one clock first: the rows of a window's columns
    /// mean what its clock (or its table of sessions) says, and the two profiles may have been folded with other columns beside them.
    /// </summary>
    /// <param name="profile">Takes the columns; its other columns stand.</param>
    /// <param name="other">Gives them; changed.</param>
    /// <param name="slots">Offsets of the slots to take.</param>
    public void Take(ref byte profile, ref byte other, IReadOnlySet<int> slots)
    {
        if (_window.StateLength > 0 && slots.Contains(_state))
        {
            // The window is new as a whole.
            Copy(ref profile, ref other, _state, _window.StateLength);
            foreach (var column in _columns) Copy(ref profile, ref other, column.Offset, Column.Width(column.Kind) * _window.Rows);
            return;
        }
        var taken = Array.FindAll(_columns, c => slots.Contains(c.Offset));
        if (taken.Length == 0) return;
        switch (_window.Kind)
        {
            case WindowKind.Session when !SameState(ref profile, ref other):
                TakeSessions(ref profile, ref other, taken);
                return;
            case WindowKind.Panes:
                OneClock(ref profile, ref other);
                break;
        }
        foreach (var column in taken) Copy(ref profile, ref other, column.Offset, Column.Width(column.Kind) * _window.Rows);
    }

    /// <summary>Turns the ring that is behind to the other's newest pane; panes have the same row in both.</summary>
    private void OneClock(ref byte profile, ref byte other)
    {
        ref var clock = ref ProfileBytes.At<PaneClock>(ref profile, _state);
        ref var others = ref ProfileBytes.At<PaneClock>(ref other, _state);
        var newest = Math.Max(clock.Newest, others.Newest);
        if (newest == long.MinValue) return;
        Panes.Turn(ref profile, ref clock, in _window, _columns, newest);
        Panes.Turn(ref other, ref others, in _window, _columns, newest);
    }

    /// <summary>
    /// The tables differ, as where the log no longer reaches back: each fragment takes the cells of those that it overlaps.
    /// </summary>
    private void TakeSessions(ref byte profile, ref byte other, Column[] taken)
    {
        for (var row = 0; row < _window.Rows; row++)
        {
            var fragment = Sessions.At(ref profile, _state, row);
            foreach (ref readonly var column in taken.AsSpan()) column.Clear(ref profile, row, 1);
            if (fragment.End == long.MinValue) continue;
            var found = -1;
            for (var i = 0; i < _window.Rows; i++)
            {
                var candidate = Sessions.At(ref other, _state, i);
                if (candidate.End == long.MinValue || candidate.Start > fragment.End || candidate.End < fragment.Start) continue;
                if (found < 0) found = i;
                else foreach (ref readonly var column in taken.AsSpan()) column.Merge(ref other, found, i);
            }
            if (found < 0) continue;
            foreach (ref readonly var column in taken.AsSpan())
            {
                var width = Column.Width(column.Kind);
                Bytes(ref other, column.Offset + found * width, width).CopyTo(Bytes(ref profile, column.Offset + row * width, width));
            }
        }
    }

    private bool SameState(ref byte profile, ref byte other) =>
        Bytes(ref profile, _state, _window.StateLength).SequenceEqual(Bytes(ref other, _state, _window.StateLength));

    private static void Copy(ref byte profile, ref byte other, int offset, int length) =>
        Bytes(ref other, offset, length).CopyTo(Bytes(ref profile, offset, length));

    private static Span<byte> Bytes(ref byte profile, int offset, int length) =>
        MemoryMarshal.CreateSpan(ref Unsafe.Add(ref profile, offset), length);
}
