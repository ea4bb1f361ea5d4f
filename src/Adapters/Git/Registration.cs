using Coordinator.Adapters.Git.Commands;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Git;

/// <summary>Registers source control of any git host.</summary>
public static class Registration
{
    /// <summary>
    /// Any git host over http(s). Section <c>Git</c>, and the address exceptions of <c>Sandbox:Egress:Exceptions</c>.
    /// Needs the tenant directory and the vault.
    /// </summary>
    public static IServiceCollection AddGitSourceControl(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<GitOptions>()
            .Bind(configuration.GetSection(GitOptions.Section))
            .PostConfigure(options => options.AddressExceptions = [.. options.AddressExceptions, .. configuration.GetSection(GitOptions.ExceptionsKey).Get<string[]>() ?? []])
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<GitOptions>, GitOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<GitCredentialStore>();
        services.AddSingleton<ISourceControl, GitSourceControl>();
        return services;
    }

    private sealed class GitOptionsValidator : IValidateOptions<GitOptions>
    {
        public ValidateOptionsResult Validate(string? name, GitOptions options)
        {
            var problems = options.Problems().ToArray();
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
