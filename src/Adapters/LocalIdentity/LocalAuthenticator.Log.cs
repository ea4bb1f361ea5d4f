using Coordinator.Ports.Identity;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalIdentity;

internal sealed partial class LocalAuthenticator
{
    [LoggerMessage(2101, LogLevel.Information, "Issued {Kind} {CredentialId}")]
    private partial void LogIssued(CredentialKind kind, Guid credentialId);

    [LoggerMessage(2102, LogLevel.Information, "Revoked {Kind} {CredentialId}")]
    private partial void LogRevoked(CredentialKind kind, Guid credentialId);

    [LoggerMessage(2103, LogLevel.Information, "Refused {Kind} {CredentialId}: expired, spent or revoked")]
    private partial void LogNotLive(CredentialKind kind, Guid credentialId);
}
