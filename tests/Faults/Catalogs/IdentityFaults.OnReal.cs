using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

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
    ];

    private static FaultProxy Database(RealOutside outside) => outside.Rows;

    private static RealPlay Entering(RealPlay play) => play with { Beside = OpenAsync };

    /// <summary>Somebody with an API key, over the real resolver, accounts and directory.</summary>
    private static async ValueTask<Func<ValueTask<string>>> OpenAsync(RealOutside outside)
    {
        var (directory, authenticator) = (outside.World.Port<ITenantDirectory>(), outside.World.Port<IAuthenticator>());
        var owner = await directory.EnsureOwnerAsync(CancellationToken.None);
        var key = await authenticator.IssueApiKeyAsync(new(owner.Organization, owner.User, Role.Member, "key", null), CancellationToken.None);
        var resolver = new CallerResolver(authenticator, directory);
        return async () => (await resolver.RecheckAsync(new(new(CredentialKind.ApiKey, key.Secret), null), CancellationToken.None)).Problem?.Code ?? "ok";
    }
}

public sealed partial class TenantVaultFaults
{
    public override string WhyNotOnReal => "The vault is arithmetic in this process: nothing is between it and its caller.";
}
