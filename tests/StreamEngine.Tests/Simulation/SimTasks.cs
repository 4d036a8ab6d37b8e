namespace StreamEngine.Tests.Simulation;

/// <summary>Background work that is done when the simulation says so, on its thread.</summary>
internal sealed class SimTasks : TaskScheduler
{
    private readonly Queue<Task> _waiting = new();

    public int Count => _waiting.Count;

    public void RunOne()
    {
        if (_waiting.TryDequeue(out var task)) TryExecuteTask(task);
    }

    protected override void QueueTask(Task task) => _waiting.Enqueue(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _waiting;
}
