using Coordinator.Adapters.InProcess;
using Coordinator.Host.Composition;
using Coordinator.Host.Health;
using Coordinator.Host.Logging;
using Coordinator.Host.Maintenance;
using Coordinator.Host.OpenApi;
using Coordinator.Host.Starting;
using Coordinator.Host.Web;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Demo;

namespace Coordinator.Host;

/// <summary>Builds the host from its configuration and runs it. Other programs, such as tests, may build one of their own.</summary>
public static class CoordinatorHost
{
    /// <summary>Runs until it is told to stop, or does what a verb asks (<c>backup</c>, <c>restore</c>, <c>restored</c>). The result is the process's exit code (<see cref="ExitCodes"/>).</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (MaintenanceCommand.IsMeantBy(args)) return await MaintenanceCommand.RunAsync(args);
        try
        {
            await using var app = Build(args);
            var startup = app.Services.GetRequiredService<HostStartup>();
            await StartAsync(app);
            await app.WaitForShutdownAsync();
            return startup.ExitCode;
        }
        catch (Exception failure) when (StartFailure.Explain(failure, StartingProgram.Host) is { } explained)
        {
            await Console.Error.WriteLineAsync(explained.Text);
            return explained.ExitCode;
        }
    }

    /// <summary>What has started of a host that cannot is stopped, and not left to find what it uses disposed.</summary>
    private static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.StopAsync();
            throw;
        }
    }

    /// <summary>
    /// A host that has not been started. All invalid options are reported at once
    /// (<see cref="Microsoft.Extensions.Options.OptionsValidationException"/>, or an <see cref="AggregateException"/> of them).
    /// <paramref name="replace"/> runs after everything is registered, so that what it registers takes the place of it.
    /// </summary>
    public static WebApplication Build(string[] args, Action<IServiceCollection>? replace = null)
    {
        NativeHeap.GiveBackAtOnce();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var wrong = new WrongSettings();
        HostConfiguration.Apply(builder.Configuration, args, wrong);
        HostConfiguration.Apply(builder.Logging);
        var startFailures = StartFailureLog.KeepQuiet(builder.Logging);
        OutageLogging.Add(builder.Services);
        builder.Host.UseDefaultServiceProvider(options => options.ValidateScopes = true);
        builder.Services.AddCoordinator(builder.Configuration);
        builder.Services.AddApiDocument();
        WebApp.Add(builder.Services, builder.Configuration);
        SettingForms.Check(builder.Services, builder.Configuration, wrong);
        HostSettings.CheckFolders(builder.Configuration, wrong);
        Listening.Apply(builder, wrong);
        wrong.ToldBy(builder.Services);
        var unknown = UnknownSettingsLog.Find(builder.Services, builder.Configuration);
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        UnknownSettingsLog.Write(app.Logger, unknown);
        wrong.Demand(app);
        Listening.LimitStop(app.Services);
        startFailures.Of(app.Lifetime);
        Map(app);
        return app;
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        app.UseWebSockets(new() { KeepAliveInterval = TimeSpan.FromSeconds(15), KeepAliveTimeout = TimeSpan.FromSeconds(30) });
        app.UseWebApp();
        app.UseMiddleware<ReadinessGate>();
        app.UseRouting();
        app.UseMiddleware<BoxSocketGate>();
        app.UseKernel();
        app.MapHealth();
        app.MapApiDocument();
        app.MapEndpointModules();
        app.MapDemo().WithoutCredential();
        app.MapCluster().WithoutCredential();
        app.MapWebApp();
        app.UseEndpoints(static _ => { }); // the routes are known from here on, not only once the host has started
    }
}
