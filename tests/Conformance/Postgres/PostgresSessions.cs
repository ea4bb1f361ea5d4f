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
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create($"{DatabaseOptions.Section}:{setting.Key}", (string?)setting.Value))
                .Append(new($"{DatabaseOptions.Section}:ConnectionString", connectionString))).Build();
        services = new ServiceCollection().AddLogging().AddPostgres(configuration).BuildServiceProvider();
    }

    public ISessionJournal Journal => services.GetRequiredService<ISessionJournal>();

    public IAlarmClock AlarmClock => services.GetRequiredService<IAlarmClock>();

    public IHostRegistry Hosts => services.GetRequiredService<IHostRegistry>();

    /// <summary>The pool that row-level security binds.</summary>
    public NpgsqlDataSource Shared => services.GetRequiredService<NpgsqlDataSource>();

    /// <summary>The pool with the host's scope.</summary>
    public NpgsqlDataSource System => services.GetRequiredService<SystemDataSource>().Source;

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
