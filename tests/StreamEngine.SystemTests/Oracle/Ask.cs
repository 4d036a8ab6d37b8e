namespace StreamEngine.SystemTests.Oracle;

/// <summary>A decision that somebody asked for.</summary>
/// <param name="Id">The request's id.</param>
/// <param name="Customer">Of whom.</param>
/// <param name="Placement">Where the offer would be shown.</param>
internal sealed record Ask(string Id, string Customer, string Placement);
