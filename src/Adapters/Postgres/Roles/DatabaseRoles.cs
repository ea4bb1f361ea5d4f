using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// The roles that hosts work under in one database: they own nothing, cannot log in and are bound by row-level security. The
/// login of the connection string owns the schema and takes one of them for whatever is done for somebody. Roles are of a
/// whole server, so their names say of which database they are.
/// </summary>
/// <param name="Tenants">For what is done in an organization's name: sees the organization that its transaction names.</param>
/// <param name="Host">For the host's own work over all organizations: appends, alarms, sweeps, who calls.</param>
/// <param name="Door">What the login is a member of, and that inherits neither of them: they are taken, never had.</param>
internal sealed partial record DatabaseRoles(string Tenants, string Host, string Door)
{
    /// <summary>The settings of a connection that name the roles, for statements that are the same in every database.</summary>
    public const string TenantsSetting = "coordinator.tenants_role";
    public const string HostSetting = "coordinator.host_role";

    private static readonly Lazy<string> Grants = new(ReadGrants);

    private string[] Names => [Tenants, Host, Door];

    public static DatabaseRoles Of(string database)
    {
        var name = PlainName().IsMatch(database) ? database : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)).AsSpan(0, 16));
        return new($"coordinator_tenants_of_{name}", $"coordinator_host_of_{name}", $"coordinator_door_of_{name}");
    }

    /// <summary>The words that start a connection under <paramref name="role"/>, which it then falls back to whatever happens on it.</summary>
    public string OptionsFor(string role) => $"-c role={role} -c {TenantsSetting}={Tenants} -c {HostSetting}={Host}";

    /// <summary>What an administrator of the server runs once where the login may not make roles.</summary>
    public string Script(string login) => string.Join(' ', Statements(login, []));

    /// <summary>Sees to it that the login of <paramref name="owner"/> may take the roles, making them when it may.</summary>
    /// <exception cref="DatabaseStartException">They are missing and it may not, or something else has their names.</exception>
    public async Task EnsureAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        var known = await KnownAsync(owner, cancellationToken);
        if (known.Contains(Tenants) && known.Contains(Host) && await MayTakeAsync(owner, cancellationToken)) return;
        var login = (string)(await ScalarAsync(owner, "SELECT session_user::text", cancellationToken))!;
        try
        {
            await MakeAsync(owner, login, cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new DatabaseStartException($"The login {login} may neither take nor make the roles that hosts work under. Have an administrator of the server run this once, then try again: {Script(login)}");
        }
    }

    /// <summary>As somebody who may: makes what is missing, and lets <paramref name="login"/> take it.</summary>
    public async Task MakeAsync(NpgsqlConnection administrator, string login, CancellationToken cancellationToken)
    {
        var known = await KnownAsync(administrator, cancellationToken);
        await ExecuteAsync(administrator, string.Join('\n', Statements(login, known)), cancellationToken);
    }

    /// <summary>Gives the roles what each may do with each table there is. As the schema's owner, with <see cref="MigrationRunner.LockKey"/> held.</summary>
    public async Task GrantAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        await using var transaction = await owner.BeginTransactionAsync(cancellationToken);
        await using (var names = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({MigrationRunner.LockKey}), set_config('{TenantsSetting}', $1, true), set_config('{HostSetting}', $2, true)", owner, transaction))
        {
            names.Parameters.Add(new() { Value = Tenants });
            names.Parameters.Add(new() { Value = Host });
            await names.ExecuteNonQueryAsync(cancellationToken);
        }

        await ExecuteAsync(owner, $"SET LOCAL lock_timeout = '{MigrationRunner.LockPatience.TotalMilliseconds:0}ms'; {Grants.Value}", cancellationToken); // as for a step of the schema: a policy takes its table alone
        await transaction.CommitAsync(cancellationToken);
    }

    private List<string> Statements(string login, IReadOnlyCollection<string> known)
    {
        List<string> statements = [.. Names.Where(name => !known.Contains(name)).Select(name => $"CREATE ROLE {name} NOLOGIN NOINHERIT NOBYPASSRLS;")];
        statements.Add($"GRANT {Tenants}, {Host} TO {Door};");
        statements.Add($"GRANT {Door} TO \"{login.Replace("\"", "\"\"", StringComparison.Ordinal)}\";");
        return statements;
    }

    private async Task<bool> MayTakeAsync(NpgsqlConnection owner, CancellationToken cancellationToken) => await ScalarAsync(
        owner,
        "SELECT pg_has_role($1, 'MEMBER') AND pg_has_role($2, 'MEMBER')",
        cancellationToken,
        Tenants,
        Host) is true;

    /// <summary>Those of the roles that there are.</summary>
    /// <exception cref="DatabaseStartException">One of them can do what none of them may.</exception>
    private async Task<IReadOnlyCollection<string>> KnownAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT rolname::text, rolcanlogin OR rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = ANY ($1)", connection);
        command.Parameters.Add(new() { Value = Names });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var known = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            known.Add(reader.GetString(0));
            if (reader.GetBoolean(1)) throw new DatabaseStartException($"The role {known[^1]} can log in or passes row-level security by; hosts must not work under it. Take that from it (ALTER ROLE {known[^1]} NOLOGIN NOSUPERUSER NOBYPASSRLS), or drop it and have it made anew.");
        }

        return known;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static string ReadGrants()
    {
        using var stream = typeof(DatabaseRoles).Assembly.GetManifestResourceStream("Roles/grants.sql") ?? throw new InvalidOperationException("The resource Roles/grants.sql cannot be read.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,39}$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainName();
}
