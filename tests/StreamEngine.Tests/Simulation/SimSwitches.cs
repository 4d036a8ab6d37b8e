using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Tests.Simulation;

/// <summary>
/// Somebody switches things off and on while the processes live, die and stand still. Each process hears of it when a seed says so: late, a
/// few records at once, or the newest first, as by a way that is faster than the topic.
/// </summary>
/// <param name="driver">Drives the processes.</param>
/// <param name="random">Makes the choices; null where a seed switches nothing.</param>
internal sealed class SimSwitches(SimDriver driver, Random? random)
{
    private const int Most = 12;
    private const string TopicId = "simulated";

    private static readonly string[] Targets =
        ["all", "offer:a", "offer:b", "offer:c", "offer:d", "channel:default", "model:shop", "offer:none", "offer:a", "offer:b"];

    private readonly List<SwitchRecord> _topic = [];

    /// <summary>A fresh process' view; null where nothing is ever switched.</summary>
    public SwitchBoard? Open(CompiledEngine engine)
    {
        if (random is null) return null;
        var board = new SwitchBoard(engine.Policy);
        board.Follow(TopicId);
        return board;
    }

    /// <summary>At a boundary between two steps something may be switched, or heard of.</summary>
    public void May()
    {
        if (random is null) return;
        if (_topic.Count < Most && random.Next(60) == 0) Flip();
        if (random.Next(6) > 0 || driver.Cluster.Processes.Count == 0) return;
        var process = driver.Cluster.Processes[random.Next(driver.Cluster.Processes.Count)];
        if (process.Board is not { } board) return;
        if (board.IsReady && random.Next(3) == 0 && _topic.Count > 0) board.Hear(TopicId, _topic[^1]);
        else if (random.Next(3) == 0 && process.Heard < _topic.Count) board.Offer(_topic[process.Heard++]);
        else Hear(process);
    }

    /// <summary>A process has read the topic to its end.</summary>
    public void Hear(SimProcess process)
    {
        if (process.Board is not { } board) return;
        for (; process.Heard < _topic.Count; process.Heard++) board.Offer(_topic[process.Heard]);
        board.ReadTo(process.Heard);
        board.Ready();
    }

    /// <summary>What is off once everything was heard.</summary>
    public HashSet<string> AtTheEnd => [.. _topic.GroupBy(r => r.Target).Select(g => g.Last())
        .Where(r => r.Off && r.Target.Name != "none").Select(r => r.Target.ToString())];

    /// <summary>
    /// What is wrong with a mark, in words: it must follow from records of the topic, the newest of its version among them.
    /// </summary>
    public string? Fault(long version, HashSet<string> off)
    {
        if (version < -1 || version >= _topic.Count) return "a version that nobody wrote";
        foreach (var target in off)
            if (!_topic.Exists(r => r.Off && r.Offset <= version && r.Target.ToString() == target)) return $"nobody switched off {target}";
        if (version < 0) return null;
        var newest = _topic[(int)version];
        var known = newest.Target.Name != "none";
        return known && newest.Off != off.Contains(newest.Target.ToString()) ? $"it does not follow {newest}" : null;
    }

    private void Flip()
    {
        SwitchTarget.TryParse(Targets[random!.Next(Targets.Length)], out var target);
        var off = random.Next(5) < 3;
        _topic.Add(new SwitchRecord(target, _topic.Count, off, "sim", "a seed says so", driver.Time.GetUtcNow()));
        driver.Tell($"{target} is switched {(off ? "off" : "on")}");
    }
}
