using Coordinator.Adapters.GitHubApp.Api;
using Coordinator.Adapters.GitHubApp.Tokens;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.GitHubApp;

/// <summary>Registers source control as a GitHub App, before the one for all other hosts.</summary>
public static class Registration
{
    /// <summary>
    /// A GitHub App for the repositories of the accounts it may be used for; all others stay with the source control that is
    /// registered already. Section <c>GitHubApp</c>, and the address exceptions of <c>Sandbox:Egress:Exceptions</c>. Changes
    /// nothing while no app is configured.
    /// </summary>
    public static IServiceCollection AddGitHubApp(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<GitHubAppOptions>()
            .Bind(configuration.GetSection(GitHubAppOptions.Section))
            .PostConfigure(options => options.AddressExceptions = [.. options.AddressExceptions, .. configuration.GetSection(GitHubAppOptions.ExceptionsKey).Get<string[]>() ?? []])
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<GitHubAppOptions>, GitHubAppOptionsValidator>();
        if (string.IsNullOrWhiteSpace(configuration[$"{GitHubAppOptions.Section}:{nameof(GitHubAppOptions.AppId)}"])) return services;

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<GitHubApi>();
        services.AddSingleton<AppJwt>();
        services.AddSingleton<InstallationTokens>();
        services.AddSingleton<GitHubSourceControl>();
        if (services.LastOrDefault(service => service.ServiceType == typeof(ISourceControl) && !service.IsKeyedService) is not { ImplementationType: { } others } registered)
            return services.AddSingleton<ISourceControl>(provider => provider.GetRequiredService<GitHubSourceControl>());

        // The other one keeps its place as itself, so that one adapter and no second serves the port.
        services.Remove(registered);
        services.AddSingleton(others);
        return services.AddSingleton<ISourceControl>(provider => new GitHubOrElse(provider.GetRequiredService<GitHubSourceControl>(), (ISourceControl)provider.GetRequiredService(others)));
    }

    private sealed class GitHubAppOptionsValidator : IValidateOptions<GitHubAppOptions>
    {
        public ValidateOptionsResult Validate(string? name, GitHubAppOptions options)
        {
            var problems = options.Problems().ToArray();
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
