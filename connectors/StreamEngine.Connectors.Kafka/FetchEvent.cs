using Confluent.Kafka;

namespace StreamEngine.Connectors.Kafka;

/// <summary>
/// What a fetch met instead of a record. End of partition comes as <see cref="ErrorCode.Local_PartitionEOF"/> with the next offset.
/// </summary>
internal readonly record struct FetchEvent(ErrorCode Code, TopicPartition? Partition, long Offset, string Text);
