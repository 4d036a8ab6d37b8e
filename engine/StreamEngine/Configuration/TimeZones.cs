namespace StreamEngine.Configuration;

/// <summary>Time zones by their names.</summary>
internal static class TimeZones
{
    /// <summary>
    /// A zone of the IANA database by its exact name; null where there is none. The runtime finds a zone that it has loaded before by its
    /// name in other capitals too, and takes the machine's own zone for one: what is found must depend on neither.
    /// </summary>
    /// <param name="name">The name.</param>
    public static TimeZoneInfo? Find(string name) =>
        name != "localtime" && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.Id == name
            && (zone.HasIanaId || name == "UTC") ? zone : null;
}
