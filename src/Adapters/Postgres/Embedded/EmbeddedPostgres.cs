using System.ComponentModel;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>
/// The host's own private PostgreSQL: started with it, started again when it dies, shut down when the host stops, is
/// killed or crashes. One host owns a data folder at a time; what an earlier one left running is ended first.
/// </summary>
internal sealed partial class EmbeddedPostgres : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StableLife = TimeSpan.FromSeconds(30);

    private readonly DatabaseOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<EmbeddedPostgres> logger;
    private readonly CancellationTokenSource stopping = new();
    private FileStream? ownerLock;
    private ServerLaunch? launch;
    private Task? supervision; // from the first start that succeeded on
    private bool disposed;

    public EmbeddedPostgres(DatabaseOptions options, TimeProvider time, ILogger<EmbeddedPostgres> logger)
    {
        (this.options, this.time, this.logger) = (options, time, logger);
        Configured = EmbeddedLayout.For(options.Embedded);
    }

    /// <summary>What the host connects with, known before the start: a role without superuser rights that owns its database.</summary>
    public string ConnectionString => Configured.Connection().ConnectionString;

    /// <summary>For making and dropping databases; never used by the running host.</summary>
    public string AdministratorConnectionString => Configured.Connection(EmbeddedLayout.Administrator, "postgres").ConnectionString;

    /// <summary>Called when the server has ended by itself, before it is started again: every connection is dead, and pools do not know it.</summary>
    public Action? Died { get; set; }

    /// <summary>The server's major version, once it has been started.</summary>
    public int? Major { get; private set; }

    /// <summary>How long the server has been at its recovery, as it last answered; zero when it is not.</summary>
    public TimeSpan Recovery => launch?.Recovery ?? TimeSpan.Zero;

    /// <summary>How long a host waits for its predecessor to give the folder up.</summary>
    internal TimeSpan OwnerPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What is to be done about another that has the folder.</summary>
    internal string OwnerAdvice { get; set; } = "Stop it, or give this one another folder in Database:Embedded:DataDirectory.";

    /// <summary>What starts a guard and its server.</summary>
    internal Func<EmbeddedLayout, PostgresBinaries, DatabaseUser?, GuardedServer> Launcher { get; set; } = GuardedServer.Start;

    /// <summary>The folder that is configured for it.</summary>
    internal string Root => Configured.Root;

    /// <summary>Whether a start would find a database, and not make one; root's may lie where its other users reach it.</summary>
    internal bool HasData => Directory.Exists(Configured.Cluster) || (Environment.IsPrivilegedProcess && Directory.Exists(Configured.Reachable().Cluster));

    private EmbeddedLayout Configured { get; }

    /// <summary>
    /// Returns when the server answers and has the host's role and database. From then on it is kept alive: called again, as when a
    /// later step of the host's start failed, this only waits until it answers.
    /// </summary>
    /// <exception cref="DatabaseStartException">It cannot be started, or does not answer; the message says what to do. It may be called again.</exception>
    public Task StartAsync(CancellationToken cancellationToken) =>
        supervision is not null && launch is { } kept ? kept.WaitUntilAnsweringAsync(cancellationToken) : BeginAsync(cancellationToken);

    /// <summary>Shuts the server down cleanly and gives the folder up. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        await stopping.CancelAsync();
        if (supervision is not null) await supervision;
        if (ownerLock is not null) await ownerLock.DisposeAsync();
        ownerLock = null;
        stopping.Dispose();
    }

    /// <summary>Has the server shut down without waiting for it; the folder stays ours until that is done.</summary>
    public void Dispose()
    {
        if (!disposed) stopping.Cancel();
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var cluster = new EmbeddedCluster(options.Embedded, time, logger);
        var (layout, user) = await cluster.PrepareFolderAsync(cancellationToken);
        ownerLock ??= await TakeOwnershipAsync(layout, cancellationToken);
        if (await new LeftoverServer(layout, time).EndAsync(cancellationToken)) LogEndedLeftover(layout.Root);
        var binaries = await cluster.PrepareDataAsync(layout, user, cancellationToken);

        launch = new ServerLaunch(layout, binaries, user, options.StartTimeout, time) { Launcher = Launcher, Recovering = LogRecovering };
        var server = await launch.StartAsync(cancellationToken);
        try
        {
            await EmbeddedDatabase.EnsureAsync(layout, cancellationToken);
        }
        catch
        {
            await server.StopAsync(StopPatience, time);
            throw;
        }

        Major = binaries.Major;
        LogStarted(binaries.Major, binaries.Directory, layout.Root, time.GetElapsedTime(started).TotalMilliseconds);
        supervision = SuperviseAsync(launch, server);
    }

    /// <summary>A host that restarts may meet its predecessor on the way out: it waits a little, then says who is there.</summary>
    private async Task<FileStream> TakeOwnershipAsync(EmbeddedLayout layout, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (FolderLock.TryTake(layout.OwnerLock) is { } taken) return taken;
            if (time.GetElapsedTime(started) > OwnerPatience)
            {
                throw new DatabaseStartException($"Another host is using the database in {layout.Root}. {OwnerAdvice}", mayPass: true);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
        }
    }

    /// <summary>Runs as long as the host: the server that ends is started again, at once the first time, then slower and slower.</summary>
    private async Task SuperviseAsync(ServerLaunch launch, GuardedServer first)
    {
        var (server, backoff) = ((GuardedServer?)first, TimeSpan.Zero);
        while (server is not null)
        {
            var began = time.GetTimestamp();
            if (!await EndedAsync(server))
            {
                if (await server.StopAsync(StopPatience, time)) launch.RemoveRuntimeDirectory();
                else LogStillStopping(launch.Layout.Log);
                await server.DisposeAsync();
                return;
            }

            LogDied(await server.Exited, launch.Layout.Log);
            TellOfDeath();
            await server.DisposeAsync();
            if (time.GetElapsedTime(began) > StableLife) backoff = TimeSpan.Zero;
            (server, backoff) = await RestartAsync(launch, backoff);
        }
    }

    /// <summary>One that fails at the news keeps neither the others from hearing it nor the server from coming back.</summary>
    private void TellOfDeath()
    {
        foreach (var listener in Delegate.EnumerateInvocationList(Died))
        {
            try
            {
                listener();
            }
            catch (Exception failure)
            {
                LogListenerFailed(failure);
            }
        }
    }

    /// <summary>True when the server ended by itself, false when the host is stopping.</summary>
    private async Task<bool> EndedAsync(GuardedServer server)
    {
        try
        {
            await server.Exited.WaitAsync(stopping.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<(GuardedServer? Server, TimeSpan Backoff)> RestartAsync(ServerLaunch launch, TimeSpan backoff)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(backoff, time, stopping.Token);
                backoff = Slower(backoff);
                var began = time.GetTimestamp();
                await new LeftoverServer(launch.Layout, time).EndAsync(stopping.Token);
                var server = await launch.StartAsync(stopping.Token);
                LogRestarted(time.GetElapsedTime(began).TotalMilliseconds);
                return (server, backoff);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failure)
            {
                LogRestartFailed(Told(failure), backoff.TotalSeconds); // whatever it is: nobody else brings the database back
            }
        }

        return (null, backoff);
    }

    /// <summary>What a server meets that cannot start for a while is an outage, and told as one; a fault of the program's own is told whole.</summary>
    private static Exception Told(Exception failure) => failure is DatabaseStartException or IOException or UnauthorizedAccessException or Win32Exception || DatabaseFailure.IsOne(failure)
        ? new PortException(PortFailureKind.Unavailable, failure.Message, inner: failure)
        : failure;

    private static TimeSpan Slower(TimeSpan backoff) =>
        backoff == TimeSpan.Zero ? FirstBackoff : TimeSpan.FromTicks(Math.Min(backoff.Ticks * 2, LongestBackoff.Ticks));
}
