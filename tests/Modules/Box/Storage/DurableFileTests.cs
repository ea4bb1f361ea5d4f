using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Storage;

public sealed class DurableFileTests : IDisposable
{
    private const int NoSuchFolder = 2;
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_is_flushed_once_it_lists_the_new_content()
    {
        var path = folder["current"];
        DurableFile.Replace(path, "old"u8);
        List<(string Folder, string Content)> flushed = [];

        DurableFile.Replace(path, "new"u8, flushing => flushed.Add((flushing, File.ReadAllText(path))));

        Assert.Equal([(folder.Path, "new")], flushed);
    }

    [Fact]
    public void A_folder_that_cannot_be_flushed_says_so_with_the_system_s_reason()
    {
        var failure = Assert.Throws<IOException>(() => DurableFile.FlushFolder(folder["nowhere"]));
        Assert.Equal(NoSuchFolder, failure.HResult);
    }

    [Fact]
    public void A_name_that_was_not_made_durable_is_a_failure_of_the_replacement() =>
        Assert.Throws<IOException>(() => DurableFile.Replace(folder["current"], "new"u8, _ => throw new IOException("The disk is broken.")));
}
