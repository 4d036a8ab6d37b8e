using System.Text;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>The compiled projection against the generic reader, on random schemas and values.</summary>
public sealed class ProjectionProperties
{
    [Fact]
    public void AProjectionFindsWhatTheGenericReaderFinds()
    {
        var compared = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new RandomAvro(seed);
            var schema = AvroSchema.Parse(random.Schema());
            var paths = Paths(schema, "", 4).DistinctBy(p => p.Path).Take(12).ToList();
            if (paths.Count == 0) continue;
            var source = new EventSourceOptions
            {
                Name = "s",
                Topic = "t",
                Customer = "key",
                Id = "hash(" + paths[0].Path + ")",
                Time = new TimeFieldOptions { Field = "timestamp" },
                Fields = [.. paths.Select((p, i) => Decoding.Field($"v{i}", p.Type, p.Path))],
            };
            var decoding = new Decoding(source, new Schemas((1, schema)));
            for (var n = 0; n < 10; n++)
            {
                var value = random.Value(schema);
                byte[] bytes = [0, 0, 0, 0, 1, .. n % 2 == 0 ? RandomAvro.Encode(schema, value) : RandomAvro.EncodeInBlocks(schema, value)];
                Assert.Contains(decoding.Decode(bytes, "k"), new[] { RejectReason.None, RejectReason.MissingId });
                for (var i = 0; i < paths.Count; i++)
                {
                    Assert.Equal(Expected(value, paths[i].Path.Split('.')), Actual(decoding[$"v{i}"], paths[i].Type));
                    compared++;
                }
                for (var cut = 5; cut < bytes.Length; cut += 1 + bytes.Length / 40) Assert.Equal(RejectReason.Malformed, decoding.Decode(bytes.AsSpan(0, cut), "k"));
            }
        }
        Assert.InRange(compared, 5_000, int.MaxValue);
    }

    /// <summary>Paths of scalars: through records, nullable unions, arrays' first two items and one map key.</summary>
    private static IEnumerable<(string Path, string Type)> Paths(AvroSchema s, string at, int depth)
    {
        if (depth < 0) return [];
        string Under(string name) => at.Length == 0 ? name : $"{at}.{name}";
        return s.Kind switch
        {
            AvroKind.Record => s.Fields.SelectMany(f => Paths(f.Schema, Under(f.Name), depth - 1)),
            AvroKind.Array => new[] { "0", "1" }.SelectMany(i => Paths(s.Element!, Under(i), depth - 1)),
            AvroKind.Map => Paths(s.Element!, Under("k0"), depth - 1),
            AvroKind.Union when s.Branches.Count == 2 => Paths(s.Branches[1], at, depth),
            AvroKind.Int or AvroKind.Long => [(at, "int")],
            AvroKind.Float or AvroKind.Double => [(at, "double")],
            AvroKind.Boolean => [(at, "bool")],
            AvroKind.String or AvroKind.Enum => [(at, "string")],
            _ => [],
        };
    }

    private static string Expected(object? value, ReadOnlySpan<string> path)
    {
        if (path.Length > 0)
            return value switch
            {
                AvroRecord r => Expected(r[path[0]], path[1..]),
                IReadOnlyDictionary<string, object?> map => map.TryGetValue(path[0], out var item) ? Expected(item, path[1..]) : "absent",
                IReadOnlyList<object?> list => int.Parse(path[0]) < list.Count ? Expected(list[int.Parse(path[0])], path[1..]) : "absent",
                _ => "absent",
            };
        return value switch
        {
            null => "absent",
            bool b => b ? "1" : "0",
            float f => ((double)f).ToString("R"),
            double d => d.ToString("R"),
            _ => value.ToString()!,
        };
    }

    private static string Actual(FieldValue value, string type) =>
        !value.Present ? "absent" : type switch { "string" => Encoding.UTF8.GetString(value.Text), "double" => value.Double.ToString("R"), _ => value.Bits.ToString() };
}
