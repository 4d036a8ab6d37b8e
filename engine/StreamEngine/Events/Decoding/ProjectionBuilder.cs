using StreamEngine.Configuration;
using StreamEngine.Events.Avro;

namespace StreamEngine.Events.Decoding;

/// <summary>
/// Compiles a writer's schema, the reader's schema (if any) and the declared paths into a flat program of steps: runs of unwanted values
/// become one skip, records vanish, and only wanted values are read. What can't work is collected in <see cref="Problems"/>.
/// </summary>
internal sealed class ProjectionBuilder
{
    private readonly List<Step> _steps = [];
    private readonly HashSet<PathNode> _found = [];
    private readonly Dictionary<PathNode, string> _missing = [];
    private readonly Purposes _purposes;
    private readonly SymbolTable _symbols;
    private string? _unresolved;

    private ProjectionBuilder(Purposes purposes, SymbolTable symbols)
    {
        _purposes = purposes;
        _symbols = symbols;
    }

    /// <summary>Paths that the schema does not have or that can't become the declared type, with the reason.</summary>
    public List<(string Path, string Message)> Problems { get; } = [];

    /// <summary>Compiles a program; <paramref name="problems"/> takes what can't work.</summary>
    public static ProjectionProgram Build(AvroSchema writer, AvroSchema? reader, EventShape shape,
        List<(string Path, string Message)>? problems = null)
    {
        var builder = new ProjectionBuilder(shape.Purposes, shape.Symbols);
        builder.Emit(writer, reader, shape.Root);
        builder.Add(Op.End);
        builder.ReportMissing(shape.Root);
        problems?.AddRange(builder.Problems);
        return new ProjectionProgram([.. builder._steps], shape.Purposes, builder._unresolved);
    }

    private void Emit(AvroSchema w, AvroSchema? r, PathNode node)
    {
        if (w.Kind == AvroKind.Union)
        {
            EmitUnion(w, r, node);
            return;
        }
        var wanted = r;
        if (wanted is not null && (r = AvroResolution.Branch(w, wanted)) is null)
        {
            Add(Op.Fault, (int)Faults.WrongType, node.Path);
            EmitSkip(w);
            return;
        }
        if (w.Kind == AvroKind.Null) return;
        var passes = Passes(w, r, node);
        for (var i = 0; i < passes.Count; i++)
        {
            if (passes.Count > 1) Add(i == 0 ? Op.Mark : Op.Rewind);
            passes[i]();
        }
        if (passes.Count == 0) EmitSkip(w);
    }

    /// <summary>What must be read of the value: most often one thing; the value is gone over again for each further one.</summary>
    private List<Action> Passes(AvroSchema w, AvroSchema? r, PathNode node)
    {
        var passes = new List<Action>();
        if (node.IsRead) _found.Add(node);
        foreach (var target in node.Targets)
        {
            if (ScalarSteps.For(w, r, target, _symbols) is { } step) passes.Add(() => Add(step));
            else
            {
                Problems.Add((node.Path, $"is {w} in the schema, which can't become "
                    + $"{(target.Natural ? "part of a hash" : target.Type.ToString().ToLowerInvariant())}"));
                passes.Add(() => FaultAndSkip(w, node.Path));
            }
        }
        if (node.Consent)
        {
            if (ScalarSteps.Consent(w, _purposes) is { } step) passes.Add(() => Add(step));
            else
            {
                Problems.Add((node.Path, $"is {w} in the schema; consent is an array of strings or enum symbols, a map of booleans, or a "
                    + "text with a list"));
                passes.Add(() => FaultAndSkip(w, node.Path));
            }
        }
        if (node.Flags != 0)
        {
            if (ScalarSteps.Flag(w, node.Flags) is { } step) passes.Add(() => Add(step));
            else
            {
                Problems.Add((node.Path, $"is {w} in the schema; the consent to one purpose is a boolean, a text, a number or an enum"));
                passes.Add(() => FaultAndSkip(w, node.Path));
            }
        }
        if (node.List is { } list)
        {
            if (w.Kind == AvroKind.Array) passes.Add(() => EmitList(w, r, node, list));
            else
            {
                Problems.Add((node.Path, $"is {w} in the schema, which can't become a list"));
                passes.Add(() => FaultAndSkip(w, node.Path));
            }
        }
        if (node.Children.Count == 0) return passes;
        if (w.Kind == AvroKind.Record) passes.Add(() => EmitRecord(w, r, node));
        else if (w.Kind == AvroKind.Array) passes.Add(() => EmitItems(w, r, node));
        else if (w.Kind == AvroKind.Map) passes.Add(() => EmitEntries(w, r, node));
        else
        {
            foreach (var child in node.Children) Missing(child, $"steps into '{node.Path}', which is {w}");
            passes.Add(() => FaultAndSkip(w, node.Path));
        }
        return passes;
    }

    private void FaultAndSkip(AvroSchema w, string path)
    {
        Add(Op.Fault, (int)Faults.WrongType, path);
        EmitSkip(w);
    }

    private void EmitUnion(AvroSchema w, AvroSchema? r, PathNode node)
    {
        var table = new int[w.Branches.Count];
        var exits = new List<int>();
        Add(Op.Union, 0, table);
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = Here();
            Emit(w.Branches[i], r, node);
            exits.Add(_steps.Count);
            Add(Op.Jump);
        }
        foreach (var exit in exits) _steps[exit] = new Step(Op.Jump, Here());
    }

    private void EmitRecord(AvroSchema w, AvroSchema? r, PathNode node)
    {
        var reached = new HashSet<PathNode>();
        foreach (var field in w.Fields)
        {
            var to = r is null ? null : AvroResolution.ReaderField(r, w, field);
            var name = r is null ? field.Name : to?.Name;
            var child = name is null ? null : node.Child(name);
            if (child is null) EmitSkip(field.Schema);
            else
            {
                reached.Add(child);
                Emit(field.Schema, to?.Schema, child);
            }
        }
        foreach (var child in node.Children)
        {
            if (reached.Contains(child)) continue;
            if (r?.Field(child.Name) is not { } absent)
                Missing(child, $"is not in the schema{KnownNames.DidYouMean(child.Name, (r ?? w).Fields.Select(f => f.Name))}");
            else if (absent.HasDefault) EmitDefault(absent, child);
            else _unresolved ??= $"the writer's schema has no field '{child.Path}', and the reader's has no default for it";
        }
    }

    /// <summary>A reader's default is encoded once, and read by the same steps as if the writer had sent it.</summary>
    private void EmitDefault(AvroField field, PathNode node)
    {
        var (over, body) = BeginSub();
        Emit(field.Schema, null, node);
        EndSub(over);
        Add(Op.Default, body, field.Default);
    }

    private void EmitItems(AvroSchema w, AvroSchema? r, PathNode node)
    {
        var wanted = node.Children.Where(c => c.Index >= 0).ToList();
        foreach (var child in node.Children.Except(wanted))
            Missing(child, $"steps into the array '{node.Path}' by name; an item is taken by its number, from 0");
        var programs = wanted.ConvertAll(child => EmitSub(w, r, child));
        Add(Op.Items, 0, new ItemSource([.. wanted.Select(c => c.Index)], [.. programs], AvroSkipper.Of(w.Element!)));
    }

    private void EmitList(AvroSchema w, AvroSchema? r, PathNode node, ListTarget list)
    {
        var element = w.Element!;
        var nothing = element.Kind == AvroKind.Union ? element.Branches.ToList().FindIndex(b => b.Kind == AvroKind.Null) : -1;
        Add(Op.List, 0, new ListSource(list, node.Path, EmitSub(w, r, list.Item), nothing, AvroSkipper.Of(element)));
    }

    private void EmitEntries(AvroSchema w, AvroSchema? r, PathNode node)
    {
        var programs = node.Children.ConvertAll(child => EmitSub(w, r, child));
        Add(Op.Entries, 0, new EntrySource([.. node.Children.Select(c => c.Utf8)], [.. programs], AvroSkipper.Of(w.Element!)));
    }

    private int EmitSub(AvroSchema w, AvroSchema? r, PathNode child)
    {
        var (over, body) = BeginSub();
        Emit(w.Element!, r?.Element, child);
        EndSub(over);
        return body;
    }

    private (int Over, int Body) BeginSub()
    {
        Add(Op.Jump);
        return (_steps.Count - 1, Here());
    }

    private void EndSub(int over)
    {
        Add(Op.End);
        _steps[over] = new Step(Op.Jump, Here());
    }

    private void EmitSkip(AvroSchema w)
    {
        switch (w.Kind)
        {
            case AvroKind.Null: return;
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum: Merge(Op.SkipNumbers, 1); return;
            case AvroKind.Bytes or AvroKind.String: Merge(Op.SkipTexts, 1); return;
        }
        var skipper = AvroSkipper.Of(w);
        if (skipper.FixedSize >= 0) Merge(Op.SkipBytes, skipper.FixedSize);
        else Add(Op.Skip, 0, skipper);
    }

    /// <summary>
    /// Lengthens the step before, where it does the same. (Nothing jumps to between: what is jumped to stands behind a Jump, a Union or an
    /// End.)
    /// </summary>
    private void Merge(Op op, int n)
    {
        if (_steps.Count > 0 && _steps[^1].Op == op && (long)_steps[^1].A + n <= int.MaxValue) _steps[^1] = new Step(op, _steps[^1].A + n);
        else Add(op, n);
    }

    private void Add(Op op, int a = 0, object? data = null) => Add(new Step(op, a, data));

    private void Add(Step step) => _steps.Add(step);

    /// <summary>The next step's place, as a target of jumps.</summary>
    private int Here() => _steps.Count;

    private void Missing(PathNode node, string message)
    {
        _missing.TryAdd(node, message);
        foreach (var child in node.Children) Missing(child, message);
    }

    /// <summary>A path counts as missing only where no branch of a union has it.</summary>
    private void ReportMissing(PathNode node)
    {
        if (node.IsRead && !_found.Contains(node) && _missing.TryGetValue(node, out var message))
            Problems.Add((node.Path, message));
        if (node.List is { } list) ReportMissing(list.Item);
        foreach (var child in node.Children) ReportMissing(child);
    }
}
