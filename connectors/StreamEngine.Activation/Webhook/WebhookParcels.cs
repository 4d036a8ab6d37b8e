using StreamEngine.Activation.Records;

namespace StreamEngine.Activation.Webhook;

/// <summary>Records that one call delivers.</summary>
/// <param name="Target">Where to, and how.</param>
internal sealed record Parcel(WebhookTarget Target)
{
    /// <summary>The records, in order.</summary>
    public List<ActivationRecord> Records { get; init; } = [];

    /// <summary>
    /// What the partner knows a repetition by: the record's key, or where its records lie in the topic. Whoever makes another parcel of
    /// some of them gives it another key.
    /// </summary>
    public string IdempotencyKey => Records is [var one] ? one.IdempotencyKey
        : $"{Records[0].Origin.Partition.Topic}/{Records[0].Origin.Partition.Partition}/{Records[0].Origin.Offset}-"
            + $"{Records[^1].Origin.Offset}/{Records.Count}";

    /// <summary>Its halves, of which each can be delivered on its own.</summary>
    public IReadOnlyList<Parcel> Halves() =>
        [new Parcel(Target) { Records = Records[..(Records.Count / 2)] }, new Parcel(Target) { Records = Records[(Records.Count / 2)..] }];
}

/// <summary>Makes as few parcels of a batch as there can be while the records of each customer stay in their order.</summary>
internal static class WebhookParcels
{
    /// <summary>The parcels, to be delivered one after another.</summary>
    /// <param name="records">The batch's records.</param>
    /// <param name="target">Where a record goes.</param>
    /// <param name="together">Whether a parcel may have many records.</param>
    public static List<Parcel> Of(IReadOnlyList<ActivationRecord> records, Func<ActivationRecord, WebhookTarget> target, bool together)
    {
        var parcels = new List<Parcel>();
        var newest = new Dictionary<string, int>(StringComparer.Ordinal);   // by customer, in which parcel the last record is
        foreach (var record in records)
        {
            var to = target(record);
            var customer = Convert.ToHexString(record.Key);
            var first = newest.GetValueOrDefault(customer);
            var at = together ? parcels.FindIndex(first, p => ReferenceEquals(p.Target, to)) : -1;
            if (at < 0)
            {
                at = parcels.Count;
                parcels.Add(new Parcel(to));
            }
            parcels[at].Records.Add(record);
            newest[customer] = at;
        }
        return parcels;
    }
}
