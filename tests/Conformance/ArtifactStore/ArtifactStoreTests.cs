using Coordinator.Adapters.FileSystem;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.ArtifactStore;

public sealed class FileArtifactStoreTests : ArtifactStoreContract, IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("coordinator-artifacts-").FullName;

    public FileArtifactStoreTests() => Store = In(directory);

    private protected override IArtifactStore Store { get; }

    private protected override bool HoldsNothing => !Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any();

    [Fact]
    public async Task A_directory_that_cannot_be_used_is_a_failure_of_the_port()
    {
        var file = Path.Combine(directory, "file");
        await File.WriteAllTextAsync(file, "in the way");

        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => In(file).PutAsync(OrganizationId.New(TimeProvider.System), HashOf([]), new MemoryStream(), 10, default));
    }

    [Fact]
    public void A_full_disk_is_told_from_a_failing_one()
    {
        var full = Assert.ThrowsAny<IOException>(() =>
        {
            using var device = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
            device.Write(new byte[1_024 * 1_024]);
            device.Flush();
        });

        Assert.Equal(PortFailureKind.Full, StorageFailure.Of(full).Kind);
        Assert.Equal(PortFailureKind.Unavailable, StorageFailure.Of(new UnauthorizedAccessException()).Kind);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static IArtifactStore In(string directory) => new ServiceCollection()
        .AddFileArtifacts(new ConfigurationBuilder().AddInMemoryCollection([new("Artifacts:Directory", directory)]).Build())
        .BuildServiceProvider()
        .GetRequiredService<IArtifactStore>();
}

public sealed class InMemoryArtifactStoreTests : ArtifactStoreContract
{
    private readonly InMemoryArtifactStore store = new();

    private protected override IArtifactStore Store => store;

    private protected override bool HoldsNothing => store.Count == 0;

    [Fact]
    public async Task A_full_store_keeps_nothing()
    {
        store.Faults.FailBefore(PortFailureKind.Full, 1);

        await PortAssert.FailsAsync(PortFailureKind.Full, () => store.PutAsync(OrganizationId.New(TimeProvider.System), HashOf([]), new MemoryStream(), 10, default));

        Assert.True(HoldsNothing);
    }
}
