using System.Globalization;
using System.Net;

namespace Coordinator.Ports;

/// <summary>
/// What an operator lets through although <see cref="AddressGuard"/> would refuse it, such as a git server in the same
/// network. An entry is a host name (<c>git.corp.example</c>, <c>*.corp.example</c>), an address, or a network
/// (<c>10.1.0.0/16</c>); a name or address may carry a port (<c>git.corp.example:3000</c>, <c>[fd00::1]:443</c>). A name
/// may say its address, for names that no name server knows: <c>demo.coordinator.internal:8787=127.0.0.1</c>. Pure.
/// </summary>
public sealed class AddressExceptions
{
    private readonly Entry[] entries;

    private AddressExceptions(Entry[] entries) => this.entries = entries;

    /// <summary>Lets nothing through.</summary>
    public static AddressExceptions None { get; } = new([]);

    /// <summary>Reads a list of entries.</summary>
    /// <exception cref="FormatException">An entry is of none of the forms; the message repeats it.</exception>
    public static AddressExceptions Parse(IEnumerable<string> texts) => new([.. texts.Select(Entry.Parse)]);

    /// <summary>The address an entry gives this host at this port, which is then used without asking a name server; null when none does.</summary>
    public IPAddress? AddressOf(string host, int port) => entries.FirstOrDefault(entry => entry.Address is not null && entry.Names(host, port))?.Address;

    /// <summary>
    /// True when an entry names exactly this host (a name or a literal address) with exactly this port: the operator means
    /// it to be reached, whatever else is allowed.
    /// </summary>
    public bool Lists(string host, int port) => entries.Any(entry => entry.Port == port && (entry.Names(host, port)
        || (entry.Network is not null && IPAddress.TryParse(host, out var literal) && entry.Allows(host, port, literal))));

    /// <summary>
    /// Null when <paramref name="address"/>, to which <paramref name="host"/> resolved, may be dialed for a tenant at
    /// <paramref name="port"/>; otherwise what it is, as a few words for a person.
    /// </summary>
    public string? WhyRefused(string host, int port, IPAddress address)
    {
        if (AddressGuard.WhyRefused(address) is not { } reason) return null;
        return entries.Any(entry => entry.Allows(host, port, address)) ? null : reason;
    }

    private sealed record Entry(string? Name, IPNetwork? Network, int? Port, IPAddress? Address)
    {
        public static Entry Parse(string text)
        {
            if (IPNetwork.TryParse(text, out var network)) return new(null, network, null, null);
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var (host, port) = SplitPort(equals < 0 ? text : text[..equals]);
            if (equals < 0 && IPAddress.TryParse(host, out var single)) return new(null, new IPNetwork(single, single.GetAddressBytes().Length * 8), port, null);
            var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
            IPAddress? address = null;
            if (Uri.CheckHostName(name) != UriHostNameType.Dns || (equals >= 0 && !IPAddress.TryParse(text.AsSpan(equals + 1), out address)))
                throw new FormatException($"'{text}' is not a host name, an address or a network, with or without a port.");
            return new(host, null, port, address);
        }

        public bool Allows(string host, int port, IPAddress address)
        {
            if (Network is { } network) return (Port is null || Port == port) && network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
            return Names(host, port) && (Address is null || Address.Equals(address));
        }

        public bool Names(string host, int port)
        {
            if (Name is null || (Port is { } only && only != port)) return false;
            return Name.StartsWith("*.", StringComparison.Ordinal)
                ? host.EndsWith(Name[1..], StringComparison.OrdinalIgnoreCase)
                : host.Equals(Name, StringComparison.OrdinalIgnoreCase);
        }

        private static (string Host, int? Port) SplitPort(string text)
        {
            var colon = text.LastIndexOf(':');
            var isBareV6 = !text.StartsWith('[') && text.IndexOf(':', StringComparison.Ordinal) != colon;
            if (colon < 0 || isBareV6 || text.EndsWith(']')) return (text.Trim('[', ']'), null);
            if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0) throw new FormatException($"'{text}' does not end with a port.");
            return (text[..colon].Trim('[', ']'), port);
        }
    }
}
