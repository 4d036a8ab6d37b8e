using System.Text;
using StreamEngine.Configuration;
using StreamEngine.Connectors.SchemaRegistry;
using StreamEngine.Events;
using StreamEngine.Events.Registry;
using StreamEngine.Testing;
using StreamEngine.Tests.Configuration;
using Xunit;

namespace StreamEngine.Tests.Events;

/// <summary>Registries as the config opens them: a folder, and one behind a URL.</summary>
public sealed class SchemaRegistryTests
{
    [Fact]
    public void TheCheckoutsFolderHasTheShopEvent()
    {
        var registry = new FolderSchemaRegistry(Repository.Path("schemas"));
        Assert.Equal("streamengine.events.ShopEvent", registry.ById(1)!.FullName);
        Assert.Same(registry.ById(1), registry.ByFingerprint(registry.ById(1)!.Fingerprint));
        Assert.Equal(1, registry.Latest("events-value")!.Id);
        Assert.Null(registry.ById(999));
        Assert.Null(registry.Latest("none"));
    }

    [Fact]
    public void FilesWithoutAnEntryTellByTheirNames()
    {
        var folder = Directory.CreateTempSubdirectory("schemas").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "7.avsc"), "\"int\"");
            File.WriteAllText(Path.Combine(folder, "orders-value-v2.avsc"), "\"long\"");
            File.WriteAllText(Path.Combine(folder, "orders-value-v10.avsc"), "\"string\"");
            var registry = new FolderSchemaRegistry(folder);
            Assert.Equal("int", registry.ById(7)!.FullName);
            Assert.Equal((10, "string"), (registry.Latest("orders-value")!.Version, registry.Latest("orders-value")!.Schema.FullName));
            File.WriteAllText(Path.Combine(folder, "8.avsc"), "\"strng\"");
            var errors = new ConfigErrors();
            SchemaRegistry.Open(new SchemaOptions { Registry = "." }, folder, new RegistryAccess(), TimeProvider.System, errors);
            Assert.Contains("8.avsc: line 1: unknown type 'strng' (did you mean 'string')", Assert.Single(errors.All).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void SchemasThatDifferInTheirMeaningAloneAreNotTakenForOneAnother()
    {
        var folder = Directory.CreateTempSubdirectory("schemas").FullName;
        try
        {
            string Money(int scale) =>
                $$$"""{"type":"record","name":"M","fields":[{"name":"id","type":"string"},{"name":"value","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":{{{scale}}}}}]}""";
            File.WriteAllText(Path.Combine(folder, "1.avsc"), Money(2));
            File.WriteAllText(Path.Combine(folder, "2.avsc"), Money(4));
            var registry = new FolderSchemaRegistry(folder);
            var source = new EventSourceOptions
            {
                Name = "m",
                Topic = "m",
                Id = "id",
                Customer = "id",
                Time = new TimeFieldOptions { Field = "$timestamp" },
                Fields = [Decoding.Field("value", "decimal(2)")],
            };
            var decoding = new Decoding(source, registry);
            byte[] value = [2, 65, 4, 3, 232];
            Assert.Equal(RejectReason.None, decoding.Decode([0, 0, 0, 0, 1, .. value]));
            Assert.Equal(1000, decoding["value"].Bits);
            Assert.Equal(RejectReason.None, decoding.Decode([0, 0, 0, 0, 2, .. value]));
            Assert.Equal(10, decoding["value"].Bits);
            // The fingerprint is that of both.
            byte[] single = [0xc3, 1, .. BitConverter.GetBytes(registry.ById(1)!.Fingerprint), .. value];
            for (var i = 0; i < 2; i++) Assert.Equal(RejectReason.UnknownSchema, decoding.Decode(single));
            Assert.Contains("can't be told apart", Assert.Single(decoding.Problems), StringComparison.Ordinal);

            File.WriteAllText(Path.Combine(folder, "index.json"),
                """{"schemas":[{"id":1,"file":"1.avsc"},{"id":1,"file":"2.avsc"}]}""");
            Assert.Contains("has another schema", Assert.Throws<SchemaRegistryException>(() => new FolderSchemaRegistry(folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task AConfigsUrlOpensARegistryAndRecordsAreReadWithItsSchemas()
    {
        await using var server = await RegistryServer.RunAsync();
        server.Add(70001, File.ReadAllText(Repository.Path("schemas", "shop-event.avsc")), "events-value", 4);
        var errors = new ConfigErrors();
        var access = new RegistryAccess { Connect = ConfluentSchemas.Connect };
        var registry = SchemaRegistry.Open(new SchemaOptions { Registry = server.Url, Credentials = "ann:secret" }, "", access,
            TimeProvider.System, errors);
        Assert.Empty(errors.All);
        using var cached = Assert.IsType<CachedSchemaRegistry>(registry);
        var decoding = new Decoding(ShopEvents.Source, registry, "analytics", "personalization");
        byte[] record = [0, 0, 1, 0x11, 0x71, .. ShopEvents.Encode().AsSpan(5)];
        Answered(70_001);
        Assert.Equal(RejectReason.None, decoding.Decode(record));
        Assert.Equal("customer-000017", Encoding.UTF8.GetString(decoding.Event.Customer.Text));
        Assert.Equal("Basic " + Convert.ToBase64String("ann:secret"u8), server.Authorization);
        var asked = server.Requests.Count;
        Assert.Equal(RejectReason.None, decoding.Decode(record));
        Assert.Equal(asked, server.Requests.Count);
        record[4]++;
        Answered(70_002);
        Assert.Equal(RejectReason.UnknownSchema, decoding.Decode(record));
        Assert.Throws<ConfigException>(() => new Decoding(ShopEvents.Source with { Id = "evnt_id" }, registry, "personalization"));

        SchemaRegistry.Open(new SchemaOptions { Registry = "http://:x" }, "", access, TimeProvider.System, errors);
        Assert.Contains("is no address", Assert.Single(errors.All).Message, StringComparison.Ordinal);

        // A record comes again where no answer came within a second, as on a busy machine.
        void Answered(int id) => Assert.True(SpinWait.SpinUntil(() =>
        {
            try
            {
                cached.ById(id);
                return true;
            }
            catch (SchemaRegistryException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(60)));
    }
}
