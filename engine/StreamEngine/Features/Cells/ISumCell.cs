namespace StreamEngine.Features;

/// <summary>A cell that is a sum, so that other cells can be made of several of it.</summary>
internal interface ISumCell<TCell> : ICell<TCell> where TCell : unmanaged, ISumCell<TCell>
{
    /// <summary>The sum, in units of the operand's scale; 0 over no events.</summary>
    static abstract double Sum(in TCell cell);
}
