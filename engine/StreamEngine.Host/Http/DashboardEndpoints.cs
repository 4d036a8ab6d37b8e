using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StreamEngine.Dashboard;
using StreamEngine.Dashboard.Hosting;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>
/// The dashboard at <c>/</c>, for keys and tokens that may read. A browser logs in with one by a form, and is known by a cookie from then
/// on; the page's connection passes the same checks as every other request, of host, origin and session.
/// </summary>
internal static class DashboardEndpoints
{
    private const int MostFormBytes = 20 << 10;

    /// <summary>Adds it.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="dashboard">What answers.</param>
    /// <param name="options">The config's keys.</param>
    public static void Map(WebApplication app, DashboardServer dashboard, HttpOptions options)
    {
        var (access, sessions) = (app.Services.GetRequiredService<Access>(), new Sessions(TimeProvider.System));
        var pages = new Demand(Scope.Read) { Sessions = sessions, LogIn = context => LogInAsync(context, "") };
        foreach (var path in DashboardServer.Pages)
            app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], ServeAsync).WithMetadata(pages).ExcludeFromDescription();
        app.Map(DashboardServer.Connection, ServeAsync).WithMetadata(new Demand(Scope.Read) { Sessions = sessions })
            .ExcludeFromDescription();
        foreach (var path in DashboardServer.Assets)
            app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], DashboardServer.ServeAssetAsync).IsOpen().ExcludeFromDescription();
        app.MapPost("/login", (HttpContext context) => EnterAsync(context, access, sessions)).WithMetadata(new Demand(null)
        { MaxRequestBodySize = MostFormBytes }).ExcludeFromDescription();
        app.MapPost("/logout", (HttpContext context) =>
        {
            sessions.End(context);
            SeeOther(context, "/");
        }).IsOpen().ExcludeFromDescription();

        // A page is drawn for whoever asked for it, and its connection acts for whoever opened that. Without keys it is this machine.
        Task ServeAsync(HttpContext context)
        {
            context.User = context.Features.Get<Caller>() is { } caller ? ReplayControl.Viewer(caller.Name, caller.May(Scope.Admin))
                : ReplayControl.Viewer("this machine", isAdmin: options.Keys.Count == 0 && options.Jwt is null);
            return dashboard.InvokeAsync(context);
        }
    }

    private static async Task EnterAsync(HttpContext context, Access access, Sessions sessions)
    {
        if (!context.Request.HasFormContentType)
        {
            await Problems.RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, "content_type",
                "Send a form: content-type: application/x-www-form-urlencoded").ConfigureAwait(false);
            return;
        }
        var form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        var verdict = await access.FindAsync(form["key"].ToString().Trim(), context.RequestAborted).ConfigureAwait(false);
        if (verdict.Caller?.May(Scope.Read) == true)
        {
            sessions.Begin(context, verdict.Caller, verdict.Ends);
            SeeOther(context, "/");
            return;
        }
        context.Features.Get<HttpMetrics>()?.Refuse(verdict.Caller is null ? verdict.Reason : "scope");
        await LogInAsync(context, verdict.Caller is null ? verdict.Detail
            : $"This {(verdict.Caller.ByToken ? "token" : "key")} may not read: it needs the scope read.").ConfigureAwait(false);
    }

    private static async Task LogInAsync(HttpContext context, string message)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.ContentType = "text/html; charset=utf-8";
        DashboardServer.SetHeaders(context);
        await context.Response.WriteAsync(LoginPage.Html(message), context.RequestAborted).ConfigureAwait(false);
    }

    private static void SeeOther(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
    }
}
