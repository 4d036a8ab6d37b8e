using System.Globalization;
using StreamEngine.Configuration;

namespace StreamEngine.Inference;

/// <summary>
/// The loaded models by their names in the config: <c>models/NAME/VERSION/</c> with <c>model.onnx</c> and <c>model.json</c>. Owns the
/// models.
/// </summary>
public sealed class ModelRegistry : IDisposable
{
    private readonly Dictionary<string, IModel> _models = [];

    private ModelRegistry()
    {
    }

    /// <summary>The models by name; a model that could not be loaded is absent and told in the errors.</summary>
    public IReadOnlyDictionary<string, IModel> Models => _models;

    /// <summary>Finds and loads every model of the config.</summary>
    /// <param name="options">The models of the config.</param>
    /// <param name="baseDirectory">What relative paths start from: the config file's folder.</param>
    /// <param name="loader">Loads one version's folder.</param>
    /// <param name="errors">Receives what is missing or damaged, with the remedy.</param>
    /// <exception cref="ModelRuntimeException">No model can be loaded here, whatever the config says.</exception>
    public static ModelRegistry Load(IReadOnlyList<ModelOptions> options, string baseDirectory, IModelLoader loader, ConfigErrors errors)
    {
        var registry = new ModelRegistry();
        foreach (var option in options)
        {
            if (registry._models.ContainsKey(option.Name))
            {
                errors.Add(option.Node.At, $"model {option.Name} is declared twice", "Rename or remove one of them");
                continue;
            }
            if (Resolve(option, baseDirectory, errors) is not { } directory) continue;
            try
            {
                registry._models.Add(option.Name, loader.Load(directory, option));
            }
            catch (ModelException e) when (e is not ModelRuntimeException)
            {
                errors.Add(option.Node.At, $"model {option.Name} can't be loaded: {e.Message.TrimEnd('.')}",
                    e.Remedy ?? "Train it anew, or set 'version' to a version that is whole");
            }
        }
        return registry;
    }

    /// <summary>The folder of the version to load; null, with an error added, where there is none.</summary>
    public static string? Resolve(ModelOptions option, string baseDirectory, ConfigErrors errors)
    {
        var root = Path.GetFullPath(Path.Combine(baseDirectory, option.Path ?? Path.Combine("models", option.Name)));
        if (!Directory.Exists(root))
        {
            errors.Add(option.Node, "path", $"model {option.Name} has no folder {root}", $"Train the model into {Path.Combine(root, "1")} "
                + "(model.onnx and model.json), or set 'path' to the folder that holds its versions");
            return null;
        }
        var versions = Directory.GetDirectories(root).Select(d => Path.GetFileName(d)).Where(v => Numbers(v) is not null)
            .Order(NumericOrder).ToArray();
        if (option.Version is not { } wanted)
        {
            if (versions.Length > 0) return Path.Combine(root, versions[^1]);
            errors.Add(option.Node, "path", $"{root} holds no version of model {option.Name}",
                $"Train the model into {Path.Combine(root, "1")}; a version's folder is named by a number, such as 3 or 2026.10.1");
            return null;
        }
        var directory = Path.Combine(root, wanted);
        if (Path.GetFileName(wanted) == wanted && wanted is not ("" or "." or "..") && Directory.Exists(directory)) return directory;
        errors.Add(option.Node, "version", $"model {option.Name} has no version {wanted} in {root}", versions.Length == 0
            ? "It has no version at all: train it" : $"It has: {string.Join(", ", versions)}; without 'version' the newest is used");
        return null;
    }

    /// <summary>The version after the newest in a model's folder, 1 where there is none; null where they are no plain numbers.</summary>
    public static string? NextVersion(string root)
    {
        var versions = !Directory.Exists(root) ? [] : Directory.GetDirectories(root).Select(d => Numbers(Path.GetFileName(d)))
            .OfType<long[]>().ToArray();
        if (versions.Any(v => v.Length > 1)) return null;
        return (versions.Select(v => v[0]).DefaultIfEmpty(0).Max() + 1).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Whether a folder of that name is looked at for the newest version.</summary>
    public static bool IsVersion(string name) => Numbers(name) is not null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var model in _models.Values) model.Dispose();
        _models.Clear();
    }

    /// <summary>By numbers, not by text: 10 is newer than 9, and 1.10 is newer than 1.9.</summary>
    private static Comparer<string> NumericOrder { get; } = Comparer<string>.Create((a, b) =>
    {
        var (x, y) = (Numbers(a)!, Numbers(b)!);
        for (var i = 0; i < Math.Min(x.Length, y.Length); i++)
            if (x[i] != y[i]) return x[i].CompareTo(y[i]);
        return x.Length != y.Length ? x.Length.CompareTo(y.Length) : string.CompareOrdinal(a, b);
    });

    /// <summary><c>3</c>, <c>v3</c>, <c>1.10.2</c> and <c>2026-10-01</c> as numbers; null for a name that is no version.</summary>
    private static long[]? Numbers(string version)
    {
        var parts = version.TrimStart('v').Split('.', '-');
        var numbers = new long[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])) return null;
        return numbers;
    }
}
