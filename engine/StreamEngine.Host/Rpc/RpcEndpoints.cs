using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using StreamEngine.Host.Configuration;
using StreamEngine.Host.Http.Security;
using StreamEngine.Host.Live;
using StreamEngine.Runtime.Requests;

namespace StreamEngine.Host.Rpc;

/// <summary>
/// gRPC at a port of its own: without TLS, Kestrel can't tell HTTP/2 from HTTP/1.1 at one port. Calls go the way of every HTTP request:
/// names, keys, scopes, rates and metrics are the same, and <see cref="RpcFaults"/> says refusals as gRPC has them.
/// </summary>
internal static class RpcEndpoints
{
    private const int MostMessageBytes = (int)Demand.MostBodyBytes;

    /// <summary>Adds what serves calls.</summary>
    public static void AddServices(IServiceCollection services) => services.AddGrpc(options =>
    {
        options.MaxReceiveMessageSize = MostMessageBytes;
        // The text of an exception that nobody expected is not for callers.
        options.EnableDetailedErrors = false;
    });

    /// <summary>Adds the services, and their description for tools such as grpcurl.</summary>
    /// <param name="app">The endpoint.</param>
    /// <param name="customers">Where requests go.</param>
    /// <param name="timeout">How long a request is tried that says nothing else (<c>requests.timeout</c>).</param>
    /// <param name="live">The live streams; null where the config has none.</param>
    public static void Map(WebApplication app, ICustomerGateway customers, TimeSpan timeout, LiveStreams? live)
    {
        Demanded(app.MapGrpcService(V1.Decisions.BindService(new DecisionsService(customers, timeout))), Scope.Decide);
        Demanded(app.MapGrpcService(V1.Customers.BindService(new CustomersService(customers, timeout, live))), Scope.Read);
        Google.Protobuf.Reflection.ServiceDescriptor[] services = [V1.Decisions.Descriptor, V1.Customers.Descriptor];
        Demanded(app.MapGrpcService(Grpc.Reflection.V1Alpha.ServerReflection.BindService(new ReflectionServiceImpl(services))), Scope.Read);
        Demanded(app.MapGrpcService(Grpc.Reflection.V1.ServerReflection.BindService(new ReflectionV1ServiceImpl(services))), Scope.Read);
    }

    // A message is measured by what its head says, before it is read. A limit of the whole body beside that would be met first or second,
    // as the network cuts it, and be told as an error that nobody expected.
    private static void Demanded(GrpcServiceEndpointConventionBuilder service, Scope scope) =>
        service.WithMetadata(new Demand(scope) { MaxRequestBodySize = null });
}
