using System.Reflection;
using System.Runtime.Versioning;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Adapters.Postgres.Hosts;
using Coordinator.Fakes;
using Coordinator.Host.Starting;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.SandboxHost;
using Coordinator.SandboxHost.Boxes;
using Coordinator.Tests.Conformance.Postgres;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.Jobs;

/// <summary>A background service that throws takes its whole host down: no round of one may, whatever it ends in.</summary>
[SupportedOSPlatform("linux")]
public sealed class PeriodicJobTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>These do their work once, and what they cannot do is the host's end.</summary>
    private static readonly string[] Once = [nameof(HostStartup), typeof(ModelWarmUp<>).Name];

    private readonly ManualTime time = new();
    private readonly CountingLog log = new();
    private readonly ILoggerFactory loggers;
    private readonly PostgresSessions database = new("Host=127.0.0.1;Port=9;Database=none;Username=nobody");
    private readonly LocalMachineSetup machine = new(Options.Create(new LocalSandboxOptions()), null!, null!, null!);

    public PeriodicJobTests() => loggers = LoggerFactory.Create(logging => logging.AddProvider(log));

    private static readonly string[] Periodic = [nameof(AlarmSweep), nameof(ArchiveClearing), nameof(BoxReaper), nameof(BoxWatch), nameof(DataRemoval), nameof(EventArchiving), nameof(EventCompaction), nameof(EventRetention), nameof(OrphanSweep), nameof(StrangerWatch), nameof(TimelineWatch)];

    public static TheoryData<string> Jobs => new(Periodic);

    public async Task InitializeAsync()
    {
        await database.System.DisposeAsync(); // of which no use of it makes a failure of the database
        machine.Dispose();
    }

    public async Task DisposeAsync()
    {
        await database.DisposeAsync();
        loggers.Dispose();
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task A_job_of_which_every_round_ends_as_nobody_foresaw_says_so_each_time_and_goes_on(string name)
    {
        using var job = Make(name);

        await job.StartAsync(default);
        for (var round = 0; round < 3; round++)
        {
            var told = log.Failures;
            await time.WaitForTimersAsync(1);
            await Eventually.AdvanceAsync(time, Hour, () => log.Failures > told || job.ExecuteTask is { IsCompleted: true });
            Assert.False(job.ExecuteTask!.IsCompleted, job.ExecuteTask.Exception?.ToString());
        }

        await job.StopAsync(default);
    }

    [Fact]
    public async Task A_session_whose_events_cannot_be_stored_as_nobody_foresaw_keeps_no_other_from_being_tried()
    {
        var journal = new InMemorySessionJournal(new InMemoryJournalStore(time));
        for (var i = 0; i < 2; i++)
        {
            var lease = (await journal.OpenAsync(new(OrganizationId.New(time), SessionId.New(time)), HostId.New(time), create: true, default))!;
            var payload = """{"facts":[],"events":[{"cursor":"1.1","seq":1,"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":0,"text":"x"}}]}"""u8.ToArray();
            Assert.True(await journal.AppendAsync(lease, new(0, payload, 1, time.GetUtcNow(), null, null), default));
            await journal.ReleaseAsync(lease, default);
        }

        time.Advance(2 * Hour);
        using var sweep = new EventArchiving(journal, Broken.Of<IArtifactStore>(), Sessions, time, loggers.CreateLogger<EventArchiving>());
        await sweep.SweepAsync(Hour, default);

        Assert.Equal(2, log.Failures);
    }

    [Fact]
    public void Every_background_service_is_one_of_these_or_does_its_work_once()
    {
        var all = Directory.EnumerateFiles(AppContext.BaseDirectory, "Coordinator.*.dll")
            .Where(file => !Path.GetFileName(file).StartsWith("Coordinator.Tests.", StringComparison.Ordinal))
            .SelectMany(file => Assembly.Load(Path.GetFileNameWithoutExtension(file)).GetTypes())
            .Where(type => type.IsSubclassOf(typeof(BackgroundService)) && !type.IsAbstract)
            .Select(type => type.Name);

        Assert.Equal(Periodic.Concat(Once).Order(StringComparer.Ordinal), all.Order(StringComparer.Ordinal));
    }

    private BackgroundService Make(string name) => name switch
    {
        nameof(AlarmSweep) => new AlarmSweep(new Sleeper(loggers.CreateLogger(name), HostId.New(time)), Broken.Of<IAlarmClock>(), Options.Create(new SessionHostOptions()), time),
        nameof(ArchiveClearing) => new ArchiveClearing(Broken.Of<ISessionJournal>(), Broken.Of<IArtifactStore>(), time, loggers.CreateLogger<ArchiveClearing>()),
        nameof(BoxReaper) => new BoxReaper(Broken.Of<ISandboxProvider>(), new(Options.Create(new SandboxHostOptions())), time, loggers.CreateLogger<BoxReaper>()),
        nameof(BoxWatch) => new BoxWatch(machine, new(loggers.CreateLogger<UnreadBoxes>()), time, loggers.CreateLogger<BoxWatch>()),
        nameof(DataRemoval) => new DataRemoval(machine, null!, time, loggers.CreateLogger<DataRemoval>()),
        nameof(EventArchiving) => new EventArchiving(Broken.Of<ISessionJournal>(), Broken.Of<IArtifactStore>(), Sessions, time, loggers.CreateLogger<EventArchiving>()),
        nameof(EventCompaction) => new EventCompaction(Broken.Of<ISessionJournal>(), Broken.Of<IRunHistory>(), Sessions, time, loggers.CreateLogger<EventCompaction>()),
        nameof(EventRetention) => new EventRetention(Broken.Of<ISessionJournal>(), Broken.Of<IArtifactStore>(), Sessions, time, loggers.CreateLogger<EventRetention>()),
        nameof(OrphanSweep) => new OrphanSweep(Broken.Of<ISandboxProvider>(), Broken.Of<ISessionHost>(), Broken.Of<IBoxTokenScheme>(), Options.Create(new SandboxesOptions()), time, loggers.CreateLogger<OrphanSweep>()),
        nameof(StrangerWatch) => database.Create<StrangerWatch>(new Started(), time, loggers.CreateLogger<StrangerWatch>()),
        nameof(TimelineWatch) => database.Create<TimelineWatch>(new Started(), time, loggers.CreateLogger<TimelineWatch>()),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No job is called so."),
    };

    private static IOptions<SessionAccessOptions> Sessions => Options.Create(new SessionAccessOptions { ArchiveEventsAfter = Hour, CompactAfter = Hour, KeepEvents = Hour });

    private sealed class Started : IDatabaseStarter
    {
        public Task WhenReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Sleeper(ILogger logger, HostId id) : IWakesSessions
    {
        public HostLog Log { get; } = new(logger);

        public HostId? ServesAs => id;

        public Task<bool> WakeAsync(SessionKey key, CancellationToken cancellationToken) => Task.FromResult(true);
    }

    /// <summary>Counts the failures that an operator is told of.</summary>
    private sealed class CountingLog : ILoggerProvider, ILogger
    {
        private int failures;

        public int Failures => Volatile.Read(ref failures);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning && exception is not null) Interlocked.Increment(ref failures);
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>Something of which every use ends in a fault of its own, that no port foresees.</summary>
public class Broken : DispatchProxy
{
    public static T Of<T>()
        where T : class => Create<T, Broken>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => throw new InvalidOperationException("Nobody foresaw it.");
}
