using Coordinator.Adapters.FileSystem;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.ArtifactStore;

public sealed class FileArtifactStoreTests : ArtifactStoreContract, IDisposable
{
    private const int NoSuchFolder = 2;
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

    [Fact]
    public async Task Every_folder_on_the_way_to_a_blob_is_flushed_once_it_lists_the_next_and_again_when_the_blob_is_gone()
    {
        var root = Path.Combine(directory, "data", "artifacts");
        List<(string Folder, HashSet<string> Names)> flushed = [];
        var store = In(root, folder => flushed.Add((folder, [.. Directory.EnumerateFileSystemEntries(folder)])));
        var organization = OrganizationId.New(TimeProvider.System);

        Assert.True((await store.PutAsync(organization, HashOf([]), new MemoryStream(), 10, default)).IsSuccess);

        var path = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Single();
        foreach (var name in Above(path)) Assert.Contains(flushed, flush => flush.Folder == Path.GetDirectoryName(name) && flush.Names.Contains(name));
        flushed.Clear();
        Assert.True((await store.PutAsync(organization, HashOf([]), new MemoryStream(), 10, default)).IsSuccess);
        Assert.Equal(Above(path).TakeWhile(name => name != root).Select(Path.GetDirectoryName), flushed.Select(flush => flush.Folder)); // whoever made them may have died over it
        flushed.Clear();
        await store.DeleteAsync(organization, HashOf([]), default);
        Assert.Contains(flushed, flush => flush.Folder == Path.GetDirectoryName(path) && flush.Names.Count == 0);

        IEnumerable<string> Above(string leaf)
        {
            for (var name = leaf; name != directory; name = Path.GetDirectoryName(name)!) yield return name;
        }
    }

    [Fact]
    public async Task A_blob_whose_name_may_be_lost_again_was_not_stored()
    {
        var store = In(directory, _ => throw new IOException("The disk is broken."));

        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => store.PutAsync(OrganizationId.New(TimeProvider.System), HashOf([]), new MemoryStream(), 10, default));
    }

    [Fact]
    public void A_folder_that_cannot_be_flushed_says_so_with_the_system_s_reason()
    {
        DurableFolders.Flush(directory);

        var failure = Assert.Throws<IOException>(() => DurableFolders.Flush(Path.Combine(directory, "nowhere")));
        Assert.Equal(NoSuchFolder, failure.HResult);
    }

    [Fact]
    public async Task What_cannot_be_cleared_away_is_neither_the_answer_nor_the_failure()
    {
        var organization = OrganizationId.New(TimeProvider.System);

        var refused = await Store.PutAsync(organization, HashOf([1]), new Meddler(directory), 10, default);
        Assert.Equal("artifact_hash_mismatch", refused.Problem?.Code);

        await PortAssert.FailsAsync(PortFailureKind.Unavailable, () => Store.PutAsync(organization, HashOf([]), new Meddler(directory), 10, default));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>Nothing; but whoever reads it finds that its half-written file cannot be moved or removed any more, as on a disk that is read-only by now.</summary>
    private sealed class Meddler(string directory) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            foreach (var part in Directory.EnumerateFiles(directory, "*.part", SearchOption.AllDirectories))
            {
                File.Delete(part);
                Directory.CreateDirectory(part);
            }

            return base.ReadAsync(buffer, cancellationToken);
        }
    }

    private static FileArtifactStore In(string directory, Action<string> flush) => new(Options.Create(new FileArtifactOptions { Directory = directory }), NullLogger<FileArtifactStore>.Instance, flush);

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
