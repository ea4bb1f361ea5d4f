using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Support.Network;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>A PostgreSQL that is reached through a <see cref="FaultProxy"/>, wherever it listens itself.</summary>
public static class PostgresBehindProxy
{
    /// <summary>A proxy before the server of a connection string.</summary>
    public static FaultProxy Before(string connectionString) => new(EndPointOf(new NpgsqlConnectionStringBuilder(connectionString)));

    /// <summary>Where the server of a connection string listens.</summary>
    public static EndPoint EndPointOf(NpgsqlConnectionStringBuilder target)
    {
        ArgumentNullException.ThrowIfNull(target);
        return target.Host!.StartsWith('/')
            ? new UnixDomainSocketEndPoint($"{target.Host}/.s.PGSQL.{target.Port}")
            : new DnsEndPoint(target.Host, target.Port, AddressFamily.InterNetwork);
    }

    /// <summary>The same database, through the proxy.</summary>
    public static string Through(this FaultProxy proxy, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(proxy);
        return new NpgsqlConnectionStringBuilder(connectionString) { Host = proxy.EndPoint.Address.ToString(), Port = proxy.EndPoint.Port }.ConnectionString;
    }
}
