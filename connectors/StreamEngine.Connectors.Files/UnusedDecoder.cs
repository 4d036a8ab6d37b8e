using StreamEngine.Events;

namespace StreamEngine.Connectors.Files;

/// <summary>Stands in for the decoder of a source that no file belongs to.</summary>
internal sealed class UnusedDecoder : IEventDecoder
{
    public RejectReason Decode(byte[] buffer, Range32 value, Range32 key, Event target) =>
        throw new InvalidOperationException("A record came from a source that has no files.");
}
