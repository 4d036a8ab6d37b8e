using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using StreamEngine.Events;
using StreamEngine.Host.Http;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Collector;

/// <summary>
/// <c>GET /v1/events/pixel.gif</c>: one event in the address, for mails and pages without scripts. <c>data</c> holds it as JSON; without
/// it every parameter is a text field (<c>properties.url=...</c> lies within <c>properties</c>). The answer is an invisible picture, its
/// status that of a <c>POST</c>.
/// </summary>
internal sealed class Pixel(EventCollector collector)
{
    /// <summary>A transparent GIF of one point.</summary>
    private static readonly byte[] Gif = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    private static readonly string[] Ours = ["source", "data", PresentedKey.Parameter];

    /// <summary>Takes the event and answers.</summary>
    public async Task GetAsync(HttpContext context)
    {
        var (source, status, _) = Callers.SourceOf(context, collector, context.Request.Query["source"]);
        if (!Callers.Allow(context, source is null ? collector.Sources.Values : [source])) status = StatusCodes.Status403Forbidden;
        else if (source is { IsJson: true }) status = await TakeAsync(context, source).ConfigureAwait(false);
        else if (source is not null) status = StatusCodes.Status415UnsupportedMediaType;
        if (status >= StatusCodes.Status400BadRequest) context.Features.Get<HttpMetrics>()?.Refuse("pixel");
        context.Response.StatusCode = status;
        context.Response.ContentType = "image/gif";
        context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        await context.Response.Body.WriteAsync(Gif, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<int> TakeAsync(HttpContext context, SourceIntake source)
    {
        var data = context.Request.Query["data"].ToString();
        var json = data.Length > 0 ? Encoding.UTF8.GetBytes(data) : Fields(context.Request.Query);
        var share = collector.Memory.Open();
        if (!share.TryReach(json.Length * 3L)) return StatusCodes.Status429TooManyRequests;
        var (outcome, events) = await collector.TakeAsync(source, json, [new Range(0, json.Length)], lines: true, null, share,
            context.RequestAborted).ConfigureAwait(false);
        return outcome switch
        {
            WriteOutcome.Full => StatusCodes.Status429TooManyRequests,
            WriteOutcome.Unknown or WriteOutcome.NoSchema => StatusCodes.Status503ServiceUnavailable,
            _ => events.AllRejected ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK,
        };
    }

    private static byte[] Fields(IQueryCollection query)
    {
        var root = new JsonObject();
        foreach (var (name, value) in query)
        {
            if (Ours.Contains(name) || RecordPart.Fault(name) is not null) continue;
            var (node, path) = (root, RecordPart.Names(name));
            for (var i = 0; i < path.Count - 1; i++)
            {
                if (node[path[i]] is not JsonObject next) node[path[i]] = next = [];
                node = next;
            }
            node[path[^1]] = value.ToString();
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }
}
