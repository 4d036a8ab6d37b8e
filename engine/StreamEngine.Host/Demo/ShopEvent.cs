namespace StreamEngine.Host.Demo;

/// <summary>One event of the synthetic shop.</summary>
internal sealed class ShopEvent
{
    public string EventId = "";
    public string CustomerId = "";
    public string Type = "";
    public long Time;
    public string Placement = "";
    public string Product = "";
    public string Category = "";
    public long ValueCents;
    public int Quantity;
    public string[] Consent = [];

    /// <summary>Whether the record is written broken, as a faulty tracker would.</summary>
    public bool Broken;
}
