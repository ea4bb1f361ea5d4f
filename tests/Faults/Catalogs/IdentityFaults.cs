using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class AuthenticatorFaults : FaultCatalog<IAuthenticator>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Entering(GeneralFault.Unavailable, "It is down: nobody is let in", (world, _) => world.Authenticator.Faults.FailBefore(), "Unavailable"),
        Entering(GeneralFault.Slow, "It is slow", (world, _) => world.Authenticator.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), "ok"),
        Entering(GeneralFault.LostAnswer, "Its answer is lost: nobody is let in", (world, _) => world.Authenticator.Faults.LoseResponses(), "Timeout"),
        Entering(GeneralFault.Duplicate, "It is asked twice", (world, _) => world.Authenticator.Faults.Duplicate(), "ok"),
        Entering(GeneralFault.StaleCredential, "The key was revoked: who shows it is not let in any more", (_, door) => door.Shows = "ck_revoked", "credential_invalid"),
        Entering(GeneralFault.CorruptAnswer, "Its answer makes no sense: nobody is let in", (world, _) => world.Authenticator.Faults.CorruptResponses(), "Corrupt"),
        Entering(GeneralFault.Full, "It is asked too often: nobody is let in", (world, _) => world.Authenticator.Faults.FailBefore(PortFailureKind.Limited), "Limited"),
        Entering(GeneralFault.ClockSkew, "The clock is two days ahead: a key that has a day left is not let in", (world, _) => world.Time.Skew = TimeSpan.FromDays(2), "credential_invalid"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A credential is one thing, and it is let in or not.",
    };

    private static Fault Entering(GeneralFault general, string name, Action<Skeleton, Door> show, string sees) => Door.Fault(general, name, show, sees);
}

public sealed partial class TenantDirectoryFaults : FaultCatalog<ITenantDirectory>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Entering(GeneralFault.Unavailable, "It is down: nobody is let in", (world, _) => world.Tenants.Faults.FailBefore(), "Unavailable"),
        Entering(GeneralFault.Slow, "It is slow", (world, _) => world.Tenants.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), "ok"),
        Entering(GeneralFault.LostAnswer, "Its answer is lost: nobody is let in", (world, _) => world.Tenants.Faults.LoseResponses(), "Timeout"),
        Entering(GeneralFault.Duplicate, "It is asked twice", (world, _) => world.Tenants.Faults.Duplicate(2), "ok"),
        Entering(GeneralFault.StaleCredential, "It refuses the host's credential: nobody is let in", (world, _) => world.Tenants.Faults.FailBefore(PortFailureKind.Unauthorized), "Unauthorized"),
        Entering(GeneralFault.CorruptAnswer, "Its answer makes no sense: nobody is let in", (world, _) => world.Tenants.Faults.CorruptResponses(), "Corrupt"),
        Entering(GeneralFault.Full, "It has no connection left: nobody is let in", (world, _) => world.Tenants.Faults.FailBefore(PortFailureKind.Full), "Full"),
        Entering(null, "The membership was taken away: the key that came of it opens nothing", (world, door) => world.Tenants.SetRole(door.Organization, door.User, null), "organization_not_found"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "Every call is one transaction: it happened or it did not.",
        [GeneralFault.ClockSkew] = "It compares no time with a clock of its own: what has expired is for its caller to say, whose skew the authenticator's catalog plays.",
    };

    private static Fault Entering(GeneralFault? general, string name, Action<Skeleton, Door> show, string sees) => Door.Fault(general, name, show, sees);
}

public sealed partial class TenantVaultFaults : FaultCatalog<ITenantVault>
{
    private const string Purpose = "models/acme";

    public override IReadOnlyList<Fault> Faults =>
    [
        Opening(GeneralFault.Unavailable, "It is down", opening => opening.World!.Vault.Faults.FailBefore(), "Unavailable"),
        Opening(GeneralFault.Slow, "It is slow", opening => opening.World!.Vault.Faults.Slow(TimeSpan.FromSeconds(20), opening.World.Time), "ok"),
        Opening(GeneralFault.LostAnswer, "Its answer is lost", opening => opening.World!.Vault.Faults.LoseResponses(), "Timeout"),
        Opening(GeneralFault.Duplicate, "It is asked twice", opening => opening.World!.Vault.Faults.Duplicate(), "ok"),
        Opening(GeneralFault.StaleCredential, "The key it was sealed with is not known any more", opening => opening.KeyId = "memory-0", "Rejected"),
        Opening(GeneralFault.CorruptAnswer, "Its answer makes no sense", opening => opening.World!.Vault.Faults.CorruptResponses(), "Corrupt"),
        Opening(GeneralFault.Full, "It is asked too often", opening => opening.World!.Vault.Faults.FailBefore(PortFailureKind.Limited), "Limited"),
        Opening(null, "The master key is missing: nothing opens until it is back, and nothing is lost", opening => opening.World!.Vault.IsMasterMissing = true, "Rejected"),
        Opening(null, "A secret is opened for the wrong organization", opening => opening.Organization = OrganizationId.New(TimeProvider.System), "Corrupt"),
        Opening(null, "A bit of a secret is flipped", opening => opening.IsFlipped = true, "Corrupt"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "Sealing is authenticated as a whole: a part of a ciphertext opens as nothing.",
        [GeneralFault.ClockSkew] = "Nothing that is sealed holds a time, and no key expires by a clock.",
    };

    private static Fault Opening(GeneralFault? general, string name, Action<SecretOpening> show, string sees)
    {
        var opening = new SecretOpening();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
            Show = Fault.By(_ => show(opening)),
            Mend = opening.Mend,
            Sees = sees,
            Beside = opening.PrepareAsync,
            Holds = opening.HoldsAsync,
        };
    }

    /// <summary>A secret of the world's organization that is opened again and again.</summary>
    private sealed class SecretOpening
    {
        private static readonly byte[] Secret = "sk-canary-secret"u8.ToArray();

        private SealedSecret? sealedSecret;

        public Skeleton? World { get; private set; }

        public OrganizationId Organization { get; set; }

        public bool IsFlipped { get; set; }

        public string? KeyId { get; set; }

        public void Mend(Skeleton world)
        {
            (Organization, IsFlipped, KeyId) = (world.Key.Organization, false, null);
            world.Vault.IsMasterMissing = false;
            world.Vault.Faults.Clear();
        }

        public async ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton world)
        {
            World = world;
            Organization = world.Key.Organization;
            sealedSecret = await world.Vault.SealAsync(Organization, Purpose, Secret, CancellationToken.None);
            return OpenAsync;
        }

        /// <summary>It opens for its own organization and its own purpose, and for no other.</summary>
        public async ValueTask HoldsAsync(Skeleton world)
        {
            Assert.Equal(Secret, await world.Vault.OpenAsync(world.Key.Organization, Purpose, sealedSecret!, CancellationToken.None));
            await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => world.Vault.OpenAsync(OrganizationId.New(TimeProvider.System), Purpose, sealedSecret!, CancellationToken.None));
            await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => world.Vault.OpenAsync(world.Key.Organization, "models/other", sealedSecret!, CancellationToken.None));
        }

        private async ValueTask<string> OpenAsync()
        {
            var ciphertext = sealedSecret!.Ciphertext.ToArray();
            if (IsFlipped) ciphertext[^1] ^= 1;
            var opened = await World!.Vault.OpenAsync(Organization, Purpose, new(KeyId ?? sealedSecret.KeyId, ciphertext), CancellationToken.None);
            return opened.AsSpan().SequenceEqual(Secret) ? "ok" : "another secret";
        }
    }
}

/// <summary>How somebody with an API key comes in: the real resolver, over the world's authenticator and directory.</summary>
internal sealed class Door
{
    private string key = "";

    public OrganizationId Organization { get; private set; }

    public UserId User { get; private set; }

    /// <summary>What is shown in place of the key; null: the key.</summary>
    public string? Shows { get; set; }

    public static Fault Fault(GeneralFault? general, string name, Action<Skeleton, Door> show, string sees)
    {
        var door = new Door();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
            Show = Faults.Fault.By(world => show(world, door)),
            Mend = door.Mend,
            Sees = sees,
            Beside = door.OpenAsync,
            Holds = door.HoldsAsync,
        };
    }

    /// <summary>The one key is the only one there is, it is kept as a hash, and no other lets anybody in.</summary>
    private async ValueTask HoldsAsync(Skeleton world)
    {
        var ada = new Principal(PrincipalKind.User, User.ToString(), "Ada");
        var stored = Assert.Single(await world.Tenants.ListApiKeysAsync(new(Organization, ada, Role.Member), CancellationToken.None));
        Assert.DoesNotContain(key, stored.ToString(), StringComparison.Ordinal);
        var resolver = new CallerResolver(world.Authenticator, world.Tenants);
        Assert.Equal("credential_invalid", (await resolver.RecheckAsync(new(new(CredentialKind.ApiKey, $"{key}x"), null), CancellationToken.None)).Problem?.Code);
    }

    private void Mend(Skeleton world)
    {
        Shows = null;
        world.Time.Skew = TimeSpan.Zero;
        world.Authenticator.Faults.Clear();
        world.Tenants.Faults.Clear();
        world.Tenants.SetRole(Organization, User, Role.Member);
    }

    private async ValueTask<Func<ValueTask<string>>> OpenAsync(Skeleton world)
    {
        User = world.Tenants.AddUser("Ada");
        Organization = world.Tenants.AddOrganization("Acme");
        world.Tenants.SetRole(Organization, User, Role.Member);
        var issued = await world.Authenticator.IssueApiKeyAsync(new(Organization, User, Role.Member, "key", world.Time.GetUtcNow() + TimeSpan.FromDays(1)), CancellationToken.None);
        key = issued.Secret;
        var resolver = new CallerResolver(world.Authenticator, world.Tenants);
        return async () => (await resolver.RecheckAsync(new(new(CredentialKind.ApiKey, Shows ?? key), null), CancellationToken.None)).Problem?.Code ?? "ok";
    }
}
