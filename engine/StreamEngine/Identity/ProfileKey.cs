using StreamEngine.Events;

namespace StreamEngine.Identity;

/// <summary>
/// Says which profile an event belongs to. A profile is one customer id; merging several ids of one person is not done yet.
/// </summary>
public static class ProfileKey
{
    /// <summary>The profile's key: the customer id's UTF-8 bytes.</summary>
    public static ReadOnlySpan<byte> Of(Event e) => e.Customer.Text;
}
