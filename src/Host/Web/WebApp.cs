using Microsoft.Extensions.FileProviders;

namespace Coordinator.Host.Web;

/// <summary>The built web app's files: in <c>Web:Root</c>, beside a published host, or in a working copy's build.</summary>
internal sealed class WebApp(IFileProvider? files)
{
    private const string Index = "index.html";

    public bool IsBuilt => files is not null;

    public IFileProvider Files => files ?? new NullFileProvider();

    public IFileInfo IndexFile => Files.GetFileInfo(Index);

    /// <summary>Registers it. A root that is configured and holds no page is refused with all other wrong options: without one, only the API is served.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        var root = configuration["Web:Root"];
        services.AddSingleton(Find(configuration));
        services.AddOptions<WebRoot>()
            .Validate(_ => string.IsNullOrEmpty(root) || File.Exists(Path.Combine(root, Index)), $"Web:Root names {root}, where there is no {Index}; build the page there, or leave it out.")
            .ValidateOnStart();
    }

    private static WebApp Find(IConfiguration configuration)
    {
        var directory = Candidates(configuration["Web:Root"]).FirstOrDefault(candidate => File.Exists(Path.Combine(candidate, Index)));
        return new(directory is null ? null : new PhysicalFileProvider(Path.GetFullPath(directory)));
    }

    private sealed class WebRoot;

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
