using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>What one step of a projection does at the cursor.</summary>
internal enum Op : byte
{
    /// <summary>The (sub)program is over.</summary>
    End,

    /// <summary>Steps over A numbers.</summary>
    SkipNumbers,

    /// <summary>Steps over A texts.</summary>
    SkipTexts,

    /// <summary>Steps over A bytes.</summary>
    SkipBytes,

    /// <summary>Steps over a value by its skipper.</summary>
    Skip,

    /// <summary>Reads a union's branch and goes on at its place in a table.</summary>
    Union,

    /// <summary>Goes on at A.</summary>
    Jump,

    /// <summary>Keeps the cursor, so that a value can be read again as something else.</summary>
    Mark,

    /// <summary>Puts the cursor back.</summary>
    Rewind,

    /// <summary>Slot A takes a text as a slice.</summary>
    Text,

    /// <summary>Slot A takes an enum's symbol.</summary>
    Enum,

    /// <summary>Slot A takes a long.</summary>
    Long,

    /// <summary>Slot A takes a long that is milliseconds.</summary>
    Millis,

    /// <summary>Slot A takes a double.</summary>
    Double,

    /// <summary>A target takes a scalar by conversion.</summary>
    Convert,

    /// <summary>The event takes consents.</summary>
    Consent,

    /// <summary>The event takes the yes or no to a purpose.</summary>
    Flag,

    /// <summary>Runs subprograms for single items of an array.</summary>
    Items,

    /// <summary>Runs one subprogram for each item of an array: a list.</summary>
    List,

    /// <summary>Runs subprograms for single entries of a map.</summary>
    Entries,

    /// <summary>Runs the subprogram at A over a constant: a default of the reader's schema.</summary>
    Default,

    /// <summary>The value here can't be what was declared.</summary>
    Fault,
}

/// <summary>One step: its numbers and its object.</summary>
internal readonly record struct Step(Op Op, int A = 0, object? Data = null);

/// <summary>Which scalar to read, and what to make of it.</summary>
internal sealed record ScalarSource(Target Target, AvroKind Kind, AvroLogical Logical, int Scale, int Size);

/// <summary>Where an enum's symbols go: shared arrays by index, null where the reader does not know the symbol.</summary>
internal sealed record EnumSource(byte[]?[] Symbols);

/// <summary>Which items of an array are wanted, and the subprograms that read them.</summary>
internal sealed record ItemSource(int[] Indexes, int[] Programs, AvroSkipper Skipper);

/// <summary>Which list takes an array's items, and the subprogram that reads each.</summary>
/// <param name="List">The list.</param>
/// <param name="Path">Its path.</param>
/// <param name="Program">The subprogram.</param>
/// <param name="Null">The union's branch that is null, -1 where no item can be.</param>
/// <param name="Skipper">Passes over an item.</param>
internal sealed record ListSource(ListTarget List, string Path, int Program, int Null, AvroSkipper Skipper);

/// <summary>Which entries of a map are wanted, and the subprograms that read them.</summary>
internal sealed record EntrySource(byte[][] Keys, int[] Programs, AvroSkipper Skipper);

/// <summary>How consents are written.</summary>
internal enum ConsentKind : byte
{
    /// <summary>One text with a list.</summary>
    Text,

    /// <summary>An array of texts.</summary>
    Texts,

    /// <summary>An array of enum symbols.</summary>
    Symbols,

    /// <summary>A map of purpose to boolean.</summary>
    Flags,
}

/// <summary>A field that says yes or no to some purposes: their bits, how it is written, and for an enum which symbols say yes.</summary>
internal sealed record FlagSource(ulong Purposes, AvroKind Kind, bool[] Symbols);

/// <summary>How consents are written; for symbols, each one's bit.</summary>
internal sealed record ConsentSource(ConsentKind Kind, ulong[] Bits);
