using StreamEngine.Connectors.Kafka;
using Xunit;

namespace StreamEngine.ContractTests.Logs;

public sealed class ClientLogTests
{
    [Theory]
    [InlineData("b:1/bootstrap: Connect to ipv4#1.2.3.4:1 failed: Connection refused (after 0ms in state CONNECT, 1 identical error(s) "
        + "suppressed)", "b:1/bootstrap: Connect to ipv4#1.2.3.4:1 failed: Connection refused")]
    [InlineData("b:1/bootstrap: Disconnected (after 12ms in state APIVERSION_QUERY)", "b:1/bootstrap: Disconnected")]
    [InlineData("Local: Timed out.", "Local: Timed out")]
    public void The_clients_notes_are_left_out(string reason, string plain) => Assert.Equal(plain, ClientLog.Plain(reason));
}
