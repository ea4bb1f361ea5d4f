using Microsoft.Extensions.FileProviders;

namespace Coordinator.Host.Web;

/// <summary>The built web app's files: in <c>Web:Root</c>, beside a published host, or in a working copy's build.</summary>
internal sealed class WebApp(IFileProvider? files)
{
    private const string Index = "index.html";

    public bool IsBuilt => files is not null;

    public IFileProvider Files => files ?? new NullFileProvider();

    public IFileInfo IndexFile => Files.GetFileInfo(Index);

    public static WebApp Find(IConfiguration configuration)
    {
        var directory = Candidates(configuration["Web:Root"]).FirstOrDefault(candidate => File.Exists(Path.Combine(candidate, Index)));
        return new(directory is null ? null : new PhysicalFileProvider(Path.GetFullPath(directory)));
    }

    private static IEnumerable<string> Candidates(string? configured)
    {
        if (!string.IsNullOrEmpty(configured))
        {
            yield return configured;
            yield break;
        }

        yield return Path.Combine(AppContext.BaseDirectory, "wwwroot");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            yield return Path.Combine(folder.FullName, "src", "Web", "dist");
    }
}
