using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Expressions;
using StreamEngine.Features;
using StreamEngine.State;
using Xunit;

namespace StreamEngine.Tests.Features;

/// <summary>
/// An event of the feature tests: price is decimal(2) in cents, value a double, quantity an int, category a text; each may be absent.
/// </summary>
public sealed record ShopEvent(long Time, ulong Id, string Type, long? Price = null, double? Value = null, long? Quantity = null,
    string? Category = null);

/// <summary>Compiled features with one profile, used as the pipeline uses them.</summary>
internal sealed class FeatureHarness
{
    public static readonly FieldCatalog Catalog = new([
        new(0, "price", FieldType.Decimal, 2),
        new(1, "value", FieldType.Double),
        new(2, "quantity", FieldType.Int),
        new(3, "category", FieldType.String),
    ]);

    private readonly EvalContext _context = new();
    private readonly Event _event = new(Catalog);
    private readonly byte[] _profile;
    private readonly Dictionary<string, byte[]> _types = [];

    public FeatureHarness(IReadOnlyList<FeatureOptions> options, TimeOptions? time = null)
    {
        Layout = new StateLayout();
        Layout.Reserve("something else", 24, "");
        var errors = new ConfigErrors();
        Set = FeatureSet.Compile(options, Catalog, ["ads"], time ?? new TimeOptions(), Layout, errors);
        Assert.True(!errors.Any, string.Join("\n", errors.All));
        Layout.Reserve("something behind", 8, "");
        _profile = new byte[Layout.FixedLength];
        Reset();
    }

    public FeatureSet Set { get; }

    public StateLayout Layout { get; }

    public ReadOnlySpan<byte> Profile => _profile;

    public long Newest => StateLayout.NewestTime(_profile);

    public void Reset()
    {
        Array.Clear(_profile);
        StateLayout.NewestTime(_profile) = long.MinValue;
        Set.Initialize(_profile);
    }

    public FeatureHarness Apply(params IEnumerable<ShopEvent> events)
    {
        foreach (var e in events) Apply(Decode(e));
        return this;
    }

    public void Apply(Event e)
    {
        _context.Use(e);
        Set.Update(_profile, e, _context);
        StateLayout.NewestTime(_profile) = Math.Max(StateLayout.NewestTime(_profile), e.Time);
    }

    /// <summary>Fills the harness's one event.</summary>
    public Event Decode(ShopEvent e)
    {
        _event.Clear();
        _event.Time = e.Time;
        _event.IdHash = e.Id;
        if (!_types.TryGetValue(e.Type, out var type)) _types[e.Type] = type = Encoding.UTF8.GetBytes(e.Type);
        _event.Type.Set(type, 0, type.Length);
        if (e.Price is { } price) _event.Fields[0].Set(price);
        if (e.Value is { } value) _event.Fields[1].Set(value);
        if (e.Quantity is { } quantity) _event.Fields[2].Set(quantity);
        if (e.Category is { } category)
        {
            var bytes = Encoding.UTF8.GetBytes(category);
            _event.Fields[3].Set(bytes, 0, bytes.Length);
        }
        return _event;
    }

    public void Read(long at, Span<double> vector) => Set.Read(_profile, at, vector);

    public double[] Read(long at)
    {
        var vector = Vector(at);
        return vector[..Set.Count];
    }

    public double[] Read() => Read(Newest);

    public double[] Empty()
    {
        var vector = new double[Set.Width];
        Set.ReadEmpty(vector);
        return vector[..Set.Count];
    }

    /// <summary>The whole vector, texts included.</summary>
    public double[] Vector(long at)
    {
        var vector = new double[Set.Width];
        Read(at, vector);
        return vector;
    }

    /// <summary>The texts at a time, in their order.</summary>
    public string[] Texts(long at) => [.. Set.Texts.Of(Vector(at)).Select(t => t.Value)];

    /// <summary>The only feature, over the events, at the newest event's time.</summary>
    public static double One(FeatureOptions feature, params IEnumerable<ShopEvent> events) =>
        Assert.Single(new FeatureHarness([feature]).Apply(events).Read());
}
