using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Coordinator.Host.OpenApi;

/// <summary>The OpenAPI document of the public API, at <c>/openapi/v1.json</c>.</summary>
internal static class ApiDocument
{
    private const string Name = "v1";
    private const string ApiKeyScheme = "apiKey";

    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.ShouldInclude = description => AccessOf(description) != AccessKind.Box;
        options.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document);
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            AddRefusals(operation, context);
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            DescribeIds(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        });
    });

    public static void MapApiDocument(this IEndpointRouteBuilder routes) => routes.MapOpenApi("/openapi/{documentName}.json").WithoutCredential();

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new() { Title = "Coordinator", Version = Name, Description = "Hosted coding-agent sessions. docs/protocol.md says what every part means." };
        document.Servers?.Clear();
        document.Components ??= new();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
        document.Components.SecuritySchemes[ApiKeyScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key: ck_…" };
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas["Problem"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "RFC 9457 problem details. code is stable, detail says what to do.",
            Required = new HashSet<string>(StringComparer.Ordinal) { "type", "title", "status", "code", "detail", "traceId" },
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
            {
                ["type"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uri" },
                ["title"] = new OpenApiSchema { Type = JsonSchemaType.String },
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                ["code"] = new OpenApiSchema { Type = JsonSchemaType.String },
                ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String },
                ["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String },
            },
        };
    }

    private static void AddRefusals(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        operation.Responses ??= [];
        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "A refusal.",
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [ProblemHttp.ContentType] = new() { Schema = new OpenApiSchemaReference("Problem", context.Document) } },
        };
        if (AccessOf(context.Description) == AccessKind.Anonymous) return;
        operation.Security = [new() { [new OpenApiSecuritySchemeReference(ApiKeyScheme, context.Document)] = [] }];
        operation.Parameters ??= [];
        operation.Parameters.Add(Header("Coordinator-Organization", "Which of a person's organizations this is for."));
        operation.Parameters.Add(Query("organization", "The same, where a browser lets a page set no header: sockets, links."));
        if (context.Description.HttpMethod == HttpMethods.Post) operation.Parameters.Add(Header("Idempotency-Key", "The same key and body answer the first result again."));
    }

    private static AccessKind AccessOf(ApiDescription description) =>
        description.ActionDescriptor.EndpointMetadata.OfType<EndpointAccess>().LastOrDefault()?.Kind ?? AccessKind.Tenant;

    private static OpenApiParameter Header(string name, string description) =>
        new() { Name = name, In = ParameterLocation.Header, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };

    private static OpenApiParameter Query(string name, string description) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };

    private static void DescribeIds(OpenApiSchema schema, Type type)
    {
        var id = Nullable.GetUnderlyingType(type) ?? type;
        if (!id.GetInterfaces().Any(contract => contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IPrefixedId<>))) return;
        var prefix = (string)id.GetProperty(nameof(IPrefixedId<SessionId>.Prefix))!.GetValue(null)!;
        schema.Type = id == type ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
        schema.Pattern = $"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$";
        schema.Properties?.Clear();
    }
}
