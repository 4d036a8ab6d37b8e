namespace StreamEngine.Activation.Webhook;

/// <summary>
/// A header whose value stands in a file that others may renew, as a token that lasts an hour. The file is looked at again while calls go
/// out; where it can't be read, or holds what no header can have, the value before stays. Any thread.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="value">What it held at the start.</param>
/// <param name="time">The clock.</param>
internal sealed class RenewedHeader(string path, string value, TimeProvider time)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private string _value = value;
    private long _lookedAt = time.GetTimestamp();

    /// <summary>The newest value.</summary>
    public string Value
    {
        get
        {
            lock (_lock)
            {
                if (time.GetElapsedTime(_lookedAt) < LookAgain) return _value;
                _lookedAt = time.GetTimestamp();
                try
                {
                    var text = File.ReadAllText(path).TrimEnd('\r', '\n');
                    // A file that is being written may be empty for a moment.
                    if (text.Length > 0 && WebhookCall.IsHeaderValue(text)) _value = text;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The partner tells when the old value is good no more.
                }
                return _value;
            }
        }
    }
}
