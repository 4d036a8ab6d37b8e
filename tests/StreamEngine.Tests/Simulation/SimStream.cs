using System.Globalization;
using System.Text;
using StreamEngine.Connectors;
using StreamEngine.Testing;

namespace StreamEngine.Tests.Simulation;

/// <summary>One record of the recorded stream.</summary>
internal sealed record SimInput(TopicPartition Partition, byte[] Key, byte[] Value, long Time);

/// <summary>A recorded stream: a few customers for a few minutes, with all that can go wrong.</summary>
internal static class SimStream
{
    private static readonly string[] Topics = ["shop", "mail"];

    /// <summary>Makes a stream.</summary>
    /// <param name="random">Decides everything.</param>
    /// <param name="sources">Source topics.</param>
    /// <param name="partitions">Partitions of each.</param>
    /// <param name="clock">The clock at the start, behind the stream: some events are too far ahead even of that.</param>
    public static List<SimInput> Make(Random random, int sources, int partitions, long clock)
    {
        var inputs = new List<SimInput>();
        var count = random.Next(40, 110);
        var customers = random.Next(3, 8);
        var time = Scenario.Start;
        for (var i = 0; i < count; i++)
        {
            time += random.Next(25) == 0 ? random.Next(15_000, 40_000) : random.Next(0, 1_500);
            if (inputs.Count > 5 && random.Next(15) == 0)
            {
                // Sent again, to the same partition of whichever source.
                var before = inputs[^random.Next(1, 6)];
                inputs.Add(before with { Partition = before.Partition with { Topic = Topics[random.Next(sources)] } });
                continue;
            }
            var customer = $"c{random.Next(customers)}";
            var key = Encoding.UTF8.GetBytes(customer);
            var at = random.Next(10) == 0 ? time - random.Next(0, 20_000) : i > count / 2 && random.Next(40) == 0
                ? clock + (long)SimEngines.MaxFuture.TotalMilliseconds + random.Next(-1_000, 20_000) : time;
            inputs.Add(new SimInput(new TopicPartition(Topics[random.Next(sources)], Murmur2.Partition(key, partitions)), key,
                Encoding.UTF8.GetBytes(Json(random, $"e{i}", customer, at)), at));
        }
        return inputs;
    }

    private static string Json(Random random, string id, string customer, long at)
    {
        if (random.Next(50) == 0) return "{\"id\":";
        var roll = random.Next(100);
        var type = roll < 60 ? "page_view" : roll < 80 ? "cart_add" : roll < 90 ? "purchase" : "search";
        var value = type is "purchase" or "cart_add" ? random.Next(100, 9_000) / 100.0 : 0;
        var placement = type == "page_view" && random.Next(3) > 0 ? random.Next(2) == 0 ? "home" : "product" : "";
        var consent = random.Next(15) == 0 ? "" : "\"personalization\"";
        return string.Create(CultureInfo.InvariantCulture, $$"""{"id":"{{id}}","customer":"{{customer}}","type":"{{type}}","time":{{at}},"value":{{value}},"placement":"{{placement}}","consent":[{{consent}}]}""");
    }
}
