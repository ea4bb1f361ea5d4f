using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Coordinator.Fakes;
using Coordinator.Host;
using Coordinator.Host.Composition;
using Coordinator.Host.Starting;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Starting;
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

    public HostBuildTests() => File.WriteAllText(Path.Combine(folder, "coordinator-box"), string.Empty);

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
    public async Task The_start_says_of_every_port_who_serves_it()
    {
        await using var host = CoordinatorHost.Build(Arguments());
        var said = string.Join('\n', host.Services.GetRequiredService<PortReport>().Lines.Select(line => line.Line));

        foreach (var port in typeof(PortAttribute).Assembly.GetExportedTypes().Where(type => Attribute.IsDefined(type, typeof(PortAttribute)))) Assert.Contains($"{port.Name} = ", said, StringComparison.Ordinal);
        Assert.Contains("IAgentRuntime = in each box, by its session's agent", said, StringComparison.Ordinal);
        Assert.DoesNotContain("= nothing", said, StringComparison.Ordinal);
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

        var failures = RefusedSettings.In(failure).ToList();
        Assert.Contains(failures, text => text.Contains("BoxProgram", StringComparison.Ordinal));
        Assert.Contains(failures, text => text.Contains("MaxPoolSize", StringComparison.Ordinal));
        Assert.Contains(failures, text => text.Contains("SignInLinkLifetime", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Paths_that_lead_nowhere_are_said_with_all_else_that_is_wrong_and_are_exit_code_78()
    {
        var nowhere = Path.Combine(folder, "nowhere");
        string[] settings = ["Sandbox:Local:BoxProgram", "Sandbox:Local:Agents:opencode", "Database:Embedded:BinariesDirectory", "Git:Executable", "Models:CatalogFile", "GitHubApp:PrivateKeyFile", "Web:Root"];
        string[] arguments = Arguments([.. settings.Select(setting => $"--{setting}={nowhere}"), "--GitHubApp:AppId=1", "--Database:MaxPoolSize=1"]);

        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(arguments))).ToList();

        Assert.Equal(settings.Length + 1, failures.Count);
        Assert.All(settings, setting => Assert.Contains(failures, text => text.StartsWith(setting.Replace("Local:", "Local: ", StringComparison.Ordinal), StringComparison.Ordinal) && text.Contains($"names {nowhere}", StringComparison.Ordinal)));
        Assert.Equal(78, await CoordinatorHost.RunAsync(arguments));
    }

    [Theory]
    [InlineData("--Sessions:ArchiveEventsAfter=10.00:00:00", "--Sessions:KeepEvents=10.00:00:00", "Sessions:ArchiveEventsAfter must be less than Sessions:KeepEvents")]
    [InlineData("--Sessions:ArchiveEventsAfter=01:00:00", "--Sessions:KeepEvents=", "Sessions:ArchiveEventsAfter must be at least a day")]
    public void Events_are_archived_before_they_are_removed_and_not_sooner_than_after_a_day(string archive, string keep, string said) =>
        Assert.StartsWith(said, Assert.Single(RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments(archive, keep))))), StringComparison.Ordinal);

    [Fact]
    public async Task Wrong_options_are_exit_code_78() =>
        Assert.Equal(78, await CoordinatorHost.RunAsync(Arguments("--Sandbox:Local:BoxProgram=")));

    [Fact]
    public async Task A_provider_that_lacks_what_is_required_is_refused_by_name_with_exit_code_78()
    {
        var arguments = Arguments("--Sandbox:Local:AllowUnisolated=true", "--Sandbox:Requires:0=EnforcesMemory", "--Sandbox:Requires:1=EnforcesEgress");
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(arguments));

        Assert.StartsWith("Sandbox:Requires demands EnforcesEgress, which the sandbox provider 'local' does not do", Assert.Single(RefusedSettings.In(failure)), StringComparison.Ordinal);
        Assert.Equal(78, await CoordinatorHost.RunAsync(arguments));
    }

    [Fact]
    public async Task A_provider_that_does_what_is_required_is_accepted_and_so_is_one_that_cannot_tell_yet()
    {
        await using var local = CoordinatorHost.Build(Arguments("--Sandbox:Requires:0=EnforcesEgress"));
        await using var modal = CoordinatorHost.Build(Arguments("--Sandbox:Requires:0=Snapshots", "--Sandbox:Provider=Modal", "--PublicUrl=http://127.0.0.1:8787", "--Sandbox:Modal:Urls:0=http://127.0.0.1:8790", "--Sandbox:Modal:KeyId=k", "--Sandbox:Modal:Secret=0123456789abcdef0123456789abcdef"));

        Assert.Null(modal.Services.GetRequiredService<ISandboxProvider>().Capabilities);
    }

    [Fact]
    public void Required_capabilities_that_there_are_not_are_all_named_at_once()
    {
        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Requires:0=Teleports", "--Sandbox:Requires:1=Sings")))).ToList();

        Assert.Contains("Sandbox: Requires: there is no capability 'Teleports'; there are KeepsData, Snapshots, EnforcesMemory, EnforcesEgress.", failures);
        Assert.Contains(failures, text => text.Contains("'Sings'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Boxes_come_from_data_planes_by_one_setting()
    {
        await using var host = CoordinatorHost.Build(Arguments("--Sandbox:Provider=Modal", "--PublicUrl=http://127.0.0.1:8787", "--Sandbox:Modal:Urls:0=http://127.0.0.1:8790", "--Sandbox:Modal:KeyId=k", "--Sandbox:Modal:Secret=0123456789abcdef0123456789abcdef"));

        Assert.Equal("modal", host.Services.GetRequiredService<ISandboxProvider>().Name);
    }

    [Fact]
    public void A_provider_that_is_half_configured_says_all_that_is_missing_at_once()
    {
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Provider=Modal", "--Sandbox:Modal:Urls:0=http://boxes.example.com", "--PublicUrl=http://user@example.com/path")));

        var failures = string.Join('\n', RefusedSettings.In(failure));
        Assert.All(["Urls must be https", "KeyId must name", "Secret must have", "ControlPlaneUrl (or PublicUrl)"], wanted => Assert.Contains(wanted, failures, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_wrong_with_the_provider_hides_nothing_else_that_is_wrong_about_boxes()
    {
        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Provider=Modal", "--Sandbox:Requires:0=Teleports", "--Sandbox:Requires:1=KeepsData", "--Sandbox:Cpus=0")))).ToList();

        Assert.All(["'Teleports'", "Cpus must be", "Urls must hold", "KeyId must name", "Secret must have"], wanted => Assert.Contains(failures, text => text.Contains(wanted, StringComparison.Ordinal)));
        Assert.Equal(failures.Count, failures.Distinct().Count());
    }

    [Fact]
    public void Boxes_elsewhere_are_not_told_to_dial_back_to_their_own_machine()
    {
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Provider=Modal", "--Urls=http://0.0.0.0:8787", "--Sandbox:Modal:Urls:0=https://boxes.example.com", "--Sandbox:Modal:KeyId=k", "--Sandbox:Modal:Secret=0123456789abcdef0123456789abcdef")));

        Assert.Equal("Sandbox:Modal: ControlPlaneUrl (or PublicUrl) must be where other machines reach this host, not 'http://localhost:8787'.", Assert.Single(RefusedSettings.In(failure)));
    }

    [Theory]
    [InlineData("Docker", "Sandbox:Provider: there is no 'Docker'; it is one of Local, Modal.")]
    [InlineData("Local,Modal", "Sandbox:Provider: 'Local,Modal' names 2 adapters for the one port ISandboxProvider; choose one of Local, Modal.")]
    public async Task A_provider_that_is_none_or_several_is_refused_by_name_with_exit_code_78(string provider, string message)
    {
        var failures = RefusedSettings.In(Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments($"--Sandbox:Provider={provider}", "--Sandbox:Requires:0=KeepsData", "--Vault:MasterKey=short")))).ToList();

        Assert.Equal(2, failures.Count);
        Assert.Contains(message, failures);
        Assert.Contains(failures, text => text.Contains("MasterKey", StringComparison.Ordinal));
        Assert.Equal(78, await CoordinatorHost.RunAsync(Arguments($"--Sandbox:Provider={provider}")));
    }

    [Fact]
    public void Providers_that_a_file_lists_are_several_too()
    {
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--Sandbox:Provider:0=Local", "--Sandbox:Provider:1=Modal")));

        Assert.Contains("Sandbox:Provider: 'Local,Modal' names 2 adapters for the one port ISandboxProvider; choose one of Local, Modal.", RefusedSettings.In(failure));
    }

    [Fact]
    public async Task An_app_on_a_git_host_serves_beside_plain_git_and_the_port_is_claimed_once()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);

        await using var app = CoordinatorHost.Build(Arguments("--GitHubApp:AppId=app", $"--GitHubApp:PrivateKey={key.ExportPkcs8PrivateKeyPem()}"));

        Assert.Equal("GitHubOrElse", app.Services.GetRequiredService<ISourceControl>().GetType().Name);
    }

    [Fact]
    public void Half_an_app_on_a_git_host_is_refused()
    {
        var failure = Assert.ThrowsAny<Exception>(() => CoordinatorHost.Build(Arguments("--GitHubApp:AppId=app")));

        Assert.Contains("GitHubApp:PrivateKeyFile", Assert.Single(RefusedSettings.In(failure)), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_adapters_that_claim_one_port_are_refused_by_name()
    {
        var services = new ServiceCollection().AddSingleton<ISandboxProvider>(new InMemorySandboxProvider(TimeProvider.System)).AddSingleton<ISandboxProvider>(new InMemorySandboxProvider(TimeProvider.System));

        var failure = Assert.Throws<MisconfiguredException>(() => services.DemandOneAdapterPerPort());

        Assert.Equal("ISandboxProvider is claimed by InMemorySandboxProvider and InMemorySandboxProvider; configure one of them.", failure.Message);
    }

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
