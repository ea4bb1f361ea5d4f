using System.Net.Sockets;
using System.Runtime.Versioning;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Ports.Compute;
using Coordinator.SandboxHost;
using Coordinator.SandboxHost.Boxes;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What a sandbox host does beyond the port: the boxes' way back, their time, its own start.</summary>
[SupportedOSPlatform("linux")]
public sealed class SandboxHostTests : IAsyncLifetime
{
    private readonly ModalRig rig = new();

    public Task InitializeAsync() => rig.StartAsync();

    public async Task DisposeAsync() => await rig.DisposeAsync();

    [Fact]
    public async Task A_boxs_request_reaches_the_control_plane_that_made_it_and_streams_back()
    {
        var seen = string.Empty;
        await using var controlPlane = await LoopbackServer.StartAsync(app => app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            seen = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Host} {await reader.ReadToEndAsync()}";
            context.Response.Headers["X-Answer"] = "yes";
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await context.Response.WriteAsync("streamed");
        }));
        var spec = await CreateAsync(controlPlane.Address);
        using var box = BoxClient(spec.BridgeToken);

        using var answer = await box.PostAsync("/model/v1/demo/chat/completions?x=1", new StringContent("{}"));

        Assert.Equal((202, "streamed", "yes"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.GetValues("X-Answer").Single()));
        Assert.Equal("POST /model/v1/demo/chat/completions?x=1 " + controlPlane.Address.Authority + " {}", seen);
    }

    [Theory]
    [InlineData("/v1/sessions")]
    [InlineData("/v1/sign-in")]
    [InlineData("/v1/bridge/../sessions")]
    [InlineData("/v1/bridge/%2e%2e/sessions")]
    [InlineData("/v1/bridgeother")]
    [InlineData("/sandboxes")]
    [InlineData("/health")]
    public async Task A_box_reaches_nothing_but_what_is_meant_for_boxes(string path)
    {
        var asked = 0;
        await using var controlPlane = await LoopbackServer.StartAsync(app => app.Run(_ =>
        {
            asked++;
            return Task.CompletedTask;
        }));
        using var box = BoxClient((await CreateAsync(controlPlane.Address)).BridgeToken);

        using var answer = await box.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal((404, 0), ((int)answer.StatusCode, asked));
    }

    [Fact]
    public async Task A_token_of_no_box_of_this_machine_leads_nowhere()
    {
        using var box = BoxClient(Specs.New().BridgeToken);
        using var answer = await box.GetAsync(new Uri("/v1/bridge", UriKind.Relative));
        Assert.Equal(401, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_control_plane_that_does_not_answer_breaks_the_boxs_connection_as_a_host_that_is_down_does()
    {
        using var box = BoxClient((await CreateAsync(new("http://127.0.0.1:9"))).BridgeToken);
        await Assert.ThrowsAsync<HttpRequestException>(() => box.GetAsync(new Uri("/v1/bridge/egress?host=x&port=1", UriKind.Relative)));
    }

    [Fact]
    public async Task The_work_dies_with_the_box_at_the_providers_maximum_life__its_data_is_kept_though_its_control_plane_is_gone_and_the_next_box_has_it()
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        var spec = Specs.New();
        var handle = await rig.Connect([("TtlSeconds", "3600")], rig.Url).MakeAsync(spec);
        await rig.WriteAsync(spec, "work", "forty minutes of it");
        using var reaper = new BoxReaper(rig.Host.Services.GetRequiredService<ISandboxProvider>(), rig.Host.Services.GetRequiredService<CreateLedger>(), time, Microsoft.Extensions.Logging.Abstractions.NullLogger<BoxReaper>.Instance);
        Assert.Equal(0, await reaper.ReapAsync(CancellationToken.None));

        time.Advance(TimeSpan.FromHours(2)); // its hour began once it was made, which a busy machine takes seconds for

        Assert.Equal(1, await reaper.ReapAsync(CancellationToken.None));
        Assert.Equal(SandboxStatus.Stopped, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
        Assert.Equal("forty minutes of it", await rig.ReadAsync(spec, "work"));

        var next = Specs.NextOf(spec) with { Home = handle.Node };
        await rig.Provider.MakeAsync(next);
        Assert.Equal((0, "forty minutes of it"), await rig.Local.RunAsync(next, "cat work"));
    }

    [Fact]
    public async Task A_node_with_a_damaged_record_tells_of_its_other_boxes_makes_more_and_ends_the_damaged_one()
    {
        var (first, damaged) = (Specs.New(), Specs.New());
        await rig.Provider.MakeAsync(first);
        var handle = await rig.Provider.MakeAsync(damaged);
        await File.WriteAllTextAsync(rig.Local.Paths.Of(new BoxAddress(damaged.Session, damaged.Sandbox)).Record, "{");
        await rig.Provider.MakeAsync(Specs.New());

        List<SandboxListing> listed = [];
        await foreach (var listing in rig.Provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) listed.Add(listing);
        Assert.Equal((3, 3), (listed.Count, listed.Count(one => one.Status is SandboxStatus.Running)));
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);

        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Equal(SandboxStatus.NotFound, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task A_half_configured_sandbox_host_says_all_that_is_missing_at_once_with_exit_code_78()
    {
        string[] wrong = [$"--SandboxHost:DataDirectory={rig.HostDirectory}-x", "--SandboxHost:Keys:short=abc", "--SandboxHost:Urls=https://x", "--Sandbox:Local:BoxProgram=", $"--Sandbox:Local:SocketDirectory={rig.Local.Root}/x"];
        var failure = Assert.ThrowsAny<Exception>(() => SandboxHostProgram.Build(wrong));

        var all = failure is AggregateException several ? string.Join('\n', several.InnerExceptions.Select(one => one.Message)) : failure.Message;
        Assert.All(["Keys:short must have at least 32", "Urls must be http://", "BoxProgram must be"], wanted => Assert.Contains(wanted, all, StringComparison.Ordinal));
        Assert.Equal(78, await SandboxHostProgram.RunAsync(wrong));
    }

    [Theory]
    [InlineData("SandboxHost:MaxRelayed", "many", "SandboxHost:MaxRelayed is 'many'; it must be a whole number")]
    [InlineData("SandboxHost:LongestTtlSeconds", "1.5", "SandboxHost:LongestTtlSeconds is '1.5'; it must be a whole number")]
    [InlineData("SandboxHost:Urls", "http://127.0.0.1:99999", "SandboxHost: Urls must be http:// addresses")]
    [InlineData("SandboxHost:DataDirectory", "/proc/nope", "SandboxHost:DataDirectory is '/proc/nope'; it must be a folder that can be made and written")]
    [InlineData("Sandbox:Local:DataDirectory", "/proc/nope", "Sandbox:Local:DataDirectory is '/proc/nope'; it must be a folder that can be made and written")]
    [InlineData("Sandbox:Local:MaxBoxes", "all", "Sandbox:Local:MaxBoxes is 'all'; it must be a whole number")]
    [InlineData("Sandbox:Local:AllowUnisolated", "sure", "Sandbox:Local:AllowUnisolated is 'sure'; it must be true or false")]
    [InlineData("Logging:LogLevel:Default", "loud", "Logging:LogLevel:Default is 'loud'; it must be one of Trace")]
    public async Task A_setting_that_nothing_can_be_done_with_is_named_and_hides_no_other(string key, string value, string wanted)
    {
        string[] arguments =
        [
            $"--SandboxHost:DataDirectory={rig.HostDirectory}-x", "--SandboxHost:Keys:short=abc", $"--Sandbox:Local:BoxProgram={typeof(SandboxHostTests).Assembly.Location}",
            $"--Sandbox:Local:SocketDirectory={rig.Local.Root}/x", $"--{key}={value}",
        ];
        var failure = Assert.ThrowsAny<Exception>(() => SandboxHostProgram.Build(arguments));

        string[] lines = [.. (failure is AggregateException several ? several.InnerExceptions : [failure]).Cast<OptionsValidationException>().SelectMany(one => one.Failures)];
        Assert.Equal(2, lines.Length);
        Assert.Single(lines, line => line.StartsWith(wanted, StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains("Keys:short must have at least 32", StringComparison.Ordinal));
        Assert.Equal(78, await SandboxHostProgram.RunAsync(arguments));
    }

    [Fact]
    public async Task Whatever_is_no_text_and_left_empty_is_not_set()
    {
        string[] arguments =
        [
            $"--SandboxHost:DataDirectory={rig.HostDirectory}-x", $"--SandboxHost:Keys:some={new string('k', 32)}", $"--Sandbox:Local:BoxProgram={typeof(SandboxHostTests).Assembly.Location}",
            $"--Sandbox:Local:SocketDirectory={rig.Local.Root}/x", "--SandboxHost:MaxRelayed=", "--Sandbox:Local:AllowUnisolated=", "--Sandbox:Local:Cgroups=",
        ];
        await using var host = SandboxHostProgram.Build(arguments);

        Assert.Equal(new SandboxHostOptions().MaxRelayed, host.Services.GetRequiredService<IOptions<SandboxHostOptions>>().Value.MaxRelayed);
    }

    [Fact]
    public void A_key_that_no_setting_has_is_named_with_the_one_that_is_near()
    {
        using var log = new CapturedLog();
        string[] arguments = [$"--SandboxHost:DataDirectory={rig.HostDirectory}-x", $"--Sandbox:Local:SocketDirectory={rig.Local.Root}/x", "--SandboxHost:MaxRelayd=canary", "--Sandbox:Local:MaxBox=canary", "--Sandbox:Egress:AllowAll=canary"];

        Assert.ThrowsAny<Exception>(() => SandboxHostProgram.Build(arguments, services => services.AddSingleton<ILoggerProvider>(log)));

        Assert.Equal(
            ["Warning Sandbox:Local:MaxBox is no setting; did you mean Sandbox:Local:MaxBoxes?", "Warning SandboxHost:MaxRelayd is no setting; did you mean SandboxHost:MaxRelayed?"],
            log.Text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Contains("is no setting", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("canary", log.Text, StringComparison.Ordinal);
    }

    private async Task<SandboxSpec> CreateAsync(Uri controlPlane)
    {
        var spec = Specs.New();
        await rig.Connect([("ControlPlaneUrl", controlPlane.GetLeftPart(UriPartial.Authority))], rig.Url).MakeAsync(spec);
        return spec;
    }

    /// <summary>Speaks as a box does: over the socket that all of them share.</summary>
    private HttpClient BoxClient(string token)
    {
        var client = new HttpClient(
            new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(rig.Local.SocketDirectory, "host.sock")), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
            disposeHandler: true) { BaseAddress = new("http://coordinator.local"), Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return client;
    }
}
