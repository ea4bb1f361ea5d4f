using Coordinator.Adapters.Postgres.Alarms;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Adapters.Postgres.Hosts;
using Coordinator.Adapters.Postgres.Journal;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Registers PostgreSQL and every port that it stands behind.</summary>
public static class PostgresRegistration
{
    /// <summary>
    /// PostgreSQL, embedded or by connection string (section <c>Database</c>): the shared <c>NpgsqlDataSource</c>, the
    /// session journal, the alarm clock, the host registry, the <see cref="IHostDependency"/> that starts it, and <see cref="IDatabaseStarter"/>
    /// for what must wait until that is done, and <see cref="DatabaseBackup"/> for operators. The embedded server ends when the container is disposed.
    /// </summary>
    public static IServiceCollection AddPostgres(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<DatabaseOptions>().Bind(configuration.GetSection(DatabaseOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<DatabaseOptions>, DatabaseOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);

        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
            return new DatabaseServer(options, options.IsEmbedded ? ActivatorUtilities.CreateInstance<EmbeddedPostgres>(provider, options) : null);
        });
        services.AddSingleton(provider => provider.GetRequiredService<DatabaseServer>().CreateShared());
        services.AddSingleton(provider => provider.GetRequiredService<DatabaseServer>().CreateSystem(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ISessionJournal>(provider => new PostgresSessionJournal(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<SystemDataSource>(),
            provider.GetRequiredService<IOptions<DatabaseOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PostgresSessionJournal>>()));
        services.AddSingleton<IAlarmClock>(provider => new PostgresAlarmClock(
            provider.GetRequiredService<SystemDataSource>(), provider.GetRequiredService<IOptions<DatabaseOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IHostRegistry>(provider => new PostgresHostRegistry(
            provider.GetRequiredService<SystemDataSource>(),
            provider.GetRequiredService<IOptions<DatabaseOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PostgresHostRegistry>>()));
        services.AddSingleton(provider => new DatabaseBackup(
            provider.GetRequiredService<DatabaseServer>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<MigrationRunner>>()));
        services.AddSingleton<DatabasePreparation>();
        services.AddSingleton<DatabaseStarter>();
        services.AddSingleton<IDatabaseStarter>(provider => provider.GetRequiredService<DatabaseStarter>());
        services.AddSingleton<IHostDependency>(provider => provider.GetRequiredService<DatabaseStarter>());
        services.AddSingleton<ISealingKeys, PostgresSealingKeys>();
        services.AddHostedService<TimelineWatch>();
        return services;
    }

    /// <summary>For a host that has no peers: its operator is told of any other that uses the same database.</summary>
    public static IServiceCollection AddStrangerWatch(this IServiceCollection services) => services.AddHostedService<StrangerWatch>();
}
