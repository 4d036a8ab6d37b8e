using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Switches;
using StreamEngine.Runtime;

namespace StreamEngine.Host.Http;

/// <summary>What is off.</summary>
/// <param name="Version">The offset of the newest record of the control topic that this process has.</param>
/// <param name="Off">What is off.</param>
internal sealed record SwitchesAnswer(long Version, IReadOnlyList<OffAnswer> Off);

/// <summary>Something that is off.</summary>
/// <param name="What">What it is, such as <c>offer:club</c>.</param>
/// <param name="InConfig">Whether this process's config has it.</param>
/// <param name="At">Since when.</param>
/// <param name="By">Who switched it.</param>
/// <param name="Reason">Why.</param>
internal sealed record OffAnswer(string What, bool InConfig, string At, string By, string Reason);

/// <summary>
/// <c>GET /v1/switches</c>: what this process knows to be off, and the version of that, which is the offset of the newest record of the
/// control topic that it has. Changing goes by the command.
/// </summary>
internal static class SwitchEndpoint
{
    /// <summary>Adds it.</summary>
    public static void Map(WebApplication app, SwitchBoard switches) => app.MapGet("/v1/switches", () => Results.Json(
        new SwitchesAnswer(switches.Current.Version, [.. switches.Records.Where(r => r.Off).Select(r => new OffAnswer(r.Target.ToString(),
            switches.Knows(r.Target), SwitchText.Time(r.At), r.By, r.Reason))]), CustomerEndpoints.Json))
        .Needs(Scope.Read).Produces<SwitchesAnswer>().Told("operation", "switches", "What is switched off.");
}
