using System.Text;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Conformance.SourceControl;

public sealed class InMemorySourceControlTests : SourceControlContract
{
    private protected override ISourceControlRig Rig { get; } = new InMemoryRig();

    private sealed class InMemoryRig : ISourceControlRig
    {
        private readonly InMemorySourceControl source = new() { MaxFiles = 20 };
        private readonly InMemorySourceControl strict = new();

        public InMemoryRig()
        {
            source.AddBranch(Public, "main", "c1", Texts(MainFiles));
            source.AddBranch(Public, "feature/x", "c2", Texts(FeatureFiles));
            source.AddBranch(Private, "main", "c3", Texts(MainFiles), "right-password");
            source.AddBranch(Large, "main", "c4", Enumerable.Range(0, 21).ToDictionary(i => $"f{i}", _ => string.Empty));
            source.SilentHosts.Add("silent.example");
            strict.RefusedHosts.Add("git.example");
        }

        public string WhereCredentialsAre => "git/";

        public bool OpensPullRequests => true;

        public ISourceControl Source => source;

        public ISourceControl Strict => strict;

        public string Public => "https://git.example/public.git";

        public string Private => "https://git.example/private.git";

        public string Absent => "https://git.example/absent.git";

        public string Unreachable => "https://silent.example/x.git";

        public string Large => "https://git.example/large.git";

        public OrganizationId NewOrganization() => OrganizationId.New(TimeProvider.System);

        public Task SetCredentialAsync(OrganizationId organization, string password)
        {
            source.SetCredential(organization, "git.example", new("ada", password, null));
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static Dictionary<string, string> Texts(IReadOnlyDictionary<string, byte[]> files) =>
            files.ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value), StringComparer.Ordinal);
    }
}
