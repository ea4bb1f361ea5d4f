using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Conformance.SourceControl;

/// <summary>Repositories for a source control to find.</summary>
internal interface ISourceControlRig : IAsyncDisposable
{
    ISourceControl Source { get; }

    /// <summary>The same without any exception, so that it may reach the public internet only, where <see cref="Public"/> is not.</summary>
    ISourceControl Strict { get; }

    /// <summary>A repository everybody can read: branches <c>main</c> (the default) and <c>feature/x</c>.</summary>
    string Public { get; }

    /// <summary>One with the branch <c>main</c>, for those with the password <c>right-password</c>.</summary>
    string Private { get; }

    /// <summary>On the same host, but not there.</summary>
    string Absent { get; }

    /// <summary>On a host where nothing answers.</summary>
    string Unreachable { get; }

    /// <summary>A repository with more files than are listed.</summary>
    string Large { get; }

    /// <summary>Words of where a refused credential is to be looked for.</summary>
    string WhereCredentialsAre { get; }

    bool OpensPullRequests { get; }

    OrganizationId NewOrganization();

    /// <summary>Stores a credential for the host of these repositories.</summary>
    Task SetCredentialAsync(OrganizationId organization, string password);
}
