using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class HostRegistryFaults
{
    private const string Granted = "It granted a claim and its answer was lost: the same claim is granted again";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Owning(RealPlay.Refused("It is down: nobody claims, and nothing is written twice", Database)),
        Owning(RealPlay.CutOff(Granted, Database)) with { Sees = "Unavailable" },
        Owning(RealPlay.Swallowed(Granted, Database)),
        Owning(RealPlay.Slow("It is slow: the claim is late", Database)),
        Owning(RealPlay.Corrupt("Its answer makes no sense: the claim is made again", Database, 0)) with { OrSees = ["Unavailable", "Timeout"] }, // a connection that is only being made waits for the rest of what makes no sense
        Owning(RealPlay.FullDatabase("Its store has no room to note a claim", "session_head")),
        Owning(RealPlay.RefusedByDatabase("It refuses the host's credential")),
        Owning(RealPlay.Done("The connection that holds the host's lock is gone: the host goes on under a new id", "every connection ended by the database", outside => outside.CutConnections())),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A PostgreSQL connection is one conversation, whose packets the server takes once; claimed again after a lost answer is played.",
        [GeneralFault.ClockSkew] = "Who is alive goes by the database's own clock, which nothing outside of it sets: its contract moves what stands on that clock instead, and covers one that has gone back.",
    };

    private static FaultProxy Database(RealOutside outside) => outside.Writes;

    private static RealPlay Owning(RealPlay play)
    {
        var host = new RealHost();
        return play with { Beside = host.PrepareAsync, Holds = host.HoldsAsync };
    }

    /// <summary>A host that claims a session nobody else wants, and registers anew whenever it was lost.</summary>
    private sealed class RealHost
    {
        private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        private IHostRegistration? mine;

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside) => new(() => ClaimAsync(outside.World.Port<IHostRegistry>()));

        /// <summary>One host has the session, and it is this one.</summary>
        public async ValueTask HoldsAsync(RealOutside outside)
        {
            Assert.Equal("ok", await ClaimAsync(outside.World.Port<IHostRegistry>()));
            Assert.Null(mine!.Loss);
            await LeaveAsync();
        }

        private async ValueTask LeaveAsync()
        {
            if (mine is not null) await mine.DisposeAsync();
            mine = null;
        }

        private async ValueTask<string> ClaimAsync(IHostRegistry registry)
        {
            try
            {
                return await ClaimOnceAsync(registry);
            }
            catch (PortException fenced) when (fenced.Kind == PortFailureKind.Fenced)
            {
                await LeaveAsync();
                return await ClaimOnceAsync(registry);
            }
        }

        private async ValueTask<string> ClaimOnceAsync(IHostRegistry registry)
        {
            if (mine is { Loss: not null }) await LeaveAsync();
            mine ??= await registry.RegisterAsync(new(new("http://127.0.0.1:1/")), CancellationToken.None);
            return await registry.ClaimAsync(key, mine, CancellationToken.None) == mine.Location ? "ok" : Elsewhere;
        }
    }
}
