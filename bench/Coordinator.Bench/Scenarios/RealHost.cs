using System.Runtime.CompilerServices;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>The published host as people start it: how long it takes to serve, first and again, and what it holds when nothing goes on.</summary>
internal sealed class RealHost(string program, TimeProvider time) : IScenario
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(20);

    public string Name => "host";

    public async IAsyncEnumerable<Measurement> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("coordinator-bench-").FullName;
        var first = await HostProcess.StartAsync(["dotnet", program], data);
        yield return new("Host start", "first, with an empty data directory", first.Startup.TotalMilliseconds, "ms");
        await first.StopAsync();

        var again = new List<double>();
        for (var i = 0; i < 2; i++)
        {
            var next = await HostProcess.StartAsync(["dotnet", program], data);
            again.Add(next.Startup.TotalMilliseconds);
            await next.StopAsync();
        }

        await using var host = await HostProcess.StartAsync(["dotnet", program], data);
        again.Add(host.Startup.TotalMilliseconds);
        yield return new("Host start", "again", again.Order().ElementAt(1), "ms", 3_000);

        await Task.Delay(Settling, time, cancellationToken);
        yield return new("Memory", "idle host and its PostgreSQL (PSS)", ProcessTree.Megabytes(host.Id), "MB", 250);
        yield return new("Memory", "of which PostgreSQL", ProcessTree.Megabytes(host.Id, name => name == "postgres"), "MB");
    }
}
