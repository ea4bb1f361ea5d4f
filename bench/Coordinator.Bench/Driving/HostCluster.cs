using Coordinator.Bench.Serving;
using Coordinator.Client;
using Npgsql;

namespace Coordinator.Bench.Driving;

/// <summary>Several hosts on one PostgreSQL, which is this process's, with boxes that live beside them and a balancer before them.</summary>
internal sealed class HostCluster : IAsyncDisposable
{
    private readonly string shared = Directory.CreateTempSubdirectory("coordinator-bench-").FullName;
    private readonly List<Uri> addresses = [];
    private readonly List<HostProcess> hosts = [];
    private IReadOnlyList<CoordinatorClient> direct = [];
    private string apiKey = string.Empty;
    private readonly BareJournal database;
    private readonly NpgsqlDataSource look; // over all organizations
    private readonly TimeProvider time;

    private HostCluster(BareJournal database, int count, TimeProvider time)
    {
        (this.database, this.time) = (database, time);
        look = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.Source.ConnectionString) { Options = "-c coordinator.scope=system" });
        for (var host = 0; host < count; host++) addresses.Add(HostProcess.FreeAddress());
        Balancer = new(addresses, time);
    }

    public Balancer Balancer { get; }

    /// <summary>The hosts' database, as its owner, who may write beside what is theirs.</summary>
    public NpgsqlDataSource Database => database.Source;

    public static async Task<HostCluster> StartAsync(int count, TimeProvider time, CancellationToken cancellationToken)
    {
        var cluster = new HostCluster(await BareJournal.StartAsync(cancellationToken), count, time);
        foreach (var address in cluster.addresses) cluster.hosts.Add(await cluster.LaunchAsync(address));
        using var owner = await Owner.SignInAsync(cluster.addresses[^1], cluster.hosts[^1].Link, cancellationToken);
        cluster.apiKey = await owner.NewKeyAsync(null, cancellationToken);
        cluster.direct = [.. cluster.addresses.Select(address => new CoordinatorClient(address, cluster.apiKey, time))];
        return cluster;
    }

    public HostProcess Host(int host) => hosts[host];

    /// <summary>A client of one host and no other.</summary>
    public CoordinatorClient Direct(int host) => direct[host];

    /// <summary>A client of the balancer with this host first, and with connections of its own; it is the caller's.</summary>
    public CoordinatorClient NewClient(int host) => new(Balancer.Before(host), apiKey, time);

    /// <summary>Starts a host again that is to end or has ended, at its address, until everybody is led to it.</summary>
    public async Task RestartAsync(int host, CancellationToken cancellationToken)
    {
        await hosts[host].DisposeAsync();
        hosts[host] = await LaunchAsync(addresses[host]);
        await Balancer.AllReadyAsync(cancellationToken);
    }

    /// <summary>How many sessions a host holds, by the database's word.</summary>
    public async Task<long> HeldByAsync(int host, CancellationToken cancellationToken)
    {
        await using var command = look.CreateCommand("SELECT count(*) FROM session_head AS head JOIN session_host AS host ON host.id = head.host WHERE host.address = $1");
        command.Parameters.Add(new() { Value = addresses[host].AbsoluteUri });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in direct) client.Dispose();
        await Balancer.DisposeAsync();
        foreach (var host in hosts) await host.DisposeAsync();
        await look.DisposeAsync();
        await database.DisposeAsync();
        Directory.Delete(shared, recursive: true);
    }

    private Task<HostProcess> LaunchAsync(Uri address) => HostProcess.StartPeerAsync(
        address,
        [
            $"--Database:ConnectionString={Database.ConnectionString}",
            "--Database:MaxPoolSize=12", // the server takes a hundred connections in all
            $"--Vault:KeyFile={Path.Combine(shared, "master.key")}",
            $"--Artifacts:Directory={Path.Combine(shared, "artifacts")}",
            BenchHost.BoxesOutlive,
        ]);
}
