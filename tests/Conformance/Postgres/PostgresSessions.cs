using Coordinator.Adapters.Postgres;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The adapter as a host registers it, over one database.</summary>
internal sealed class PostgresSessions : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public PostgresSessions(string connectionString, params (string Key, string Value)[] settings)
        : this(connectionString, TimeProvider.System, settings)
    {
    }

    public PostgresSessions(string connectionString, TimeProvider time, params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create($"{DatabaseOptions.Section}:{setting.Key}", (string?)setting.Value))
                .Append(new($"{DatabaseOptions.Section}:ConnectionString", connectionString))).Build();
        services = new ServiceCollection().AddLogging().AddSingleton(time).AddPostgres(configuration).BuildServiceProvider();
        Owner = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Options = "-c coordinator.scope=system -c default_transaction_read_only=off" });
    }

    public ISessionJournal Journal => services.GetRequiredService<ISessionJournal>();

    public IAlarmClock AlarmClock => services.GetRequiredService<IAlarmClock>();

    public IHostRegistry Hosts => services.GetRequiredService<IHostRegistry>();

    /// <summary>The pool under the tenants' role.</summary>
    public NpgsqlDataSource Shared => services.GetRequiredService<NpgsqlDataSource>();

    /// <summary>The pool under the host's role.</summary>
    public NpgsqlDataSource System => services.GetRequiredService<SystemDataSource>().Source;

    /// <summary>For what no host does: as the schema's owner, each connection a new one, which writes even where the database takes no writes.</summary>
    public NpgsqlDataSource Owner { get; }

    /// <summary>One of the adapter's own, with what the test gives it.</summary>
    public T Create<T>(params object[] given) => ActivatorUtilities.CreateInstance<T>(services, given);

    public async ValueTask DisposeAsync()
    {
        await Owner.DisposeAsync();
        await services.DisposeAsync();
    }
}
