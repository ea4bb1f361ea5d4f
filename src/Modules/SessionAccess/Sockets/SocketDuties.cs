using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Sockets;

/// <summary>
/// Runs what a socket has to do side by side until the first duty ends, which decides how the socket is closed; then ends
/// the others, lets what was queued go out, and closes. When this returns, nothing of it runs any more.
/// </summary>
internal sealed partial class SocketDuties(FrameSocket socket, ILogger logger)
{
    /// <summary>
    /// <paramref name="receive"/> ends when the socket does, because a WebSocket cannot stop receiving and stay usable;
    /// its token says that what it handed on is no longer wanted. The <paramref name="others"/> end when their token is
    /// cancelled.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task<SocketClose>> receive, params IEnumerable<Func<CancellationToken, Task<SocketClose>>> others)
    {
        using var ended = new CancellationTokenSource();
        var receiving = GuardAsync(receive, ended.Token);
        var rest = others.Select(duty => GuardAsync(duty, ended.Token)).ToArray();

        var close = await await Task.WhenAny([receiving, .. rest]);
        await ended.CancelAsync();
        await socket.WithinAsync(Task.WhenAll(rest));
        await socket.FarewellAsync(close, receiving);
    }

    private async Task<SocketClose> GuardAsync(Func<CancellationToken, Task<SocketClose>> duty, CancellationToken ended)
    {
        try
        {
            return await duty(ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return SocketClose.PeerLeft;
        }
        catch (PortException failure)
        {
            var level = failure.ToLogLevel();
            LogPortFailed(logger, level, failure.Kind, failure);
            return new(SocketClose.Failed, "Something this needs is down for the moment; reconnect.");
        }
        catch (Exception failure)
        {
            LogUnforeseen(logger, failure);
            return new(SocketClose.Failed, "Something went wrong here; reconnect.");
        }
    }

    [LoggerMessage(EventId = 2211, Message = "A socket is closed because something behind a port is {Kind}.")]
    private static partial void LogPortFailed(ILogger logger, LogLevel level, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 2212, Level = LogLevel.Error, Message = "A socket is closed after a failure that was not foreseen.")]
    private static partial void LogUnforeseen(ILogger logger, Exception failure);
}
