using Coordinator.Demo.Model;
using Coordinator.Demo.Repository;
using Coordinator.Ports.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordinator.Demo;

/// <summary>Registers the demo, where it is wanted.</summary>
public static class Registration
{
    /// <summary>
    /// The scripted model <c>demo/scripted</c> and the sample repository, when section <c>Demo</c> says
    /// <c>Enabled</c>; otherwise nothing at all.
    /// </summary>
    public static IServiceCollection AddDemo(this IServiceCollection services, IConfiguration configuration)
    {
        if (!configuration.GetValue<bool>($"{DemoOptions.Section}:{nameof(DemoOptions.Enabled)}")) return services;
        services.AddOptions<DemoOptions>().Bind(configuration.GetSection(DemoOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DemoOptions>, DemoOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DemoKey>();
        services.AddSingleton<DemoModelEndpoint>();
        services.AddSingleton<IModelProviderSource, DemoModelProvider>();
        services.AddSingleton<DemoRepository>();
        services.AddSingleton<UploadPackEndpoint>();
        return services;
    }

    /// <summary>
    /// Maps the demo's routes; none when it is off. They authenticate for themselves (the model) or are public (the
    /// repository), so the caller marks the group as needing no credential.
    /// </summary>
    public static RouteGroupBuilder MapDemo(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/demo").ExcludeFromDescription();
        if (routes.ServiceProvider.GetService<DemoModelEndpoint>() is not { } model) return group;
        var git = routes.ServiceProvider.GetRequiredService<UploadPackEndpoint>();
        group.MapPost("/model/v1/chat/completions", (RequestDelegate)model.HandleAsync);
        group.MapGet("/sample", (IOptions<DemoOptions> options) => SampleDescription.Of(options.Value));
        group.MapGet("/repositories/node-sample.git/info/refs", (RequestDelegate)git.AdvertiseAsync);
        group.MapPost("/repositories/node-sample.git/git-upload-pack", (RequestDelegate)git.UploadAsync);
        return group;
    }

    private sealed class DemoOptionsValidator : IValidateOptions<DemoOptions>
    {
        public ValidateOptionsResult Validate(string? name, DemoOptions options)
        {
            var problems = options.Problems().ToArray();
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
