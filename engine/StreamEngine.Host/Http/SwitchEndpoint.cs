using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Switches;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Http;

/// <summary>
/// <c>GET /v1/switches</c>: what this process knows to be off, and the version of that, which is the offset of the newest record of the
/// control topic that it has. Changing goes by the command.
/// </summary>
internal static class SwitchEndpoint
{
    /// <summary>Adds it.</summary>
    public static void Map(WebApplication app, SwitchBoard switches) => app.MapGet("/v1/switches", () => Results.Json(new
    {
        version = switches.Current.Version,
        off = switches.Records.Where(r => r.Off).Select(r => new
        {
            what = r.Target.ToString(),
            in_config = switches.Knows(r.Target),
            at = SwitchText.Time(r.At),
            by = r.By,
            reason = r.Reason,
        }),
    })).Needs(Scope.Read);
}
