using System.Collections.Concurrent;
using System.Net.WebSockets;

namespace Coordinator.Tests.Support.Following;

/// <summary>
/// Keeps one WebSocket open somewhere: when it ends it takes the next host, as behind a load balancer, until it is told what must not be.
/// </summary>
/// <param name="hosts">Where it connects, the first one first.</param>
/// <param name="whose">Whose socket it is, in words.</param>
public sealed class Dialer(IReadOnlyList<Uri> hosts, string whose)
{
    /// <summary>How long either kind of peer leaves a host alone that has just sent it away.</summary>
    private static readonly TimeSpan Backoff = TimeSpan.FromMilliseconds(100);

    /// <summary>Where it is welcome now.</summary>
    public Uri? Connected { get; set; }

    /// <summary>How each of its connections ended: the host, and the close code where there was one.</summary>
    public ConcurrentQueue<(Uri Host, int? Code)> Closes { get; } = new();

    /// <summary>What must not be, in words.</summary>
    public string? Problem { get; set; }

    /// <param name="connect">Opens a socket at a host.</param>
    /// <param name="serve">Uses it until it ends.</param>
    /// <param name="final">Close codes that nobody should see.</param>
    /// <param name="ended">Ends it all.</param>
    public async Task RunAsync(Func<Uri, Task<TextSocket>> connect, Func<Uri, TextSocket, Task> serve, IReadOnlyList<int> final, CancellationToken ended)
    {
        for (var turn = 0; !ended.IsCancellationRequested && Problem is null; turn++)
        {
            var host = hosts[turn % hosts.Count];
            try
            {
                using var socket = await connect(host);
                await serve(host, socket);
                Closes.Enqueue((host, socket.CloseCode));
                if (socket.CloseCode is { } code && final.Contains(code)) Problem = $"{host} closed {whose} socket with {code}.";
            }
            catch (WebSocketException)
            {
                Closes.Enqueue((host, null));
            }
            catch (InvalidOperationException refused)
            {
                Problem = refused.Message;
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return;
            }

            Connected = null;
            await Task.Delay(Backoff, TimeProvider.System, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
