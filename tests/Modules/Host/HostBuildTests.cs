using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Coordinator.Host;
using Coordinator.Ports;
using Coordinator.Tests.Support.Snapshots;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>The real composition, built and not started.</summary>
public sealed class HostBuildTests : IDisposable
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string folder = Directory.CreateTempSubdirectory("coordinator-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_public_API_is_as_approved()
    {
        await using var host = CoordinatorHost.Build(Arguments());

        var document = await host.Services.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync();

        var json = JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!;
        await Snapshot.Verify(json.ToJsonString(Indented), "openapi", "json");
    }

    [Fact]
    public async Task Every_port_of_a_host_has_its_adapter()
    {
        await using var host = CoordinatorHost.Build(Arguments());

        foreach (var port in typeof(PortAttribute).Assembly.GetExportedTypes().Where(type => Attribute.IsDefined(type, typeof(PortAttribute)) && type.Name != "IAgentRuntime"))
        {
            var adapter = host.Services.GetRequiredService(port);
            Assert.StartsWith("Coordinator.Adapters.", adapter.GetType().Namespace, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Everything_a_route_takes_or_answers_has_source_generated_JSON()
    {
        await using var host = CoordinatorHost.Build(Arguments());
        var json = host.Services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        var generated = json.TypeInfoResolverChain.OfType<JsonSerializerContext>().ToArray();
        var descriptions = host.Services.GetRequiredService<IApiDescriptionGroupCollectionProvider>().ApiDescriptionGroups.Items.SelectMany(group => group.Items).ToList();
        var types = descriptions.SelectMany(description => description.SupportedResponseTypes.Select(response => response.Type)
                .Concat(description.ParameterDescriptions.Where(parameter => parameter.Source.Id == "Body").Select(parameter => parameter.Type)))
            .Where(type => type is not null && type != typeof(void))
            .Distinct();

        Assert.NotEmpty(descriptions);
        Assert.DoesNotContain(types, type => !Array.Exists(generated, context => context.GetTypeInfo(type!) is not null));
    }

    [Fact]
    public void Everything_that_is_wrong_with_the_options_is_said_at_once()
    {
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Local:BoxProgram=", "--Database:MaxPoolSize=1", "--Tenancy:SignInLinkLifetime=0")));

        var failures = Failures(failure).ToList();
        Assert.Contains(failures, text => text.Contains("BoxProgram", StringComparison.Ordinal));
        Assert.Contains(failures, text => text.Contains("MaxPoolSize", StringComparison.Ordinal));
        Assert.Contains(failures, text => text.Contains("SignInLinkLifetime", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_options_are_exit_code_78() =>
        Assert.Equal(78, await CoordinatorHost.RunAsync(Arguments("--Sandbox:Local:BoxProgram=")));

    private static IEnumerable<string> Failures(Exception failure) => failure switch
    {
        AggregateException several => several.InnerExceptions.SelectMany(Failures),
        OptionsValidationException options => options.Failures,
        _ => [failure.Message],
    };

    private string[] Arguments(params string[] more) =>
    [
        $"--DataDirectory={folder}",
        $"--Sandbox:Local:SocketDirectory={folder}/run",
        $"--Sandbox:Local:BoxProgram={folder}/coordinator-box",
        "--Urls=http://127.0.0.1:0",
        "--Demo:Enabled=true",
        .. more,
    ];
}
