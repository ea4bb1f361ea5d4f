using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Adapters.FileSystem;

/// <summary>Registers artifacts that are kept as files.</summary>
public static class Registration
{
    /// <summary>Artifacts as files below <c>Artifacts:Directory</c> (default <c>{DataDirectory}/artifacts</c>).</summary>
    public static IServiceCollection AddFileArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.AddOptions<FileArtifactOptions>()
            .Bind(configuration.GetSection(FileArtifactOptions.Section))
            .PostConfigure(options => options.Directory = string.IsNullOrWhiteSpace(options.Directory) ? Path.Combine(configuration["DataDirectory"] ?? "data", "artifacts") : options.Directory);
        services.AddSingleton<IArtifactStore, FileArtifactStore>();
        return services;
    }
}
