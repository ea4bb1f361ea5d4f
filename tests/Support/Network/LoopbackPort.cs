using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Coordinator.Tests.Support.Network;

/// <summary>
/// Ports for servers that must be told theirs. One that the system chose and that was given back goes to whoever dials out next, before
/// the server has it; these lie below the range that it chooses from.
/// </summary>
public static class LoopbackPort
{
    private const int First = 20_000;

    /// <summary>Where Linux begins to choose by itself.</summary>
    private const int End = 32_000;

    public static int Find()
    {
        for (var tries = 0; ; tries++)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException) when (tries < 100)
            {
                // Somebody's: another one.
            }
        }
    }
}
