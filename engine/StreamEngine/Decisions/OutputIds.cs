using StreamEngine.Configuration;
using StreamEngine.Events;
using StreamEngine.Events.Registry;

namespace StreamEngine.Decisions;

/// <summary>A topic whose records are framed with the id of a registered schema.</summary>
/// <param name="Topic">Its index among the worker's outputs.</param>
/// <param name="Name">The topic's name.</param>
/// <param name="Schema">The schema of its records.</param>
/// <param name="File">The schema's file in <c>schemas/</c>, which an id is looked up by as well where nothing is registered.</param>
public sealed record OutputSubject(int Topic, string Name, string Schema, string File)
{
    /// <summary>The registry's subject, by Confluent's topic name strategy.</summary>
    public string Subject => $"{Name}-value";
}

/// <summary>
/// The schema ids of what is written, as a registry over a network gives them: registered at the start, or looked up where the config says
/// so. Nothing can be written without them. So where the registry does not answer at the start, it is asked on in the background, and the
/// workers wait.
/// </summary>
/// <param name="source">The registry.</param>
/// <param name="subjects">What is written.</param>
/// <param name="register">Whether schemas that are not there are registered.</param>
/// <param name="options">How a start treats a registry that is away.</param>
/// <param name="access">Whether the start may wait, and until when.</param>
/// <param name="clock">Times the questions.</param>
public sealed class OutputIds(ISchemaSource source, IReadOnlyList<OutputSubject> subjects, bool register, SchemaOptions options,
    RegistryAccess access, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250), LongestPause = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private volatile string _reason = "";
    private volatile bool _known;
    private int _begun;

    /// <summary>By output topic; filled once the registry has answered.</summary>
    internal int[] Ids { get; } = new int[subjects.Count == 0 ? 0 : subjects.Max(s => s.Topic) + 1];

    /// <summary>
    /// Why the ids are not known, empty before the first answer; null once they are. The first who asks makes the asking go on. Any thread
    /// may ask.
    /// </summary>
    public string? Awaited()
    {
        if (_known) return null;
        if (Interlocked.Exchange(ref _begun, 1) == 0) _ = Task.Run(AskOnAsync);
        return _reason;
    }

    /// <summary>
    /// Gets the ids at a start. A refusal is a mistake of the config; a registry that does not answer is told, and waited for where the
    /// config says so.
    /// </summary>
    /// <param name="errors">Takes the refusals.</param>
    /// <param name="node">The config's outputs.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public void AtStart(ConfigErrors errors, ConfigNode node)
    {
        try
        {
            Each(errors, node, s => Ids[s.Topic] = SchemaRegistry.AtStart(() => Wait(AskAsync(s, access.Stop)), options, access, clock));
            _known = !errors.Any;
        }
        catch (SchemaRegistryException e)
        {
            access.Say($"the ids of the outputs' schemas are not known: {e.Message.TrimEnd('.')}; nothing is read or written until the "
                + "registry has answered");
        }
    }

    /// <summary>Tells what <see cref="AtStart"/> would be refused; registers nothing.</summary>
    /// <param name="errors">Takes the refusals.</param>
    /// <param name="node">The config's outputs.</param>
    public void Check(ConfigErrors errors, ConfigNode node)
    {
        try
        {
            Each(errors, node, s =>
            {
                if (!register) Wait(AskAsync(s, access.Stop));
                else if (!Wait(source.AcceptsAsync(s.Subject, s.Schema, access.Stop)))
                    throw Refused($"the registry's rule for '{s.Subject}' does not allow it behind the newest one there");
            });
        }
        catch (SchemaRegistryException e)
        {
            access.Say($"the outputs' schemas are not checked against the registry: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Cancel();

    private static T Wait<T>(Task<T> answer) => answer.GetAwaiter().GetResult();

    private void Each(ConfigErrors errors, ConfigNode node, Action<OutputSubject> ask)
    {
        foreach (var subject in subjects)
        {
            try
            {
                ask(subject);
            }
            catch (SchemaRegistryException e) when (e.Unusable)
            {
                errors.Add(node, "register", $"the schema of topic '{subject.Name}' ({subject.File}) has no id: {e.Message}", register
                    ? "Give the topic another name or the subject another rule of compatibility; where only others may register, let them "
                    + $"register schemas/{subject.File} and set outputs.register: false"
                    : $"Register schemas/{subject.File} under '{subject.Subject}', or set outputs.register: true");
            }
        }
    }

    private async Task<int> AskAsync(OutputSubject subject, CancellationToken stop)
    {
        if (register) return await source.RegisterAsync(subject.Subject, subject.Schema, stop).ConfigureAwait(false);
        return await source.FindAsync(subject.Subject, subject.Schema, stop).ConfigureAwait(false)
            ?? await source.FindAsync(subject.Subject, OutputSchemas.Text(Path.GetFileNameWithoutExtension(subject.File)), stop)
            .ConfigureAwait(false)
            ?? throw Refused($"it is not registered under '{subject.Subject}'");
    }

    private static SchemaRegistryException Refused(string why) => new(why) { Unusable = true };

    /// <summary>Asks until there is an answer for each. A refusal now is waited for too: it may be mended there.</summary>
    private async Task AskOnAsync()
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                foreach (var subject in subjects) Ids[subject.Topic] = await AskAsync(subject, _stop.Token).ConfigureAwait(false);
                _known = true;
                return;
            }
            catch (SchemaRegistryException e)
            {
                _reason = e.Message;
                await Task.Delay(pause, clock, _stop.Token).ConfigureAwait(false);
            }
        }
    }
}
