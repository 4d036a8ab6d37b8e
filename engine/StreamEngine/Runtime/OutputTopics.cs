using StreamEngine.Connectors;
using StreamEngine.Decisions;

namespace StreamEngine.Runtime;

/// <summary>The topics that an engine writes, by index.</summary>
public sealed class OutputTopics
{
    private readonly List<string> _names = [];
    private readonly int[] _actionsByOffer;
    private readonly Dictionary<string, int> _actionsByChannel = [];
    private readonly int _actions;

    /// <summary>Collects the topics of the config.</summary>
    /// <param name="options">The config's outputs section.</param>
    /// <param name="offers">The offers: their channels have topics.</param>
    /// <param name="checkpoints">The checkpoint topic; empty where none is written.</param>
    /// <param name="outcomes">The outcome topic; empty where none is written.</param>
    /// <param name="audiences">The audience topic; empty where none is written.</param>
    /// <param name="identifiers">Whether outcomes say what partners know customers by.</param>
    /// <param name="shared">The topic of shared numbers; empty where there are none.</param>
    public OutputTopics(OutputOptions options, IReadOnlyList<OfferOptions> offers, string checkpoints = "",
        string outcomes = "", string audiences = "", bool identifiers = false, string shared = "")
    {
        OutcomeSchema = identifiers ? "outcome" : "outcome-1";
        Decisions = Index(options.Decisions);
        DeadLetter = Index(options.DeadLetter);
        Late = Index(options.Late);
        Checkpoints = checkpoints.Length > 0 ? Index(checkpoints) : -1;
        Outcomes = outcomes.Length > 0 ? Index(outcomes) : -1;
        Audiences = audiences.Length > 0 ? Index(audiences) : -1;
        Shared = shared.Length > 0 ? Index(shared) : -1;
        _actionsByOffer = new int[offers.Count];
        for (var i = 0; i < offers.Count; i++)
            _actionsByChannel[offers[i].Channel] = _actionsByOffer[i] = options.Channels.TryGetValue(offers[i].Channel, out var topic)
                ? Index(topic) : options.Actions.Length > 0 ? Index(options.Actions) : -1;
        _actions = _names.IndexOf(options.Actions);
    }

    /// <summary>The topics' names: <see cref="WorkerOptions.Outputs"/>.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Index of the decisions topic.</summary>
    public int Decisions { get; }

    /// <summary>Index of the dead-letter topic.</summary>
    public int DeadLetter { get; }

    /// <summary>Index of the late topic.</summary>
    public int Late { get; }

    /// <summary>Index of the checkpoint topic; -1 where none is written.</summary>
    public int Checkpoints { get; }

    /// <summary>Index of the outcome topic; -1 where none is written.</summary>
    public int Outcomes { get; }

    /// <summary>The name of the schema that outcomes are written by.</summary>
    public string OutcomeSchema { get; }

    /// <summary>Index of the audience topic; -1 where none is written.</summary>
    public int Audiences { get; }

    /// <summary>Index of the topic of shared numbers; -1 where there are none.</summary>
    public int Shared { get; }

    /// <summary>The topics whose records have a schema id.</summary>
    /// <param name="format">How actions, outcomes, audiences and dead letters are written.</param>
    /// <param name="features">The names of the features, in the order of the vector.</param>
    public IReadOnlyList<OutputSubject> Subjects(OutputFormat format, IReadOnlyList<string> features)
    {
        var subjects = new List<OutputSubject>
        {
            new(Decisions, _names[Decisions], OutputSchemas.DecisionOf(features), "decision.avsc")
        };
        if (format == OutputFormat.Json) return subjects;
        subjects.Add(new(DeadLetter, _names[DeadLetter], OutputSchemas.Text("dead-letter"), "dead-letter.avsc"));
        if (Outcomes >= 0) subjects.Add(new(Outcomes, _names[Outcomes], OutputSchemas.Text(OutcomeSchema), $"{OutcomeSchema}.avsc"));
        if (Audiences >= 0) subjects.Add(new(Audiences, _names[Audiences], OutputSchemas.Text("audience"), "audience.avsc"));
        for (var i = 0; i < _names.Count; i++)
            if (i != Decisions && i != DeadLetter && i != Late && i != Checkpoints && i != Outcomes && i != Audiences
                && i != Shared)
                subjects.Add(new(i, _names[i], OutputSchemas.Text("action"), "action.avsc"));
        return subjects;
    }

    /// <summary>The topic an offer's actions go to; -1 where actions are not written.</summary>
    public int ActionsOf(int offer) => _actionsByOffer[offer];

    /// <summary>
    /// The topic of a channel's actions; for a channel that no offer has any more, that of channels without a topic of their own. -1 where
    /// they are not written.
    /// </summary>
    public int ActionsOf(string channel) => _actionsByChannel.GetValueOrDefault(channel, _actions);

    private int Index(string topic)
    {
        var i = _names.IndexOf(topic);
        if (i >= 0) return i;
        _names.Add(topic);
        return _names.Count - 1;
    }
}
