using System.Globalization;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Host;
using Coordinator.Modules.Sessions;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The real host in a process of its own, but for its boxes: they are announced on standard output
/// (<c>bench box SANDBOX GENERATION TOKEN</c>), and the driver plays them over the real bridge. Asked for <c>memory</c> on standard
/// input it says <c>bench memory MANAGED_BYTES SESSIONS ALLOCATED_BYTES</c>, and asked for <c>journal</c>
/// <c>bench journal COMMITS WAL_BYTES TABLE_BYTES</c>, all but the sessions since the beginning, asked for <c>database</c>
/// <c>bench database SOCKET_FOLDER</c>, and asked to <c>look</c> for sleeping sessions that nothing was written to for long <c>bench look SESSIONS</c>; it ends with its standard input.
/// </summary>
internal static class BenchHost
{
    /// <summary>The setting by which boxes live beside all hosts of a database, and not in the one that made them.</summary>
    public const string BoxesOutlive = "--Bench:BoxesOutlive=true";

    /// <summary>The setting by which a box that has nothing to do is stopped after a second.</summary>
    public const string BoxesStopSoon = "--Bench:BoxesStopSoon=true";

    public static async Task<int> RunAsync(string[] args)
    {
        await using var app = CoordinatorHost.Build(args, services =>
        {
            services.AddSingleton<ISandboxProvider>(provider => args.Contains(BoxesOutlive, StringComparer.Ordinal) ? new OutlivingBoxes() : new InMemorySandboxProvider(provider.GetRequiredService<TimeProvider>())
            {
                Program = static async (spec, _) => await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench box {spec.Sandbox} {spec.Generation} {spec.BridgeToken}")),
            });
            if (args.Contains(BoxesStopSoon, StringComparer.Ordinal)) services.AddSingleton(SessionLimits.Default with { SandboxIdle = TimeSpan.FromSeconds(1) });
        });
        await app.StartAsync();
        while (await Console.In.ReadLineAsync() is { } question)
            await (question switch { "memory" => SayMemoryAsync(app), "database" => SayDatabaseAsync(app.Services.GetRequiredService<NpgsqlDataSource>()), "look" => LookAsync(app), _ => SayJournalAsync(app) });
        await app.StopAsync();
        return 0;
    }

    public static Task SayDatabaseAsync(NpgsqlDataSource source) =>
        Console.Out.WriteLineAsync($"bench database {new NpgsqlConnectionStringBuilder(source.ConnectionString).Host}");

    private static async Task LookAsync(WebApplication app)
    {
        var old = await app.Services.GetRequiredService<ISessionJournal>().ListUncompactedAsync(TimeSpan.FromDays(1_000), default, 100, CancellationToken.None);
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench look {old.Count}"));
    }

    private static async Task SayJournalAsync(WebApplication app)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, pg_total_relation_size('session_record')");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench journal {reader.GetInt64(0)} {reader.GetInt64(1)} {reader.GetInt64(2)}"));
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
