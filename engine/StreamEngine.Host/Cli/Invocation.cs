using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.Configuration;
using StreamEngine.Connectors;
using StreamEngine.Events.Registry;
using StreamEngine.Host.Configuration;
using StreamEngine.Inference;

namespace StreamEngine.Host.Cli;

/// <summary>One call of a command: its arguments, where it writes, and when it has to stop.</summary>
internal sealed class Invocation(ParseResult arguments, CancellationToken stop)
{
    private static readonly JsonSerializerOptions Written =
        new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For how long a command that was stopped may take to end in order.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>Standard output: results only.</summary>
    public TextWriter Out => arguments.InvocationConfiguration.Output;

    /// <summary>Standard error: everything for people.</summary>
    public TextWriter Error => arguments.InvocationConfiguration.Error;

    /// <summary>Set by Ctrl-C and SIGTERM.</summary>
    public CancellationToken Stop => stop;

    /// <summary>Whether the result is wanted as JSON.</summary>
    public bool Json => arguments.GetValue(SharedOptions.Json);

    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => arguments.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Get<T>(Argument<T> argument) => arguments.GetValue(argument);

    /// <summary>Writes a line for people, when the log level lets it through.</summary>
    public void Say(LogLevel level, string text)
    {
        if (level >= arguments.GetValue(SharedOptions.Level))
            Error.WriteLine($"streamengine: {(level == LogLevel.Info ? "" : $"{level}: ".ToLowerInvariant())}{Printable.Text(text)}");
    }

    /// <summary>Tells of an exception that nobody expected, with all that is known of it.</summary>
    private void Trace(Exception e) => Error.WriteLine($"streamengine: error: {e}");

    /// <summary>Writes a result as JSON.</summary>
    public void Print(JsonNode result) => Out.WriteLine(Text(result));

    /// <summary>A result as indented JSON.</summary>
    public static string Text(JsonNode result) => result.ToJsonString(Written);

    /// <summary>Reads the config; its mistakes are in <paramref name="errors"/>.</summary>
    /// <exception cref="ConfigException">The file can't be read as a config at all.</exception>
    public LoadedConfig Load(Option<string> config, ConfigErrors errors)
    {
        var loaded = Load(Get(config)!, errors);
        if (ReferenceEquals(loaded, LoadedConfig.Unreadable)) errors.ThrowIfAny();
        return loaded;
    }

    /// <summary>
    /// Reads one of several configs, <see cref="LoadedConfig.Unreadable"/> where it can't be read as one; overrides are for each of them.
    /// </summary>
    public LoadedConfig Load(string file, ConfigErrors errors) =>
        ConfigLoader.Load(file, Get(SharedOptions.Set) ?? [], Environment.GetEnvironmentVariables(), errors);

    /// <summary>
    /// Gives a command that reads files its action. It runs on a thread of its own, which a stop leaves behind where it does not end: a
    /// pipe that brings nothing can't be interrupted.
    /// </summary>
    public static Command Act(Command command, Func<Invocation, int> action) => Act(command, async call =>
    {
        var work = Task.Factory.StartNew(() => action(call), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        if (await Task.WhenAny(work, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.Stop)).ConfigureAwait(false) != work
            && await Task.WhenAny(work, Task.Delay(Grace, TimeProvider.System)).ConfigureAwait(false) != work)
        {
            call.Say(LogLevel.Error, "stopped while a file or a pipe was waited for; the results are incomplete");
            return ExitCode.Interrupted;
        }
        return await work.ConfigureAwait(false);
    });

    /// <summary>Gives a command its action: what it throws becomes a message and an exit code.</summary>
    public static Command Act(Command command, Func<Invocation, Task<int>> action)
    {
        command.SetAction(async (arguments, stop) =>
        {
            var call = new Invocation(arguments, stop);
            try
            {
                return await action(call).ConfigureAwait(false);
            }
            catch (ConfigException e)
            {
                return call.Tell(e);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return ExitCode.Done;
            }
            catch (Exception e)
            {
                // What can be expected of a disk, a network or a broker has a message for people; anything else is told whole.
                var expected = e is LogException or SchemaRegistryException or ModelException or IOException
                    or UnauthorizedAccessException or InvalidDataException;
                if (expected) call.Say(LogLevel.Error, e.Message);
                else call.Trace(e);
                return ExitCode.Runtime;
            }
        });
        return command;
    }

    /// <summary>Tells every mistake of the config.</summary>
    public int Tell(ConfigException mistakes)
    {
        foreach (var error in mistakes.Errors) Error.WriteLine(Printable.Text(error.ToString()));
        Error.WriteLine(mistakes.Errors.Count == 1 ? "1 mistake" : $"{mistakes.Errors.Count} mistakes");
        return ExitCode.Config;
    }
}
