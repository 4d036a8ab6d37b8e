using StreamEngine.Connectors;
using StreamEngine.Dashboard;
using StreamEngine.Decisions;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Demo;

/// <summary>What a demo's user can try from the dashboard: each does what it says to the running engine, and ends by itself.</summary>
internal static class DemoTrials
{
    private const int BurstEvents = 50_000;

    private static readonly TimeSpan ModelOff = TimeSpan.FromSeconds(20);

    /// <summary>Those that the config allows.</summary>
    /// <param name="engine">The compiled config.</param>
    /// <param name="log">The log, whose control topic takes switches.</param>
    /// <param name="producer">The shop.</param>
    public static IReadOnlyList<Trial> Of(CompiledEngine engine, ILog log, Producer producer)
    {
        var trials = new List<Trial>
        {
            new("A burst", $"The shop sends {BurstEvents:N0} events at once: the lag rises, and falls as the engine catches up.", () =>
            {
                producer.Burst(BurstEvents);
                return $"{BurstEvents:N0} events are on their way.";
            }),
        };
        if (engine.Options.Control.Topic.Length > 0 && engine.Policy.Models is [var model, ..])
            trials.Add(new($"Without the model {model.Name}", $"Switches it off for {ModelOff.TotalSeconds:N0} seconds, as 'streamengine "
                + "switch off' does: offers go on with their default propensity (see Models and Experiments).", () =>
            {
                var topic = new ControlTopic(log, engine.Options.Control.Topic);
                var target = new SwitchTarget(SwitchKind.Model, model.Name);
                Switch(topic, target, off: true);
                _ = Task.Delay(ModelOff, TimeProvider.System).ContinueWith(_ => Switch(topic, target, off: false), TaskScheduler.Default);
                return $"The model {model.Name} is off for {ModelOff.TotalSeconds:N0} seconds.";
            }));
        return trials;
    }

    private static void Switch(ControlTopic topic, SwitchTarget target, bool off) => topic.Write(
        [new SwitchRecord(target, 0, off, "dashboard", "tried out in the demo", TimeProvider.System.GetUtcNow())]);
}
