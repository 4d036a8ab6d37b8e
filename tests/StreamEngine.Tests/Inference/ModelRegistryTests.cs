using StreamEngine.Configuration;
using StreamEngine.Inference;
using StreamEngine.Testing;
using Xunit;

namespace StreamEngine.Tests.Inference;

public sealed class ModelRegistryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("streamengine-models-").FullName;
    private readonly ConfigErrors _errors = new();

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("10", "1", "9", "10")]
    [InlineData("v12", "v3", "v12", "v2")]
    [InlineData("1.10", "1.9", "1.10", "1.2.7")]
    [InlineData("2026-10-01", "2026-9-30", "2026-10-01", "2025-12-31")]
    [InlineData("2", "2", "tmp", "latest")]
    [InlineData("1.1", "v1", "1.1")]
    public void The_newest_version_is_the_highest_number(string newest, params string[] versions)
    {
        Make("models/clicks", versions);
        Assert.Equal(Path.Combine(_root, "models", "clicks", newest),
            ModelRegistry.Resolve(new ModelOptions { Name = "clicks" }, _root, _errors));
    }

    [Fact]
    public void Path_and_version_are_taken_as_given()
    {
        Make("elsewhere", "1", "2", "canary");
        Assert.Equal(Path.Combine(_root, "elsewhere", "1"),
            ModelRegistry.Resolve(new ModelOptions { Name = "clicks", Path = "elsewhere", Version = "1" }, _root, _errors));
        Assert.Equal(Path.Combine(_root, "elsewhere", "canary"),
            ModelRegistry.Resolve(new ModelOptions { Name = "clicks", Path = "elsewhere", Version = "canary" }, _root, _errors));
        Assert.False(_errors.Any);
    }

    [Theory]
    [InlineData("nowhere", null, "has no folder", "Train the model into")]
    [InlineData("empty", null, "holds no version", "Train the model into")]
    [InlineData("models/clicks", "7", "no version 7", "It has: 1, 2")]
    [InlineData("models/clicks", "../../empty", "no version", "It has: 1, 2")]
    [InlineData("models/clicks", "..", "no version", "It has: 1, 2")]
    public void What_is_missing_is_told_with_the_remedy(string path, string? version, string message, string remedy)
    {
        Make("models/clicks", "1", "2");
        Make("empty");
        Assert.Null(ModelRegistry.Resolve(new ModelOptions { Name = "clicks", Path = path, Version = version }, _root, _errors));
        var error = Assert.Single(_errors.All);
        Assert.Contains(message, error.Message);
        Assert.Contains(remedy, error.Remedy);
    }

    [Fact]
    public void Loads_all_it_can_and_owns_them()
    {
        Make("models/good", "1");
        Make("models/damaged", "1");
        Make("models/no-gpu", "1");
        var loader = new Loader();
        ModelOptions[] options = [new() { Name = "good" }, new() { Name = "damaged" }, new() { Name = "absent" }, new() { Name = "no-gpu" },
            new() { Name = "good" }];
        var registry = ModelRegistry.Load(options, _root, loader, _errors);
        Assert.Equal("good", Assert.Single(registry.Models.Keys));
        Assert.Equal(4, _errors.All.Count);
        Assert.Contains(_errors.All, e => $"{e}".Contains("the file is torn. Train it anew, or", StringComparison.Ordinal));
        Assert.Contains(_errors.All, e => $"{e}".EndsWith("CUDA is not here. Choose the CPU", StringComparison.Ordinal));
        Assert.Contains(_errors.All, e => e.Message.Contains("declared twice"));
        registry.Dispose();
        Assert.True(loader.Model.Disposed);
    }

    [Fact]
    public void Provider_and_device_are_handed_to_the_loader()
    {
        Make("models/good", "1");
        var loader = new Loader();
        using var registry = ModelRegistry.Load([new ModelOptions { Name = "good", Provider = ModelProvider.Cuda, Device = 1 }], _root,
            loader, _errors);
        Assert.Empty(_errors.All);
        Assert.Equal((ModelProvider.Cuda, 1), loader.Asked);
    }

    private void Make(string path, params string[] versions)
    {
        Directory.CreateDirectory(Path.Combine(_root, path));
        foreach (var version in versions) Directory.CreateDirectory(Path.Combine(_root, path, version));
    }

    private sealed class Loader : IModelLoader
    {
        public LinearModel Model { get; } = new("good", ["f"], ("p", [1, 0]));

        public (ModelProvider, int) Asked { get; private set; }

        public IModel Load(string directory, ModelOptions? options)
        {
            Asked = (options!.Provider, options.Device);
            if (directory.Contains("no-gpu")) throw new ModelException("CUDA is not here") { Remedy = "Choose the CPU" };
            return directory.Contains("damaged") ? throw new ModelException("the file is torn.") : Model;
        }
    }
}
