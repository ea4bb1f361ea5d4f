using System.Globalization;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Host;
using Coordinator.Ports.Compute;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The real host in a process of its own, but for its boxes: they are announced on standard output
/// (<c>bench box SANDBOX GENERATION TOKEN</c>), and the driver plays them over the real bridge. Asked for <c>memory</c> on standard
/// input it says <c>bench memory MANAGED_BYTES SESSIONS ALLOCATED_BYTES</c>; it ends with its standard input.
/// </summary>
internal static class BenchHost
{
    public static async Task<int> RunAsync(string[] args)
    {
        await using var app = CoordinatorHost.Build(args, services => services.AddSingleton<ISandboxProvider>(provider => new InMemorySandboxProvider(provider.GetRequiredService<TimeProvider>())
        {
            Program = static async (spec, _) => await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench box {spec.Sandbox} {spec.Generation} {spec.BridgeToken}")),
        }));
        await app.StartAsync();
        while (await Console.In.ReadLineAsync() is { } question)
            if (question == "memory") await SayMemoryAsync(app);
        await app.StopAsync();
        return 0;
    }

    private static Task SayMemoryAsync(WebApplication app)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        var sessions = app.Services.GetRequiredService<InProcessSessionHost>().ActiveCount;
        return Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench memory {managed} {sessions} {allocated}"));
    }
}
