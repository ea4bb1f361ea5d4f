using Coordinator.Adapters.Postgres;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordinator.Tests.Conformance.TenantDirectory;

/// <summary>A directory, and the ways of putting people and organizations into it that its port does not have yet.</summary>
public interface ITenantDirectoryHarness
{
    ITenantDirectory Directory { get; }

    ValueTask<UserId> AddUserAsync(string displayName);

    ValueTask<OrganizationId> AddOrganizationAsync(string name);

    /// <summary>Makes a member, changes the role, or (null) ends the membership.</summary>
    ValueTask SetRoleAsync(OrganizationId organization, UserId user, Role? role);

    /// <summary>Lets claims of requests be as much nearer to their end.</summary>
    ValueTask PassForClaimsAsync(TimeSpan by);
}

internal sealed class InMemoryDirectoryHarness : ITenantDirectoryHarness
{
    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private readonly InMemoryTenantDirectory directory;

    public InMemoryDirectoryHarness() => directory = new(time);

    public ITenantDirectory Directory => directory;

    public ValueTask<UserId> AddUserAsync(string displayName) => new(directory.AddUser(displayName));

    public ValueTask<OrganizationId> AddOrganizationAsync(string name) => new(directory.AddOrganization(name));

    public ValueTask SetRoleAsync(OrganizationId organization, UserId user, Role? role)
    {
        directory.SetRole(organization, user, role);
        return ValueTask.CompletedTask;
    }

    public ValueTask PassForClaimsAsync(TimeSpan by)
    {
        time.Advance(by);
        return ValueTask.CompletedTask;
    }
}

internal sealed class PostgresDirectoryHarness : ITenantDirectoryHarness
{
    private readonly PostgresFixture postgres;

    public PostgresDirectoryHarness(PostgresFixture postgres)
    {
        this.postgres = postgres;
        var services = new ServiceCollection();
        services.AddSingleton(postgres.DataSource);
        services.AddPostgresTenantDirectory();
        Directory = services.BuildServiceProvider().GetRequiredService<ITenantDirectory>();
    }

    public ITenantDirectory Directory { get; }

    public async ValueTask<UserId> AddUserAsync(string displayName)
    {
        var id = UserId.New(TimeProvider.System);
        await ExecuteAsync("INSERT INTO person (id, display_name, created_at) VALUES ($1, $2, clock_timestamp())", id.Value, displayName);
        return id;
    }

    public async ValueTask<OrganizationId> AddOrganizationAsync(string name)
    {
        var id = OrganizationId.New(TimeProvider.System);
        await ExecuteAsync("INSERT INTO organization (org, name, created_at) VALUES ($1, $2, clock_timestamp())", id.Value, name);
        return id;
    }

    public async ValueTask SetRoleAsync(OrganizationId organization, UserId user, Role? role)
    {
        if (role is null) await ExecuteAsync("DELETE FROM membership WHERE org = $1 AND person = $2", organization.Value, user.Value);
        else
        {
            await ExecuteAsync(
                "INSERT INTO membership (org, person, role, since) VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (org, person) DO UPDATE SET role = excluded.role",
                organization.Value, user.Value, role.Value.ToString().ToLowerInvariant());
        }
    }

    public async ValueTask PassForClaimsAsync(TimeSpan by) => await ExecuteAsync("UPDATE idempotent_request SET held_until = held_until - $1", by);

    private async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = postgres.Owner.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }
}
