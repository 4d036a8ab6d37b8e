using System.Security.Claims;

namespace StreamEngine.Dashboard;

/// <summary>Sends what partners refused once more, as the command <c>activation replay</c> does.</summary>
/// <param name="Connectors">The connectors whose dead letters are sent.</param>
/// <param name="Newest">The replay that runs, or the newest that has ended; null before the first.</param>
/// <param name="Start">
/// Starts one: takes who asks and why, which stay on record. False where one runs already, or the process ends.
/// </param>
public sealed record ReplayControl(IReadOnlyList<string> Connectors, Func<ReplayState?> Newest, Func<string, string, bool> Start)
{
    /// <summary>The role of those who may start one: the scope admin.</summary>
    public const string Role = "admin";

    /// <summary>Who looks at the pages, and whether that is somebody who may change something.</summary>
    public static ClaimsPrincipal Viewer(string name, bool isAdmin) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, name), .. isAdmin ? [new Claim(ClaimTypes.Role, Role)] : Array.Empty<Claim>()], "key"));
}

/// <summary>A replay of dead letters.</summary>
/// <param name="By">Who started it.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
/// <param name="Counts">How far each connector is.</param>
/// <param name="Ended">Whether it has ended.</param>
/// <param name="Fault">Why it ended early; null where it did not.</param>
public sealed record ReplayState(string By, string Reason, DateTimeOffset At, IReadOnlyList<ReplayCount> Counts, bool Ended,
    string? Fault);

/// <summary>How far a connector is with its dead letters.</summary>
/// <param name="Connector">Its name.</param>
/// <param name="Delivered">Records that the partner has taken now.</param>
/// <param name="DeadLettered">Records that were refused again, and are dead letters again.</param>
/// <param name="Retried">Attempts that failed and were made again.</param>
public sealed record ReplayCount(string Connector, long Delivered, long DeadLettered, long Retried);
