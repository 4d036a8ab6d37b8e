using System.Text;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// One shared array per symbol text over all sources and schema versions. Asked when a schema is compiled, not per event.
/// </summary>
internal sealed class SymbolTable
{
    private readonly Dictionary<string, byte[]> _symbols = [];
    private readonly Lock _lock = new();

    /// <summary>The shared array of a symbol.</summary>
    public byte[] Of(string symbol)
    {
        lock (_lock)
        {
            if (!_symbols.TryGetValue(symbol, out var bytes)) _symbols[symbol] = bytes = Encoding.UTF8.GetBytes(symbol);
            return bytes;
        }
    }
}
