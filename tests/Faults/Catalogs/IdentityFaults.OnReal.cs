using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class AuthenticatorFaults
{
    public override string WhyNotOnReal => "Local accounts are this process's own work over the tenant directory, whose faults are played on the real one.";
}

public sealed partial class TenantDirectoryFaults
{
    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Entering(RealPlay.Refused("It is down: nobody is let in", Database)),
        Entering(RealPlay.Slow("It is slow", Database)),
        Entering(RealPlay.CutOff("Its answer is lost: nobody is let in", Database)) with { Sees = "Unavailable" },
        Entering(RealPlay.Corrupt("Its answer makes no sense: nobody is let in", Database, 0)) with { OrSees = ["Unavailable", "Timeout"] }, // a connection that is only being made waits for the rest of what makes no sense
        Entering(RealPlay.RefusedByDatabase("It refuses the host's credential: nobody is let in")),
        Entering(RealPlay.Done("It has no connection left: nobody is let in", "the database's limit", outside => outside.LimitConnections(true)) with { Mend = outside => outside.LimitConnections(false) }) with { Sees = "Unavailable" },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A PostgreSQL connection is one conversation, whose packets the server takes once; its contract asks twice.",
    };

    private static FaultProxy Database(RealOutside outside) => outside.Rows;

    private static RealPlay Entering(RealPlay play)
    {
        var door = new RealDoor();
        return play with { Beside = door.OpenAsync, Holds = door.HoldsAsync };
    }

    /// <summary>Somebody with an API key, over the real resolver, accounts and directory.</summary>
    private sealed class RealDoor
    {
        private OwnerAccount owner = null!;
        private string key = "";

        public async ValueTask<Func<ValueTask<string>>> OpenAsync(RealOutside outside)
        {
            owner = await outside.World.Port<ITenantDirectory>().EnsureOwnerAsync(CancellationToken.None);
            key = (await outside.World.Port<IAuthenticator>().IssueApiKeyAsync(new(owner.Organization, owner.User, Role.Member, "key", null), CancellationToken.None)).Secret;
            return () => EnterAsync(outside, key);
        }

        /// <summary>The one key is the only one there is, no other lets anybody in, and the log does not hold it.</summary>
        public async ValueTask HoldsAsync(RealOutside outside)
        {
            var tenant = new TenantContext(owner.Organization, new(PrincipalKind.User, owner.User.ToString(), "Owner"), Role.Owner);
            Assert.Single(await outside.World.Port<ITenantDirectory>().ListApiKeysAsync(tenant, CancellationToken.None));
            Assert.Equal("credential_invalid", await EnterAsync(outside, $"{key}x"));
            Assert.DoesNotContain(key, outside.Log.Text, StringComparison.Ordinal);
        }

        private static async ValueTask<string> EnterAsync(RealOutside outside, string shown)
        {
            var resolver = new CallerResolver(outside.World.Port<IAuthenticator>(), outside.World.Port<ITenantDirectory>());
            return (await resolver.RecheckAsync(new(new(CredentialKind.ApiKey, shown), null), CancellationToken.None)).Problem?.Code ?? "ok";
        }
    }
}

public sealed partial class TenantVaultFaults
{
    public override string WhyNotOnReal => "The vault is arithmetic in this process: nothing is between it and its caller.";
}
