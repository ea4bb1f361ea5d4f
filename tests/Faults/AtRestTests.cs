using Xunit;

namespace Coordinator.Tests.Faults;

/// <summary>The tests whose world waits until the process is at rest: a test beside one would never let it rest.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AtRestTests
{
    public const string Name = "Worlds at rest";
}
