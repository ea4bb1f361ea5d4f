using Coordinator.Ports.Record;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.HttpNotifier;

/// <summary>Registers notifications that are sent as signed webhooks.</summary>
public static class Registration
{
    /// <summary>Notifications as signed webhooks over http(s). Section <c>Notifier</c>.</summary>
    public static IServiceCollection AddHttpNotifier(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<HttpNotifierOptions>().Bind(configuration.GetSection(HttpNotifierOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HttpNotifierOptions>, HttpNotifierOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<INotifier>(provider => new HttpNotifier(provider.GetRequiredService<IOptions<HttpNotifierOptions>>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    private sealed class HttpNotifierOptionsValidator : IValidateOptions<HttpNotifierOptions>
    {
        public ValidateOptionsResult Validate(string? name, HttpNotifierOptions options)
        {
            var problems = options.Problems().ToArray();
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
