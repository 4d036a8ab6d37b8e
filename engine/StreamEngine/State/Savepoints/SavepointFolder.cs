using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEngine.State.Checkpoints;

namespace StreamEngine.State.Savepoints;

/// <summary>
/// A savepoint's folder: a file for each shard, and the manifest that makes it one. Without a whole manifest there is no savepoint.
/// </summary>
public static class SavepointFolder
{
    private const string Manifest = "savepoint.json", Checksum = "sha256", Lock = "lock";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>Whether a folder holds a savepoint.</summary>
    public static bool Is(string folder) => File.Exists(Path.Combine(folder, Manifest));

    /// <summary>The folders of a directory that hold a savepoint, by name.</summary>
    public static IReadOnlyList<string> In(string directory) => Directory.Exists(directory)
        ? [.. Directory.GetDirectories(directory).Where(Is).Order(StringComparer.Ordinal)] : [];

    /// <summary>The file of a shard.</summary>
    public static string FileOf(int shard) => $"shard-{shard}.ckpt";

    /// <summary>
    /// Begins a savepoint: makes the folder, or takes over what an interrupted one left. Locked until the returned object is disposed.
    /// </summary>
    /// <exception cref="IOException">There is a savepoint of that name, or one is being made.</exception>
    public static IDisposable Begin(string folder)
    {
        if (Is(folder)) throw new IOException($"There is a savepoint {folder} already. Choose another name, or remove that folder.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(f => !IsOurs(Path.GetFileName(f))))
            throw new IOException($"{folder} is a folder with other files. Choose another name.");
        Directory.CreateDirectory(folder);
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(folder, Lock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                FileOptions.DeleteOnClose);
        }
        catch (IOException e)
        {
            throw new IOException($"Savepoint {folder} is being made by another process. Choose another name, or wait for it.", e);
        }
        foreach (var file in Directory.GetFiles(folder).Where(f => Path.GetFileName(f) != Lock)) File.Delete(file);
        return held;

        static bool IsOurs(string name) => name == Lock || name.StartsWith(Manifest, StringComparison.Ordinal)
            || (name.StartsWith("shard-", StringComparison.Ordinal) && name.EndsWith(".ckpt", StringComparison.Ordinal));
    }

    /// <summary>Ends a savepoint: now it is one. The files must be on the disk.</summary>
    public static void Write(string folder, SavepointManifest manifest)
    {
        var node = JsonNode.Parse(JsonSerializer.Serialize(manifest, Json))!.AsObject();
        node[Checksum] = Sum(node);
        var path = Path.Combine(folder, Manifest);
        using (var file = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(Encoding.UTF8.GetBytes(node.ToJsonString(Json) + "\n"));
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".tmp", path);
    }

    /// <summary>Reads the manifest.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is damaged, or of a newer program.</exception>
    public static SavepointManifest Read(string folder)
    {
        if (!Is(folder))
            throw new InvalidDataException($"{folder} holds no savepoint: there is no {Manifest} in it. `streamengine savepoint list` "
                + "shows those there are.");
        var path = Path.Combine(folder, Manifest);
        try
        {
            var node = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            if (node["format"]?.GetValue<int>() is not { } format || format < 1) throw Damaged(path, "it names no format");
            if (format > SavepointManifest.Newest)
                throw new InvalidDataException($"{path} has format {format}; this program reads up to {SavepointManifest.Newest}. Use the "
                    + "program that wrote it, or a newer one.");
            var sum = node[Checksum]?.GetValue<string>();
            node.Remove(Checksum);
            if (sum != Sum(node)) throw Damaged(path, "its checksum does not fit its content");
            return node.Deserialize<SavepointManifest>(Json) ?? throw Damaged(path, "it is empty");
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException or ArgumentException)
        {
            throw Damaged(path, e.Message);
        }
    }

    /// <summary>
    /// Reads a shard's file from end to end, and checks every block, its length, count and checksum against the manifest.
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged, or not the one that belongs here.</exception>
    public static CutMarker Verify(string folder, SavepointShard shard)
    {
        var path = Path.Combine(folder, shard.File);
        if (shard.File != Path.GetFileName(shard.File) || !File.Exists(path))
            throw new InvalidDataException($"{path} is missing: the savepoint is not whole. Use another savepoint.");
        var content = CheckpointReader.Inspect(path);
        if (content.ValidBytes != content.Bytes)
            throw new InvalidDataException($"{path} is damaged from byte {content.ValidBytes} of {content.Bytes}. Use another copy of the "
                + "savepoint, or another savepoint.");
        using (var file = File.OpenRead(path))
            if (content.Bytes != shard.Bytes || Convert.ToHexStringLower(SHA256.HashData(file)) != shard.Sha256)
                throw new InvalidDataException($"{path} is not the file that the savepoint was made with: {content.Bytes} bytes instead of "
                    + $"{shard.Bytes}, or another checksum. Use another copy of the savepoint, or another savepoint.");
        var marker = content.Cuts is [var cut] ? cut.Marker
            : throw new InvalidDataException($"{path} holds {content.Cuts.Count} closed cuts instead of 1. Use another savepoint.");
        if (marker.Profiles != shard.Profiles || marker.Decisions != shard.Decisions
            || !marker.Start.Next.AsSpan().SequenceEqual([.. shard.Offsets]))
            throw new InvalidDataException($"{path} stands at other offsets than savepoint.json says. Use another copy of the savepoint, "
            + "or another savepoint.");
        return marker;
    }

    private static InvalidDataException Damaged(string path, string why) =>
        new($"{path} is damaged: {why.TrimEnd('.')}. Use another copy of the savepoint, or another savepoint.");

    private static string Sum(JsonObject manifest) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifest.ToJsonString())));
}
