using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

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
    ];

    private static FaultProxy Database(RealOutside outside) => outside.Writes;

    private static RealPlay Owning(RealPlay play)
    {
        var host = new RealHost();
        return play with { Beside = host.PrepareAsync, Holds = _ => host.LeaveAsync() };
    }

    /// <summary>A host that claims a session nobody else wants, and registers anew whenever it was lost.</summary>
    private sealed class RealHost
    {
        private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        private IHostRegistration? mine;

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside) => new(() => ClaimAsync(outside.World.Port<IHostRegistry>()));

        public async ValueTask LeaveAsync()
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
            mine ??= await registry.RegisterAsync(new("http://127.0.0.1:1/"), CancellationToken.None);
            return await registry.ClaimAsync(key, mine, CancellationToken.None) == mine.Location ? "ok" : Elsewhere;
        }
    }
}
