using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// Finds librdkafka: where <c>STREAMENGINE_LIBRDKAFKA</c> points, then beside the app (its own build, or any variant of the official
/// librdkafka.redist that loads here), then in a checkout's <c>.native/</c>. Client and connector get the same copy.
/// </summary>
internal static class NativeLibrarySetup
{
    private const string Variable = "STREAMENGINE_LIBRDKAFKA";

    /// <summary>The files of librdkafka.redist for Linux, best first: with Kerberos (needs libsasl2), self-contained, for musl.</summary>
    private static readonly string[] Variants = ["librdkafka.so", "centos8-librdkafka.so", "alpine-librdkafka.so"];

    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads the library once per process.</summary>
    /// <exception cref="LogException">There is none, or it is too old for the client.</exception>
    public static void Ensure() => _ = Loaded.Value;

    private static bool Load()
    {
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(NativeLibrarySetup).Assembly, Resolve);
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named && !File.Exists(named))
            throw new LogException($"{Variable} names {named}, where there is no file. Set it to the path of librdkafka.so, or unset it and run `deploy/setup.sh --kafka`.");
        try
        {
            Library.Load();
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or InvalidOperationException or FileLoadException)
        {
            throw new LogException($"librdkafka, which the Kafka connector needs, {(Candidates().Any(File.Exists) ? $"can't be loaded ({e.Message.Split('\n')[0].Trim().TrimEnd('.')})" : "is not there")}. Run `deploy/setup.sh --kafka`, or set {Variable} to the path of librdkafka.so.", e);
        }
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        // The client asks for "libdl", the name of a development link that a plain system lacks.
        if (name == "libdl" && OperatingSystem.IsLinux()) return NativeLibrary.Load("libdl.so.2");
        if (name != "librdkafka") return IntPtr.Zero;
        foreach (var path in Candidates())
            if (File.Exists(path) && NativeLibrary.TryLoad(path, out var handle)) return handle;
        return IntPtr.Zero;
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named) yield return named;
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        string[] homes = [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", $"linux-{architecture}", "native")];
        foreach (var home in homes)
            foreach (var variant in Variants)
                yield return Path.Combine(home, variant);
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var built = new DirectoryInfo(Path.Combine(directory.FullName, ".native", "librdkafka"));
            if (!built.Exists) continue;
            foreach (var version in built.EnumerateDirectories().OrderByDescending(d => Version.TryParse(d.Name, out var v) ? v : new Version()))
                yield return Path.Combine(version.FullName, "librdkafka.so");
        }
    }
}
