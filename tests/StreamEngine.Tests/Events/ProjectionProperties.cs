using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Avro.Generic;
using StreamEngine.Events;
using StreamEngine.Events.Avro;
using StreamEngine.Tests.Events.Avro;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>The compiled projection against Apache's generic reader, on random schemas and values.</summary>
public sealed partial class ProjectionProperties
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AProjectionFindsWhatApachesReaderFinds(bool withReader)
    {
        var compared = 0;
        var folder = Directory.CreateTempSubdirectory("projection").FullName;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new RandomAvro(seed);
            var json = random.Schema();
            var schema = AvroSchema.Parse(json);
            var evolution = new EvolvedSchema(seed, all: true);
            var evolved = withReader ? evolution.Of(json) : null;
            if (evolved is not null) File.WriteAllText(Path.Combine(folder, "reader.avsc"), evolved);
            var reader = evolved is null ? schema : AvroSchema.Parse(evolved);
            var apache = evolved is null ? null : new ApacheAvro(json, evolution.WithOldNames(evolved));
            var paths = Paths(reader, "", 4).DistinctBy(p => p.Path).Take(12).ToList();
            if (paths.Count == 0) continue;
            var source = new EventSourceOptions
            {
                Name = "s",
                Schema = withReader ? Path.Combine(folder, "reader.avsc") : null,
                Topic = "t",
                Customer = "$key",
                Id = "hash(" + paths[0].Path + ")",
                Time = new TimeFieldOptions { Field = "$timestamp" },
                Fields = [.. paths.Select((p, i) => Decoding.Field($"v{i}", p.Type, p.Path))],
            };
            var decoding = new Decoding(source, new Schemas((1, schema)));
            for (var n = 0; n < 10; n++)
            {
                var value = random.Value(schema);
                var seen = apache is null ? value : apache.Value(RandomAvro.Encode(schema, value));
                byte[] bytes = [0, 0, 0, 0, 1, .. n % 2 == 0 ? RandomAvro.Encode(schema, value) : RandomAvro.EncodeInBlocks(schema, value)];
                Assert.Contains(decoding.Decode(bytes, "k"), new[] { RejectReason.None, RejectReason.MissingId });
                for (var i = 0; i < paths.Count; i++)
                {
                    string[] path = [.. paths[i].Path.Split('.').Select(evolution.OldName)];
                    Assert.Equal(Expected(seen, path), Actual(decoding[$"v{i}"], paths[i].Type));
                    compared++;
                }
                for (var cut = 5; cut < bytes.Length; cut += 1 + bytes.Length / 40)
                    Assert.Equal(RejectReason.Malformed, decoding.Decode(bytes.AsSpan(0, cut), "k"));
            }
        }
        Directory.Delete(folder, recursive: true);
        Assert.InRange(compared, 5_000, int.MaxValue);
    }

    /// <summary>
    /// The same bytes, framed with the one schema's id and with the other's: a decimal has the scale and a time the unit of its own.
    /// </summary>
    [Fact]
    public void SchemasThatDifferOnlyInLogicalTypesAreReadEachByItsOwn()
    {
        var compared = 0;
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new RandomAvro(seed);
            var (json, twinJson) = LogicalTwins(random.Schema(), seed);
            if (json == twinJson) continue;
            var (schema, twin) = (AvroSchema.Parse(json), AvroSchema.Parse(twinJson));
            Assert.Equal(schema.Fingerprint, twin.Fingerprint);
            Assert.NotEqual(schema.Identity, twin.Identity);
            var meant = Meant(schema, "", 4).DistinctBy(p => p.Path).Zip(Meant(twin, "", 4).DistinctBy(p => p.Path)).Take(12).ToList();
            if (meant.Count == 0) continue;
            var source = new EventSourceOptions
            {
                Name = "s",
                Topic = "t",
                Customer = "$key",
                Id = $"hash({meant[0].First.Path})",
                Time = new TimeFieldOptions { Field = "$timestamp" },
                Fields = [.. meant.Select((m, i) =>
                    Decoding.Field($"v{i}", m.First.Schema.Logical == AvroLogical.Decimal ? "double" : "timestamp", m.First.Path))],
            };
            // As a registry has them, and as the container files of one source do.
            foreach (var decoding in new[] { new Decoding(source, new Schemas((1, schema), (2, twin))),
                new Decoding(source.WithFileSchemas([new("a.avro", schema), new("b.avro", twin)])) })
                for (var n = 0; n < 6; n++)
                {
                    var value = random.Value(schema);
                    byte[] bytes = [0, 0, 0, 0, (byte)(1 + n % 2), .. RandomAvro.Encode(schema, value)];
                    Assert.Contains(decoding.Decode(bytes, "k"), new[] { RejectReason.None, RejectReason.MissingId });
                    for (var i = 0; i < meant.Count; i++)
                    {
                        var leaf = n % 2 == 0 ? meant[i].First.Schema : meant[i].Second.Schema;
                        var raw = Expected(value, meant[i].First.Path.Split('.'));
                        var expected = raw == "absent" ? raw : leaf.Logical switch
                        {
                            AvroLogical.Decimal => ((double)long.Parse(raw) / Math.Pow(10, leaf.Scale)).ToString("R"),
                            AvroLogical.TimestampMillis => raw,
                            _ => Math.Floor(decimal.Parse(raw) / 1_000).ToString(),
                        };
                        Assert.Equal(expected, Actual(decoding[$"v{i}"], leaf.Logical == AvroLogical.Decimal ? "double" : "timestamp"));
                        compared++;
                    }
                }
        }
        Assert.InRange(compared, 1_000, int.MaxValue);
    }

    /// <summary>The schema with all timestamps in milliseconds; and with them in microseconds and decimals of another scale.</summary>
    private static (string, string) LogicalTwins(string json, int seed)
    {
        var scale = 1 + seed % 6;
        json = json.Replace("timestamp-micros", "timestamp-millis", StringComparison.Ordinal);
        return (json, Scale().Replace(json, m => $"\"scale\":{(int.Parse(m.Groups[1].Value) + scale) % 8}")
            .Replace("timestamp-millis", "timestamp-micros", StringComparison.Ordinal));
    }

    [GeneratedRegex("\"scale\":([0-9])")]
    private static partial Regex Scale();

    /// <summary>Paths of decimals and timestamps.</summary>
    private static IEnumerable<(string Path, AvroSchema Schema)> Meant(AvroSchema s, string at, int depth)
    {
        if (depth < 0) return [];
        string Under(string name) => at.Length == 0 ? name : $"{at}.{name}";
        return s.Kind switch
        {
            AvroKind.Record => s.Fields.SelectMany(f => Meant(f.Schema, Under(f.Name), depth - 1)),
            AvroKind.Array => new[] { "0", "1" }.SelectMany(i => Meant(s.Element!, Under(i), depth - 1)),
            AvroKind.Map => Meant(s.Element!, Under("k0"), depth - 1),
            AvroKind.Union when s.Branches.Count == 2 => Meant(s.Branches[1], at, depth),
            _ when s.Logical is AvroLogical.Decimal or AvroLogical.TimestampMillis or AvroLogical.TimestampMicros => [(at, s)],
            _ => [],
        };
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
            AvroKind.Bytes or AvroKind.Fixed when s.Logical == AvroLogical.Decimal => [(at, $"decimal({s.Scale})")],
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
                GenericRecord r => Expected(r[path[0]], path[1..]),
                IDictionary<string, object?> map => map.TryGetValue(path[0], out var item) ? Expected(item, path[1..]) : "absent",
                object[] list => int.Parse(path[0]) < list.Length ? Expected(list[int.Parse(path[0])], path[1..]) : "absent",
                _ => "absent",
            };
        return value switch
        {
            null => "absent",
            bool b => b ? "1" : "0",
            byte[] unscaled => new BigInteger(unscaled, isBigEndian: true).ToString(),
            GenericFixed f => new BigInteger(f.Value, isBigEndian: true).ToString(),
            GenericEnum e => e.Value,
            float single => ((double)single).ToString("R"),
            double d => d.ToString("R"),
            _ => value.ToString()!,
        };
    }

    private static string Actual(FieldValue value, string type) =>
        !value.Present ? "absent" : type switch
        {
            "string" => Encoding.UTF8.GetString(value.Text),
            "double" =>
            value.Double.ToString("R"),
            _ => value.Bits.ToString()
        };
}
