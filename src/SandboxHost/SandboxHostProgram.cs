using Coordinator.Adapters.LocalSandbox;
using Coordinator.Ports;
using Coordinator.SandboxHost.Boxes;
using Coordinator.SandboxHost.Relay;
using Coordinator.SandboxHost.Signing;
using Coordinator.SandboxHost.Starting;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost;

/// <summary>
/// Offers this machine's boxes to control planes elsewhere: the data plane (docs/protocol.md) on TCP, signed, and a relay on
/// the unix socket that boxes share, through which they reach the control plane that made them and nothing else.
/// </summary>
public static class SandboxHostProgram
{
    private const long LargestRelayedBody = 64L * 1024 * 1024;

    /// <summary>Runs until it is told to stop. The result is the process's exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = Build(args);
            await StartAsync(app, CancellationToken.None);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception failure) when (StartFailure.Explain(failure, StartingProgram.SandboxHost) is { } explained)
        {
            await Console.Error.WriteLineAsync(explained.Text);
            return explained.ExitCode;
        }
    }

    /// <summary>
    /// A program that has not been started. All that is wrong with its settings is reported at once. <paramref name="replace"/> runs after
    /// everything is registered.
    /// </summary>
    public static WebApplication Build(string[] args, Action<IServiceCollection>? replace = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var wrong = new WrongSettings();
        SandboxHostConfiguration.Apply(builder.Configuration, args, wrong);
        SandboxHostConfiguration.Apply(builder.Logging);
        var startFailures = StartFailureLog.KeepQuiet(builder.Logging);
        AddServices(builder.Services, builder.Configuration);
        SettingForms.Check(builder.Services, builder.Configuration, wrong);
        Listen(builder, wrong);
        wrong.ToldBy(builder.Services);
        var unknown = UnknownSettingsLog.Find(builder.Services, builder.Configuration);
        replace?.Invoke(builder.Services);
        var app = builder.Build();
        UnknownSettingsLog.Write(app.Logger, unknown);
        wrong.Demand(app);
        startFailures.Of(app.Lifetime);
        app.MapWhen(BoxSocket.IsFromBoxes, static boxes => boxes.Run(static context => context.RequestServices.GetRequiredService<BoxRelay>().ForwardAsync(context)));
        app.UseMiddleware<SignatureGate>();
        app.UseRouting();
        DataPlaneEndpoints.Map(app);
        return app;
    }

    /// <summary>Gets the machine ready, then serves.</summary>
    /// <exception cref="PortException">The machine cannot run boxes, with what to do.</exception>
    public static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(app);
        foreach (var dependency in app.Services.GetServices<IHostDependency>()) await dependency.StartAsync(cancellationToken);
        await app.Services.GetRequiredService<CreateLedger>().LoadAsync(cancellationToken);
        await app.Services.GetRequiredService<NonceBook>().LoadAsync(cancellationToken);
        await app.StartAsync(cancellationToken);
    }

    private static void AddServices(IServiceCollection services, ConfigurationManager configuration)
    {
        services.AddOptions<SandboxHostOptions>().Bind(configuration.GetSection(SandboxHostOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SandboxHostOptions>, SandboxHostOptionsValidator>();
        services.AddSingleton(TimeProvider.System);
        services.AddLocalSandbox(configuration);
        services.AddSingleton<NonceBook>();
        services.AddSingleton<CreateLedger>();
        services.AddSingleton<ServedBoxes>();
        services.AddSingleton<ControlPlaneConnections>();
        services.AddSingleton<BoxRelay>();
        services.AddHostedService<BoxReaper>();
        services.AddHostedService<SandboxHostReport>();
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
    }

    private static void Listen(WebApplicationBuilder builder, WrongSettings wrong)
    {
        var socket = SocketForBoxes.Prepare(builder.Configuration, wrong) ?? HostSocket.FileName; // without it nothing is started
        builder.Services.AddSingleton(new BoxSocket(socket));
        var options = builder.Configuration.GetSection(SandboxHostOptions.Section).Get<SandboxHostOptions>() ?? new();
        builder.WebHost.UseUrls([.. ListenAddress.Split(options.Urls), $"http://unix:{socket}"]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestRelayedBody;
            kestrel.Limits.MaxConcurrentUpgradedConnections = options.MaxRelayed;
        });
    }
}
