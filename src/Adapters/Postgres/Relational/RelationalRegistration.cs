using Coordinator.Adapters.Postgres.Feed;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Record;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Puts the relational rows of the control plane into a host, over the shared <see cref="NpgsqlDataSource"/>.</summary>
public static class RelationalRegistration
{
    /// <summary>Registers <see cref="ITenantDirectory"/>. The data source must be registered, and migrated before the first call.</summary>
    public static IServiceCollection AddPostgresTenantDirectory(this IServiceCollection services)
    {
        services.TryAddSingleton<TenantStatements>();
        return services.AddTenantTransactions<DirectoryContext>().AddSingleton<ITenantDirectory, PostgresTenantDirectory>();
    }

    /// <summary>Registers <see cref="IRunHistory"/>. The data source must be registered, and migrated before the first call.</summary>
    public static IServiceCollection AddPostgresRunHistory(this IServiceCollection services)
    {
        services.TryAddSingleton<TenantStatements>();
        return services.AddTenantTransactions<RunContext>().AddSingleton<IRunHistory, PostgresRunHistory>();
    }

    /// <summary>Registers <see cref="IEventFeed"/>. The data source must be registered, and migrated before the first call.</summary>
    public static IServiceCollection AddPostgresEventFeed(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TenantStatements>();
        return services.AddSingleton<FeedWakeUps>().AddSingleton<IEventFeed, PostgresEventFeed>();
    }

    private static IServiceCollection AddTenantTransactions<TContext>(this IServiceCollection services)
        where TContext : DbContext
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddPooledDbContextFactory<TContext>((provider, options) => options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()));
        return services.AddSingleton<TenantTransactions<TContext>>().AddHostedService<ModelWarmUp<TContext>>();
    }
}
