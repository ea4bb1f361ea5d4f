using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Idempotency;
using Coordinator.Modules.Kernel.Requests;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordinator.Modules.Kernel;

/// <summary>Registers the kernel and, by convention, what module assemblies hold.</summary>
public static class Registration
{
    /// <summary>
    /// The mediator, its behaviours in order (tracing, failures of ports, role, validation), and of every given assembly
    /// its request handlers, validators and endpoint modules. Call once, with all module assemblies.
    /// </summary>
    public static IServiceCollection AddKernel(this IServiceCollection services, params Assembly[] modules)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddScoped<ServiceFactory>(provider => provider.GetService!);
        services.AddScoped<IMediator, Mediator>();
        services.AddScoped(typeof(IPipelineBehavior<,>), typeof(TracingBehavior<,>));
        services.AddScoped(typeof(IPipelineBehavior<,>), typeof(PortFailureBehavior<,>));
        services.AddScoped(typeof(IPipelineBehavior<,>), typeof(RoleBehavior<,>));
        services.AddScoped(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.Scan(scan => scan
            .FromAssemblies(modules)
            .AddClasses(classes => classes.AssignableTo(typeof(IRequestHandler<,>)), publicOnly: false).AsImplementedInterfaces().WithScopedLifetime()
            .AddClasses(classes => classes.AssignableTo(typeof(IValidator<>)), publicOnly: false).AsImplementedInterfaces().WithSingletonLifetime()
            .AddClasses(classes => classes.AssignableTo<IEndpointModule>(), publicOnly: false).As<IEndpointModule>().WithSingletonLifetime());
        services.TryAddSingleton<BoxConfirmations>();
        services.TryAddSingleton<AttemptLimiter>();
        services.TryAddSingleton<CallerResolver>();
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(ConfigureJson);
        return services.AddJsonTypes(KernelJson.Default);
    }

    /// <summary>Adds a module's source-generated JSON types to what requests and answers may be made of.</summary>
    public static IServiceCollection AddJsonTypes(this IServiceCollection services, IJsonTypeInfoResolver types) =>
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, types));

    /// <summary>
    /// What every request goes through, in order: problems, routing, limits on guessing, authentication and tenancy,
    /// idempotency. WebSockets must have been enabled before.
    /// </summary>
    public static IApplicationBuilder UseKernel(this IApplicationBuilder app) => app
        .UseMiddleware<ProblemMiddleware>()
        .UseRouting()
        .UseMiddleware<AttemptLimitMiddleware>()
        .UseMiddleware<AuthenticationMiddleware>()
        .UseMiddleware<IdempotencyMiddleware>();

    /// <summary>Maps the routes of every endpoint module that was found.</summary>
    public static void MapEndpointModules(this IEndpointRouteBuilder routes)
    {
        foreach (var module in routes.ServiceProvider.GetServices<IEndpointModule>()) module.Map(routes);
    }

    private static void ConfigureJson(JsonOptions json)
    {
        var options = json.SerializerOptions;
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip;
        options.AllowTrailingCommas = false;
        options.ReadCommentHandling = JsonCommentHandling.Disallow;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.RespectNullableAnnotations = true;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
    }
}
