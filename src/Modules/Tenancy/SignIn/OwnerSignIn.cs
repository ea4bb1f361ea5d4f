using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// How the first person gets in: makes the owner and their organization when there is none, and a one-time sign-in link
/// for the console of the host, which only its operator reads.
/// </summary>
public sealed class OwnerSignIn(ITenantDirectory directory, IAuthenticator authenticator, IOptions<TenancyOptions> options)
{
    /// <summary>Where the web app takes a link. The secret follows as the fragment, which browsers do not send and proxies do not log.</summary>
    public const string Path = "/sign-in";

    /// <summary>Makes a new link for the first owner. Links made before stay valid until they are used or expire.</summary>
    /// <exception cref="PortException">The directory's store failed.</exception>
    public async ValueTask<OwnerInvitation> InviteAsync(CancellationToken cancellationToken)
    {
        var owner = await directory.EnsureOwnerAsync(cancellationToken);
        var link = await authenticator.IssueSignInLinkAsync(owner.User, options.Value.SignInLinkLifetime, cancellationToken);
        return new(owner, link);
    }
}

/// <summary>A way in for the owner, to be shown once to whoever started the host.</summary>
public sealed record OwnerInvitation(OwnerAccount Owner, IssuedSecret Link)
{
    /// <summary>The link as an address below where the host is reached.</summary>
    public Uri At(Uri host) => new(host, $"{OwnerSignIn.Path}#{Link.Secret}");

    /// <summary>Never prints the link's secret.</summary>
    public override string ToString() => $"sign-in link of {Owner.User}";
}
