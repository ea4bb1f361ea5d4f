using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Coordinator.Tests.Conformance.TenantVault;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.BoxTokens;

public sealed class HmacBoxTokenSchemeTests
{
    private static readonly string MasterKey = LocalIdentityHost.NewKey();
    private readonly SessionKey session = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private readonly SandboxId sandbox = SandboxId.New(TimeProvider.System);

    [Fact]
    public void A_repeated_create_on_any_host_with_the_same_master_key_hands_out_the_same_token() =>
        Assert.Equal(Scheme().TokenFor(session, sandbox, 3), Scheme().TokenFor(session, sandbox, 3));

    [Fact]
    public void The_token_says_which_box_it_is_for_and_proves_it_by_its_hash()
    {
        var token = Scheme().TokenFor(session, sandbox, 3);

        Assert.True(BoxToken.TryParse(token, out var read));
        Assert.Equal((session, sandbox, 3), (read.Key, read.Credential.Sandbox, read.Credential.Generation));
        Assert.Equal(Scheme().HashFor(session, sandbox, 3), read.Credential.TokenHash.ToArray());
    }

    [Fact]
    public void Another_generation_box_session_organization_or_master_key_is_another_secret()
    {
        string[] tokens =
        [
            Scheme().TokenFor(session, sandbox, 3),
            Scheme().TokenFor(session, sandbox, 4),
            Scheme().TokenFor(session, SandboxId.New(TimeProvider.System), 3),
            Scheme().TokenFor(session with { Session = SessionId.New(TimeProvider.System) }, sandbox, 3),
            Scheme().TokenFor(session with { Organization = OrganizationId.New(TimeProvider.System) }, sandbox, 3),
            Host(LocalIdentityHost.NewKey()).GetRequiredService<IBoxTokenScheme>().TokenFor(session, sandbox, 3),
        ];

        Assert.Equal(tokens.Length, tokens.Select(token => token.Split('.')[^1]).Distinct().Count());
    }

    [Fact]
    public void A_rotation_knows_the_tokens_of_before_again_and_makes_new_ones()
    {
        var before = Scheme();
        var rotated = LocalIdentityHost.WithKeys(LocalIdentityHost.NewKey(), MasterKey).GetRequiredService<IBoxTokenScheme>();

        Assert.NotEqual(before.TokenFor(session, sandbox, 3), rotated.TokenFor(session, sandbox, 3));
        Assert.True(rotated.IsHashFor(session, sandbox, 3, before.HashFor(session, sandbox, 3)));
        Assert.True(rotated.IsHashFor(session, sandbox, 3, rotated.HashFor(session, sandbox, 3)));
        Assert.False(rotated.IsHashFor(session, sandbox, 4, before.HashFor(session, sandbox, 3)));
        Assert.Equal(before.TokenFor(session, sandbox, 3), rotated.TokenFor(session, sandbox, 3, before.HashFor(session, sandbox, 3)));
    }

    [Fact]
    public void A_key_that_is_not_held_any_more_makes_no_token_that_counts()
    {
        var lost = Host(LocalIdentityHost.NewKey()).GetRequiredService<IBoxTokenScheme>();

        Assert.False(lost.IsHashFor(session, sandbox, 3, Scheme().HashFor(session, sandbox, 3)));
        Assert.False(lost.IsHashFor(session, sandbox, 3, []));
        Assert.Equal(lost.TokenFor(session, sandbox, 3), lost.TokenFor(session, sandbox, 3, Scheme().HashFor(session, sandbox, 3)));
    }

    [Fact]
    public void A_signature_for_one_purpose_is_worth_nothing_for_another()
    {
        var signer = Host(MasterKey).GetRequiredService<ITokenSigner>();

        Assert.Equal(signer.Sign("a", "data"u8), Host(MasterKey).GetRequiredService<ITokenSigner>().Sign("a", "data"u8));
        Assert.NotEqual(signer.Sign("a", "data"u8), signer.Sign("b", "data"u8));
        Assert.NotEqual(signer.Sign("a", "data"u8), signer.Sign("a", "datb"u8));
        Assert.Equal(32, signer.Sign("a", "data"u8).Length);
    }

    private static IBoxTokenScheme Scheme() => Host(MasterKey).GetRequiredService<IBoxTokenScheme>();

    private static IServiceProvider Host(string key) => LocalIdentityHost.WithKeys(key);
}
