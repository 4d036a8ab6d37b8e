using System.Text;
using StreamEngine.Connectors;

namespace StreamEngine.SystemTests.Shop;

/// <summary>One record to write.</summary>
internal readonly record struct InputRecord(byte[] Key, byte[] Value, long Timestamp);

/// <summary>What an input is like.</summary>
/// <param name="Seed">Equal seeds give equal records.</param>
/// <param name="Events">How many records.</param>
/// <param name="Customers">How many customers.</param>
/// <param name="Partitions">Partitions of the topic, for events at the very edge of the lateness.</param>
/// <param name="Plain">Whether to write orderly events only, as the measured job defines them.</param>
internal sealed record InputSpec(int Seed, int Events, int Customers, int Partitions, bool Plain = false);

/// <summary>
/// Shoppers who come, look around for about a dozen events, and leave; with repeats, late events inside and beyond the lateness and at its
/// edge, events of the future and of long ago, missing consent, and records that are no events. Sessions end and carts are left, so that
/// timers fire.
/// </summary>
internal static class ShopInput
{
    private const long Start = 1_767_225_600_000, Minute = 60_000, Lateness = 10 * Minute;
    private static readonly string[] Placements = ["home", "product", "cart", "search"];
    private static readonly string[][] Consents = [["personalization", "analytics"], ["analytics"], ["personalization"], []];

    /// <summary>The records in order.</summary>
    public static IEnumerable<InputRecord> Make(InputSpec spec)
    {
        var random = new Random(spec.Seed);
        var shopping = new int[Math.Min(40, spec.Customers)];
        for (var i = 0; i < shopping.Length; i++) shopping[i] = Draw(random, spec.Customers);
        var newest = Enumerable.Repeat(long.MinValue, spec.Partitions).ToArray();
        var recent = new InputRecord[400];
        var time = Start;
        for (var n = 0; n < spec.Events; n++)
        {
            time += random.Next(9_000);
            var slot = random.Next(shopping.Length);
            var customer = $"c{shopping[slot]:D6}";
            if (random.Next(12) == 0) shopping[slot] = Draw(random, spec.Customers);
            var e = Event(random, spec, n, customer, time);
            var record = spec.Plain ? Record(e) : Trouble(random, e, newest, recent, n, spec.Partitions);
            recent[n % recent.Length] = record;
            yield return record;
        }
    }

    private static ShopEvent Event(Random random, InputSpec spec, int n, string customer, long time)
    {
        var roll = random.Next(100);
        var type = roll < 62 ? "page_view" : roll < 70 ? "search" : roll < 82 ? "cart_add" : roll < 85 ? "cart_remove" : roll < 90
            ? "purchase" : "email_open";
        var price = type is "cart_add" or "cart_remove" or "purchase" ? (500 + random.Next(20_000)) / 100.0 : 0;
        var placement = type == "page_view" && random.Next(4) == 0 ? Placements[random.Next(Placements.Length)] : "";
        var consent = spec.Plain || random.Next(100) < 96 ? Consents[0] : Consents[random.Next(1, Consents.Length)];
        return new ShopEvent($"e{spec.Seed:x}-{n:x8}", customer, type, time, placement, price, consent);
    }

    /// <summary>Makes some records harder; the rest is as it is.</summary>
    private static InputRecord Trouble(Random random, ShopEvent e, long[] newest, InputRecord[] recent, int n, int partitions)
    {
        var roll = random.Next(1_000);
        var partition = Murmur2.Partition(Encoding.UTF8.GetBytes(e.Customer), partitions);
        if (roll < 40 && n > 0) return recent[random.Next(Math.Min(n, roll < 30 ? 20 : recent.Length))];
        if (roll < 90) e = e with { Time = e.Time - random.Next(1, 9 * 60_000) };
        else if (roll < 100) e = e with { Time = e.Time - random.Next(11 * 60_000, 180 * 60_000) };
        else if (roll < 103 && newest[partition] > Start + Lateness) e = e with { Time = newest[partition] - Lateness - random.Next(2) };
        else if (roll < 105) return Record(e with { Time = e.Time + 365L * 86_400_000 * 60 }, timestamp: e.Time);
        else if (roll < 106) return Record(e with { Time = 1_000_000_000_000 + n }, timestamp: e.Time);
        else if (roll < 112) return Broken(random, e);
        newest[partition] = Math.Max(newest[partition], e.Time);
        return Record(e);
    }

    private static InputRecord Broken(Random random, ShopEvent e)
    {
        var value = e.Encode();
        byte[] broken = random.Next(6) switch
        {
            0 => value[..random.Next(5, value.Length)],
            1 => [.. value, 0],
            2 => e.Encode(schemaId: 77),
            3 => [0, 0],
            4 => Encoding.UTF8.GetBytes("{\"event_id\": \"no Avro\"}"),
            _ => (e with { Customer = "" }).Encode(),
        };
        return new InputRecord(Encoding.UTF8.GetBytes(e.Customer), broken, e.Time);
    }

    private static InputRecord Record(ShopEvent e, long? timestamp = null) =>
        new(Encoding.UTF8.GetBytes(e.Customer), e.Encode(), timestamp ?? e.Time);

    /// <summary>Half of the draws go to the first tenth of the customers.</summary>
    private static int Draw(Random random, int customers) => random.Next(2) == 0 ? random.Next(Math.Max(1, customers / 10))
        : random.Next(customers);
}
