using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class AuthenticatorFaults : FaultCatalog<IAuthenticator>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Entering("It is down: nobody is let in", world => world.Authenticator.Faults.FailBefore(), "Unavailable"),
        Entering("Its answer is lost: nobody is let in", world => world.Authenticator.Faults.LoseResponses(), "Timeout"),
    ];

    private static Fault Entering(string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Show = Fault.By(show),
        Mend = world => world.Authenticator.Faults.Clear(),
        Sees = sees,
        Beside = Door.OpenAsync,
    };
}

public sealed class TenantDirectoryFaults : FaultCatalog<ITenantDirectory>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Entering("It is down: nobody is let in", world => world.Tenants.Faults.FailBefore(), "Unavailable"),
        Entering("Its answer is lost: nobody is let in", world => world.Tenants.Faults.LoseResponses(), "Timeout"),
    ];

    private static Fault Entering(string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Show = Fault.By(show),
        Mend = world => world.Tenants.Faults.Clear(),
        Sees = sees,
        Beside = Door.OpenAsync,
    };
}

public sealed class TenantVaultFaults : FaultCatalog<ITenantVault>
{
    private const string Purpose = "models/acme";

    public override IReadOnlyList<Fault> Faults =>
    [
        Opening("It is down", opening => opening.World!.Vault.Faults.FailBefore(), "Unavailable"),
        Opening("Its answer is lost", opening => opening.World!.Vault.Faults.LoseResponses(), "Timeout"),
        Opening("A secret is opened for the wrong organization", opening => opening.Organization = OrganizationId.New(TimeProvider.System), "Corrupt"),
        Opening("A bit of a secret is flipped", opening => opening.IsFlipped = true, "Corrupt"),
    ];

    private static Fault Opening(string name, Action<SecretOpening> show, string sees)
    {
        var opening = new SecretOpening();
        return new(name, FaultMoment.Beside)
        {
            Show = Fault.By(_ => show(opening)),
            Mend = opening.Mend,
            Sees = sees,
            Beside = opening.PrepareAsync,
        };
    }

    /// <summary>A secret of the world's organization that is opened again and again.</summary>
    private sealed class SecretOpening
    {
        private SealedSecret? sealedSecret;

        public Skeleton? World { get; private set; }

        public OrganizationId Organization { get; set; }

        public bool IsFlipped { get; set; }

        public void Mend(Skeleton world)
        {
            (Organization, IsFlipped) = (world.Key.Organization, false);
            world.Vault.Faults.Clear();
        }

        public async ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton world)
        {
            World = world;
            Organization = world.Key.Organization;
            sealedSecret = await world.Vault.SealAsync(Organization, Purpose, "sk-secret"u8.ToArray(), CancellationToken.None);
            return OpenAsync;
        }

        private async ValueTask<string> OpenAsync()
        {
            var ciphertext = sealedSecret!.Ciphertext.ToArray();
            if (IsFlipped) ciphertext[^1] ^= 1;
            var opened = await World!.Vault.OpenAsync(Organization, Purpose, sealedSecret with { Ciphertext = ciphertext }, CancellationToken.None);
            return opened.AsSpan().SequenceEqual("sk-secret"u8) ? "ok" : "another secret";
        }
    }
}

/// <summary>How somebody with an API key comes in: the real resolver, over the world's authenticator and directory.</summary>
internal static class Door
{
    public static async ValueTask<Func<ValueTask<string>>> OpenAsync(Skeleton world)
    {
        var user = world.Tenants.AddUser("Ada");
        var organization = world.Tenants.AddOrganization("Acme");
        world.Tenants.SetRole(organization, user, Role.Member);
        var key = await world.Authenticator.IssueApiKeyAsync(new(organization, user, Role.Member, "key", null), CancellationToken.None);
        var claim = new CallerClaim(new(CredentialKind.ApiKey, key.Secret), null);
        var resolver = new CallerResolver(world.Authenticator, world.Tenants);
        return async () => (await resolver.RecheckAsync(claim, CancellationToken.None)).Problem?.Code ?? "ok";
    }
}
