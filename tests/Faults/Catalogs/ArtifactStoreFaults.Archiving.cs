using System.Text;
using Coordinator.Fakes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class ArtifactStoreFaults
{
    private static Fault WhileArchiving(GeneralFault general, string name, Action<Skeleton> show)
    {
        var sleepers = new Sleepers();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
            Show = Fault.By(show),
            Mend = world => world.Artifacts.Faults.Clear(),
            Sees = "stays",
            Beside = sleepers.PrepareAsync,
            Holds = sleepers.HoldsAsync,
        };
    }

    /// <summary>Sessions that sleep, in a journal of their own: the world's session is awake.</summary>
    private sealed class Sleepers
    {
        /// <summary>So short that whatever was written is older.</summary>
        private static readonly TimeSpan Any = TimeSpan.FromMinutes(-1);

        private readonly List<SessionKey> keys = [];
        private InMemorySessionJournal journal = new(TimeProvider.System);

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton world)
        {
            keys.Clear();
            journal = new(world.Time);
            return new(() => ArchiveAsync(world));
        }

        /// <summary>In the end every session's events were archived once, and can be read; what else was stored is gone.</summary>
        public async ValueTask HoldsAsync(Skeleton world)
        {
            await new ArchiveClearing(journal, world.Artifacts, world.Time, NullLogger<ArchiveClearing>.Instance).SweepAsync(Any, default);
            foreach (var key in keys)
            {
                var archive = (await journal.FindArchiveAsync(key, 0, default))!;
                Assert.Equal(1, RecordEvents.Read(Assert.Single(await ArchiveReader.ReadAsync(world.Artifacts, archive, default)))!.LastSeq);
            }

            Assert.Equal(keys.Count, world.Artifacts.Count);
        }

        private async ValueTask<string> ArchiveAsync(Skeleton world)
        {
            var key = new SessionKey(OrganizationId.New(world.Time), SessionId.New(world.Time));
            var lease = (await journal.OpenAsync(key, HostId.New(world.Time), create: true, default))!;
            Assert.True(await journal.AppendAsync(lease, new(0, Encoding.UTF8.GetBytes("""{"facts":[],"events":[{}]}"""), 1, world.Time.GetUtcNow(), null, null), default));
            await journal.ReleaseAsync(lease, default);
            keys.Add(key);

            var sweep = new EventArchiving(journal, world.Artifacts, Options.Create(new SessionAccessOptions()), world.Time, NullLogger<EventArchiving>.Instance);
            await sweep.SweepAsync(Any, default);

            if ((await journal.FindHeadAsync(key, default))!.Archived == 1) return "ok";
            await foreach (var record in journal.ReadEventsAsync(key, 0, default)) Assert.NotNull(RecordEvents.Read(record));
            return "stays";
        }
    }
}
