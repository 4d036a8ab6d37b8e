using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using StreamEngine.Host.Http.Security;

namespace StreamEngine.Host.Http;

/// <summary>What an endpoint's requests carry, for the document alone: the endpoint itself reads and judges them.</summary>
/// <param name="Types">Content types; empty where there is no body.</param>
/// <param name="Body">The type that a JSON body has; null where the config says what it is.</param>
/// <param name="Parameters">Parameters of the address, with what each means.</param>
internal sealed record RequestDescription(IReadOnlyList<string> Types, Type? Body = null, params (string Name, string Text)[] Parameters);

/// <summary>
/// <c>/openapi/v1.json</c>: the description of the endpoints that this process serves, committed with all of them as
/// <c>schemas/openapi.json</c>. Keys, problems and path parameters are told of each endpoint by what it demands.
/// </summary>
internal static class ApiDocument
{
    private const string Bearer = "bearer", Header = "header";

    private static readonly Dictionary<string, string> PathParameters = new()
    {
        ["id"] = "The customer id, as events have it.",
        ["decision_id"] = "The decision's id, with its slashes or with %2F for each: shop/events/3/1841/1.",
        ["key"] = "The flag: a placement of ofrep.placements, or an experiment.",
        ["source"] = "A source of the collector.",
    };

    /// <summary>Describes an endpoint.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="tag">The group it is shown in.</param>
    /// <param name="name">Its name, from which generators make a method's.</param>
    /// <param name="summary">What it does.</param>
    /// <param name="refusals">Statuses of its own problems, beside those of keys and limits.</param>
    public static RouteHandlerBuilder Told(this RouteHandlerBuilder endpoint, string tag, string name, string summary,
        params int[] refusals)
    {
        endpoint.WithTags(tag).WithName(name).WithSummary(summary);
        foreach (var status in refusals) endpoint.ProducesProblem(status);
        return endpoint;
    }

    /// <summary>Adds what makes the document.</summary>
    public static void AddServices(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        });
        services.AddOpenApi("v1", options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddDocumentTransformer((document, _, _) =>
            {
                Describe(document);
                return Task.CompletedTask;
            });
            options.AddOperationTransformer(DescribeAsync);
        });
    }

    /// <summary>Serves it.</summary>
    public static void Map(WebApplication app) => app.MapOpenApi("/openapi/{documentName}.json").IsOpen();

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "StreamEngine",
            Version = "1",
            Description = "Decisions, profiles, live streams and the collector of one engine. Refusals are problem details (RFC 9457) "
                + "with a word in `reason`.",
        };
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key of http.keys." },
            [Header] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = PresentedKey.Header,
                Description = "The same in a header of its own.",
            },
        };
    }

    private static async Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context,
        CancellationToken cancel)
    {
        var description = context.Description;
        var metadata = description.ActionDescriptor.EndpointMetadata;
        operation.Parameters ??= [];
        foreach (var name in RoutePatternNames(description.RelativePath ?? ""))
            if (operation.Parameters.All(p => p.Name != name))
                operation.Parameters.Add(Parameter(name, ParameterLocation.Path, PathParameters[name]));
        foreach (var told in operation.Parameters.OfType<OpenApiParameter>())
            if (told.In == ParameterLocation.Path) told.Description = PathParameters[told.Name!];
        if (metadata.OfType<RequestDescription>().LastOrDefault() is { } request)
        {
            foreach (var (name, text) in request.Parameters) operation.Parameters.Add(Parameter(name, ParameterLocation.Query, text));
            if (request.Types.Count > 0)
                operation.RequestBody = new OpenApiRequestBody
                {
                    Required = true,
                    Content = await ContentAsync(request, context, cancel).ConfigureAwait(false),
                };
        }
        if (metadata.OfType<Demand>().LastOrDefault() is { Scope: { } scope }) DescribeKey(operation, context, scope.ToString());
    }

    private static void DescribeKey(OpenApiOperation operation, OpenApiOperationTransformerContext context, string scope)
    {
        operation.Description =
            $"Needs a key with the scope `{StreamEngine.Configuration.Spelling.Snake(scope)}` where the config has keys.";
        operation.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] },
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Header, context.Document)] = [] },
            new OpenApiSecurityRequirement(), // without keys in the config this machine needs none
        ];
        operation.Responses ??= [];
        foreach (var (status, text) in new[] { ("401", "No key, or an unknown one."), ("403", "The key, or the page, may not do this."),
            ("429", "More requests than the key's rate, or no room: Retry-After says when to come again.") })
            if (!operation.Responses.ContainsKey(status))
                operation.Responses[status] = new OpenApiResponse
                {
                    Description = text,
                    Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new OpenApiMediaType() },
                };
    }

    private static async Task<Dictionary<string, OpenApiMediaType>> ContentAsync(RequestDescription request,
        OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var content = new Dictionary<string, OpenApiMediaType>();
        foreach (var type in request.Types)
            content[type] = new OpenApiMediaType
            {
                Schema = request.Body is { } body
                    ? await context.GetOrCreateSchemaAsync(body, cancellationToken: cancel).ConfigureAwait(false) : new OpenApiSchema(),
            };
        return content;
    }

    private static OpenApiParameter Parameter(string name, ParameterLocation where, string text) => new()
    {
        Name = name,
        In = where,
        Required = where == ParameterLocation.Path,
        Description = text,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static IEnumerable<string> RoutePatternNames(string path) =>
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternFactory.Parse(path).Parameters.Select(p => p.Name);
}
