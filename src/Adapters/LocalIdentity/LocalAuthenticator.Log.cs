using Coordinator.Ports.Identity;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalIdentity;

internal sealed partial class LocalAuthenticator
{
    [LoggerMessage(1701, LogLevel.Information, "Issued {Kind} {CredentialId}")]
    private partial void LogIssued(CredentialKind kind, Guid credentialId);

    [LoggerMessage(1702, LogLevel.Information, "Revoked {Kind} {CredentialId}")]
    private partial void LogRevoked(CredentialKind kind, Guid credentialId);

    [LoggerMessage(1703, LogLevel.Information, "Refused {Kind} {CredentialId}: expired, spent or revoked")]
    private partial void LogNotLive(CredentialKind kind, Guid credentialId);
}
