using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// What Confluent's own loader of librdkafka does not do: it asks for "libdl", the name of a development link that a plain Debian 12 lacks;
/// and our own calls must go to the very variant of the library that it chose (with Kerberos where libsasl2 is there, else the
/// self-contained one, else that for musl).
/// </summary>
internal static class NativeLibrarySetup
{
    /// <summary>The files of librdkafka.redist for Linux, in the order in which the client tries them.</summary>
    private static readonly string[] Variants = ["librdkafka.so", "centos8-librdkafka.so", "alpine-librdkafka.so"];

    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads the library once per process.</summary>
    /// <exception cref="LogException">It can't be loaded here.</exception>
    public static void Ensure() => _ = Loaded.Value;

    private static bool Load()
    {
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(NativeLibrarySetup).Assembly, Resolve);
        try
        {
            Library.Load();
            return true;
        }
        catch (Exception e)
            when (e is DllNotFoundException or TypeInitializationException or InvalidOperationException or FileLoadException)
        {
            throw new LogException("librdkafka, which the Kafka connector needs, can't be loaded "
                + $"({e.Message.Split('\n')[0].Trim().TrimEnd('.')}). "
                + "It comes with the package librdkafka.redist: publish the application for this platform.", e);
        }
    }

    /// <summary>One copy for client and connector: the first variant that loads.</summary>
    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name == "libdl" && OperatingSystem.IsLinux()) return NativeLibrary.Load("libdl.so.2");
        if (name != "librdkafka") return IntPtr.Zero;
        foreach (var path in Candidates())
            if (File.Exists(path) && NativeLibrary.TryLoad(path, out var handle)) return handle;
        return IntPtr.Zero;
    }

    private static IEnumerable<string> Candidates()
    {
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        string[] homes = [AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", $"linux-{architecture}", "native")];
        foreach (var home in homes)
            foreach (var variant in Variants)
                yield return Path.Combine(home, variant);
    }
}
