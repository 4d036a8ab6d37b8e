using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace StreamEngine.Testing;

/// <summary>
/// A server of Debian's packages that a test starts on a free port of the loopback, with data of its own: PostgreSQL or Redis. It ends with
/// the test's process, also where that is killed.
/// </summary>
public sealed class LocalServer : IDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly string _start, _stop;
    private Process? _process;

    private LocalServer(DirectoryInfo folder, int port, string start, string stop)
    {
        (_folder, Port, _start, _stop) = (folder, port, start, stop);
        Restart();
    }

    /// <summary>Why there is no PostgreSQL; null where there is one.</summary>
    public static string? PostgresMissing => PostgresBin is null
        ? "no PostgreSQL below /usr/lib/postgresql: `deploy/setup.sh --servers` installs it" : null;

    /// <summary>Why there is no Redis; null where there is one.</summary>
    public static string? RedisMissing => File.Exists(RedisServer) ? null
        : $"no {RedisServer}: `deploy/setup.sh --servers` installs it";

    private const string RedisServer = "/usr/bin/redis-server";

    private static string? PostgresBin => Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql")
        .Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb")))
        .Order(StringComparer.Ordinal).LastOrDefault() : null;

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>Starts PostgreSQL with an empty database <c>postgres</c> and the user <c>postgres</c>, without a password.</summary>
    public static LocalServer Postgres()
    {
        var (folder, port) = (Directory.CreateTempSubdirectory("postgres-"), FreePort.Find());
        // PostgreSQL refuses to run as root.
        var user = Environment.UserName == "root" ? "runuser -u postgres -- " : "";
        if (user.Length > 0) Run($"chown postgres {folder}");
        Run($"{user}{PostgresBin}/initdb -D {folder}/data -A trust -U postgres --no-sync");
        return new LocalServer(folder, port,
            $"{user}{PostgresBin}/postgres -D {folder}/data -p {port} -h 127.0.0.1 -k {folder} -c fsync=off",
            $"{user}{PostgresBin}/pg_ctl -D {folder}/data -m immediate stop");
    }

    /// <summary>Starts Redis, empty.</summary>
    public static LocalServer Redis()
    {
        var (folder, port) = (Directory.CreateTempSubdirectory("redis-"), FreePort.Find());
        return new LocalServer(folder, port,
            $"{RedisServer} --port {port} --bind 127.0.0.1 --dir {folder} --save '' --appendonly yes --appendfsync no", "kill -9 $server");
    }

    /// <summary>Ends it at once, as a crash does; the data stay.</summary>
    public void Kill()
    {
        if (_process is null) return;
        _process.StandardInput.Close(); // what the shell waits for
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Starts it again on the same port and data, and waits until it listens.</summary>
    public void Restart()
    {
        var command = $"exec 3<&0; {_start} > {_folder}/log 2>&1 < /dev/null 3<&- & server=$!; cat <&3 > /dev/null; "
            + $"{_stop} > /dev/null 2>&1; wait $server";
        _process = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command }, RedirectStandardInput = true })!;
        for (var i = 0; i < 1_200; i++)
        {
            if (Listens()) return;
            if (_process.WaitForExit(50)) break;
        }
        throw new InvalidOperationException($"the server has not started: {File.ReadAllText($"{_folder}/log")}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _folder.Delete(recursive: true);
    }

    private bool Listens()
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void Run(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", $"{command} 2>&1" },
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command}: {output}");
    }
}
