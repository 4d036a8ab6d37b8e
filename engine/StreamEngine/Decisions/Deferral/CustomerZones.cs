using StreamEngine.Expressions;

namespace StreamEngine.Decisions;

/// <summary>Finds the time zone by which quiet hours are a customer's. For one thread.</summary>
internal sealed class CustomerZones
{
    private readonly TimeZoneCache _zones = new();

    /// <summary>The customer's zone, or the one that stands in.</summary>
    /// <param name="quiet">The quiet hours.</param>
    /// <param name="context">The event and the features.</param>
    /// <param name="isUnknown">Whether the customer's own was asked for and is not known.</param>
    public TimeZoneInfo Of(QuietHours quiet, EvalContext context, out bool isUnknown)
    {
        isUnknown = false;
        if (quiet.Zone is not { } expression) return quiet.Otherwise;
        if (_zones.Find(expression(context)) is { } zone) return zone;
        isUnknown = true;
        return quiet.Otherwise;
    }
}
