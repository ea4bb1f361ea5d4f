using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>What every client connection works with.</summary>
internal sealed record ClientServices(ISessionHost Sessions, CallerResolver Callers, ClientCommands Commands, ReturnSchedule Returns, TimeProvider Time, ILogger Logger);

/// <summary>
/// One client's WebSocket from its first frame to its close: it subscribes, then events, views and answers go out through
/// one bounded outbox while commands are run one at a time, and pings answered at once. Whether the caller may still see this is asked every minute.
/// </summary>
internal sealed partial class ClientConnection(ClientServices services, FrameSocket socket, CallerClaim claim, TenantContext tenant, SessionId session)
{
    public static readonly TimeSpan SubscribeTimeout = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan RecheckInterval = TimeSpan.FromMinutes(1);

    private readonly ClientOutbox outbox = new(socket);
    private TenantContext caller = tenant;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var subscription = await SubscribeAsync(cancellationToken);
        if (subscription is null) return;
        services.Returns.Joined();
        try
        {
            await ServeAsync(subscription, cancellationToken);
        }
        finally
        {
            services.Returns.Left();
        }
    }

    private async Task ServeAsync(ISessionSubscription subscription, CancellationToken cancellationToken)
    {
        await using (subscription)
        {
            await outbox.AddAsync(ClientFrameWriter.Ready(subscription.View, subscription.Start), cancellationToken);
            await new SocketDuties(socket, services.Logger).RunAsync(
                ReceiveAsync,
                outbox.SendAllAsync,
                ended => FollowAsync(subscription, ended),
                RecheckAsync);
        }
    }

    private async Task<ISessionSubscription?> SubscribeAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await FirstFrameAsync() is not { } first) return null;
            if (first is not ClientFrame.Subscribe subscribe) throw new FrameException("The first frame is 'subscribe'.");
            var result = await services.Sessions.SubscribeAsync(caller.Key(session), subscribe.After, cancellationToken);
            if (result.IsSuccess) return result.Value;
            await socket.FarewellAsync(new(CodeOf(result.Problem), result.Problem.Detail));
        }
        catch (FrameException failure)
        {
            await socket.FarewellAsync(new(SocketClose.ProtocolError, failure.Message));
        }
        catch (PortException failure)
        {
            var level = failure.ToLogLevel();
            LogSubscribeFailed(services.Logger, level, failure.Kind, failure);
            await socket.FarewellAsync(new(SocketClose.Restarting, "The session cannot be reached for the moment; reconnect."));
        }

        return null;
    }

    private async ValueTask<ClientFrame?> FirstFrameAsync()
    {
        var receiving = socket.ReceiveAsync().AsTask();
        using var timeout = new CancellationTokenSource();
        var first = await Task.WhenAny(receiving, Task.Delay(SubscribeTimeout, services.Time, timeout.Token));
        await timeout.CancelAsync();
        if (first == receiving)
        {
            var frame = await receiving;
            return frame.Kind == FrameKind.Closed ? null : Read(frame);
        }

        await socket.FarewellAsync(new(SocketClose.ProtocolError, "The first frame, 'subscribe', did not come in 10 seconds."), receiving);
        return null;
    }

    private async Task<SocketClose> ReceiveAsync(CancellationToken ended)
    {
        while (true)
        {
            var frame = await socket.ReceiveAsync();
            if (frame.Kind == FrameKind.Closed) return SocketClose.PeerLeft;
            if (ended.IsCancellationRequested) continue;
            try
            {
                if (await AnswerAsync(Read(frame), ended) is { } close) return close;
            }
            catch (FrameException failure)
            {
                return new(SocketClose.ProtocolError, failure.Message);
            }
        }
    }

    /// <summary>Null while the socket goes on. What it takes is not kept by a socket that is idle afterwards.</summary>
    private async Task<SocketClose?> AnswerAsync(ClientFrame frame, CancellationToken ended)
    {
        var running = RunAsync(frame, ended);
        if (!running.IsCompleted) return await new CommandsUnderWay(socket, RunAsync).RunAsync(running, ended);
        await running;
        return null;
    }

    private async Task RunAsync(ClientFrame frame, CancellationToken ended) => await outbox.AddAsync(await services.Commands.RunAsync(caller, session, frame, ended), ended);

    private async Task<SocketClose> FollowAsync(ISessionSubscription subscription, CancellationToken ended)
    {
        await foreach (var batch in subscription.ReadAsync(ended)) await outbox.AddAsync(batch, ended);
        if (subscription.Closed is SubscriptionCloseReason.HostRestarting) await outbox.AddAsync(ClientFrameWriter.Restarting(services.Returns.Next()), ended);
        return subscription.Closed switch
        {
            SubscriptionCloseReason.TooSlow => new(SocketClose.Slow, "Events came faster than they were taken; resume after the last one."),
            SubscriptionCloseReason.SessionDeleted => new(SocketClose.NotFound, "There is no such session any more."),
            SubscriptionCloseReason.SourceFailed => new(SocketClose.Failed, "The events could not be read; reconnect."),
            _ => new(SocketClose.Restarting, "The host restarts; reconnect at once."),
        };
    }

    private async Task<SocketClose> RecheckAsync(CancellationToken ended)
    {
        using var timer = new PeriodicTimer(RecheckInterval, services.Time);
        while (await timer.WaitForNextTickAsync(ended))
        {
            try
            {
                var allowed = await services.Callers.RecheckAsync(claim, ended);
                if (!allowed.IsSuccess || allowed.Value.Organization != caller.Organization) return new(SocketClose.Credential, "This credential is not valid any more.");
                caller = allowed.Value;
            }
            catch (PortException failure)
            {
                LogRecheckFailed(services.Logger, failure);
            }
        }

        return SocketClose.PeerLeft;
    }

    /// <exception cref="FrameException">It is none that a client sends.</exception>
    public static ClientFrame Read(ReceivedFrame frame) => frame.Kind switch
    {
        FrameKind.Text => ClientFrameReader.Read(frame.Utf8.Span),
        FrameKind.TooLarge => throw new FrameException("A frame is at most 256 KiB."),
        _ => throw new FrameException("Frames are text."),
    };

    private static int CodeOf(Problem problem) => problem.Kind switch
    {
        ProblemKind.NotFound => SocketClose.NotFound,
        ProblemKind.Gone => SocketClose.Gone,
        ProblemKind.Unauthenticated or ProblemKind.Forbidden => SocketClose.Credential,
        ProblemKind.Unavailable or ProblemKind.TooMany => SocketClose.Restarting,
        _ => SocketClose.ProtocolError,
    };

    [LoggerMessage(EventId = 2201, Message = "A client could not subscribe: something behind a port is {Kind}.")]
    private static partial void LogSubscribeFailed(ILogger logger, LogLevel level, PortFailureKind kind, Exception failure);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Warning, Message = "Whether a connected client is still allowed could not be found out; asked again in a minute.")]
    private static partial void LogRecheckFailed(ILogger logger, Exception failure);
}
