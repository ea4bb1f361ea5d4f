using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Modules.EnvironmentDiscoveryTests;

/// <summary>A repository made of paths and texts, looked at as the control plane and the box look at theirs.</summary>
internal sealed class Repository
{
    private readonly Dictionary<string, string> files = new(StringComparer.Ordinal);

    public Repository With(string path, string content = "")
    {
        files[path] = content;
        return this;
    }

    public DetectedEnvironment Discover() =>
        EnvironmentDiscovery.Discover(files.Keys, files.Where(file => EnvironmentDiscovery.Wants(file.Key)).ToDictionary(StringComparer.Ordinal), "c0ffee");
}
