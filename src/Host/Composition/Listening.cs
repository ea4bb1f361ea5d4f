using Coordinator.Adapters.InProcess;
using Coordinator.Host.Starting;
using Microsoft.Extensions.Options;

namespace Coordinator.Host.Composition;

/// <summary>Where the host listens: the addresses of <c>Urls</c> and, when boxes run on this machine, the unix socket in the directory that they share.</summary>
internal static class Listening
{
    private const string DefaultUrls = "http://localhost:8787";
    private const long LargestBody = 1024 * 1024;

    public static void Apply(WebApplicationBuilder builder, WrongSettings wrong)
    {
        var socket = SandboxProviders.Chosen(builder.Configuration) == SandboxProviders.Local ? SocketForBoxes.Prepare(builder.Configuration, wrong) : null;
        builder.WebHost.UseUrls([.. UrlsOf(builder.Configuration), .. socket is null ? Array.Empty<string>() : [$"http://unix:{socket}"]]);
        builder.Services.AddSingleton(new BoxSocketPath(socket));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
        });
        // Nothing here blocks a thread, so what a socket received is handled where it was received: a hop less each way.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
    }

    /// <summary>How long the host has to stop follows from its options, which are read only once they are known to be right.</summary>
    public static void LimitStop(IServiceProvider services) =>
        services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout = HostDrain.Longest(services.GetRequiredService<IOptions<SessionHostOptions>>().Value);

    /// <summary>The addresses of <c>Urls</c>.</summary>
    public static string[] UrlsOf(IConfiguration configuration) => ListenAddress.Split(configuration["Urls"] is { Length: > 0 } configured ? configured : DefaultUrls);
}

/// <summary>The unix socket that boxes dial; null when they come from other machines.</summary>
internal sealed record BoxSocketPath(string? Path);
