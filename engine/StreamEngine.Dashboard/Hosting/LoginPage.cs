using System.Net;

namespace StreamEngine.Dashboard.Hosting;

/// <summary>
/// The page of those who are not logged in: a form for a key or token, which is sent in the body and never stands in an address.
/// </summary>
public static class LoginPage
{
    /// <summary>The page.</summary>
    /// <param name="message">What went wrong; empty at first.</param>
    public static string Html(string message = "") => $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>Log in - StreamEngine</title>
          <link rel="icon" type="image/svg+xml" href="/_content/icon.svg">
          <link rel="stylesheet" href="/_content/dashboard.css">
          <script src="/_content/theme.js"></script>
        </head>
        <body class="login">
          <main>
            <h1>StreamEngine</h1>
            <form method="post" action="/login">
              <label for="key">Key or token with the scope <code>read</code></label>
              <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
              <p role="alert">{WebUtility.HtmlEncode(message)}</p>
              <button type="submit">Log in</button>
            </form>
            <p class="quiet"><code>streamengine keys new NAME --scope read</code> makes one.</p>
          </main>
        </body>
        </html>
        """;
}
