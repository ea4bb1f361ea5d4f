using Coordinator.Modules.Kernel;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Modules.SessionAccess.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Modules.SessionAccess;

/// <summary>Registers how people, programs and boxes reach sessions.</summary>
public static class Registration
{
    /// <summary>Section <c>Sessions</c> holds the options. Handlers and endpoints are found by the kernel.</summary>
    public static IServiceCollection AddSessionAccessModule(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SessionAccessOptions>()
            .Bind(configuration.GetSection(SessionAccessOptions.Section))
            .ValidateDataAnnotations()
            .Validate(options => options.KeepEvents is not { } age || age >= TimeSpan.FromDays(1), "Sessions:KeepEvents must be at least a day (1.00:00:00), or unset to keep them for ever.")
            .Validate(options => options.ArchiveEventsAfter is not { } age || age >= TimeSpan.FromDays(1), "Sessions:ArchiveEventsAfter must be at least a day (1.00:00:00), or unset to archive no events.")
            .Validate(options => !(options.ArchiveEventsAfter >= options.KeepEvents), "Sessions:ArchiveEventsAfter must be less than Sessions:KeepEvents, after which events are removed; of the two, leave one unset.")
            .Validate(options => options.CompactAfter == TimeSpan.Zero || (options.CompactAfter >= TimeSpan.FromMinutes(1) && options.CompactAfter <= TimeSpan.FromDays(30)), "Sessions:CompactAfter must be from a minute (00:01:00) to 30 days (30.00:00:00), or 00:00:00 to merge no text.")
            .ValidateOnStart();
        services.AddSingleton<SessionNaming>();
        services.AddSingleton<ReturnSchedule>();
        services.AddSingleton<EventStreams>();
        services.AddSingleton<ConversationHistory>();
        services.AddHostedService<EventRetention>();
        services.AddHostedService<EventArchiving>();
        services.AddHostedService<ArchiveClearing>();
        services.AddHostedService<EventCompaction>();
        services.AddSingleton<BoxBriefings>();
        return services.AddJsonTypes(SessionAccessJson.Default);
    }
}
