using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>What the control plane asks of the box. Called in order, one at a time; must not wait.</summary>
internal interface IBridgeOrders
{
    void Configure(BoxSettings settings);

    void StartTurn(PromptRequest request);

    void CancelTurn(MessageId message);

    void Decide(PermissionId permission, bool allow, string? note);

    void Shutdown(string reason);
}

/// <summary>
/// The shell around <see cref="BridgeWork"/>: one lock, inside which an input is stepped and its disk work done, so that
/// what is sent is always on disk first. Frames leave through a bounded queue per connection; a connection whose
/// queue is full is closed, and the next one sends again what was not acknowledged.
/// </summary>
internal sealed partial class BridgeClient : IBoxEvents, IBridgeWire
{
    /// <summary>More than any window and the replies to all that can be asked at once.</summary>
    private const int MaxQueued = 16 * 1024;

    private readonly Lock gate = new();
    private readonly BridgeMachine machine;
    private readonly BridgeStore store;
    private readonly BridgeWork work;
    private readonly BoxLog log;
    private Channel<Outgoing>? outgoing;
    private TaskCompletionSource? room;

    public BridgeClient(BridgeMachine machine, BridgeStore store, IBridgeOrders orders, BoxLog log)
    {
        this.machine = machine;
        this.store = store;
        this.log = log;
        work = new(machine, store, orders, this, log);
        lock (gate) work.Recover();
    }

    /// <summary>Whether everything the box has to tell is acknowledged.</summary>
    public bool IsDrained
    {
        get
        {
            lock (gate) return machine.AckedN == machine.LastN;
        }
    }

    /// <summary>Raised under the lock of this object whenever events were acknowledged; must not wait.</summary>
    public event Action? Acknowledged;

    public void Emit(BoxEvent happened) => Step(new BridgeInput.Happened(happened));

    public void EndTurn(MessageId message, MessageEnd end) => Step(new BridgeInput.TurnOver(message, end));

    public void Ask(PermissionId permission, BoxEvent asked) => Step(new BridgeInput.Asked(permission, asked));

    public void Confirm(PermissionId permission) => Step(new BridgeInput.Decided(permission));

    public void Beat(bool busy, long rssBytes, long diskBytes) => Step(new BridgeInput.Beat(busy, rssBytes, diskBytes));

    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (gate)
            {
                if (store.HasRoom) return;
                room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = room.Task;
            }

            await waiting.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Serves one connection until it ends.</summary>
    /// <exception cref="Storage.SpoolNotRenewedException">The disk took no new spool: there is nothing to serve any more.</exception>
    public async Task<ConnectionEnd> ServeAsync(IBridgeSocket socket, CancellationToken cancellationToken)
    {
        var queue = Channel.CreateBounded<Outgoing>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
        lock (gate)
        {
            outgoing = queue;
            work.Step(new BridgeInput.Connected());
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAllAsync(socket, queue.Reader, ending.Token);
        var receiving = ReceiveAllAsync(socket, ending.Token);
        try
        {
            await Task.WhenAny(sending, receiving);
        }
        finally
        {
            lock (gate)
            {
                if (outgoing == queue) outgoing = null;
                machine.Step(new BridgeInput.Disconnected());
            }

            await ending.CancelAsync();
        }

        var said = await sending;
        var heard = await receiving;
        return heard.Code is not null ? heard : said with { WasWelcomed = heard.WasWelcomed };
    }

    private void Step(BridgeInput input)
    {
        lock (gate) work.Step(input);
    }

    void IBridgeWire.Send(ReadOnlyMemory<byte> frame) => Queue(new Outgoing(frame, 0, 0));

    void IBridgeWire.SendEvent(long n) => Queue(new Outgoing(null, n, 0));

    void IBridgeWire.Close(int code, string reason) => Queue(new Outgoing(null, 0, code));

    void IBridgeWire.Acknowledged(long n)
    {
        if (store.HasRoom) Interlocked.Exchange(ref room, null)?.TrySetResult();
        Acknowledged?.Invoke();
    }

    private void Queue(Outgoing item)
    {
        if (outgoing is not { } queue || queue.Writer.TryWrite(item)) return;
        log.ClosingConnection("it does not take what is sent");
        queue.Writer.TryComplete();
        outgoing = null;
    }

    private async Task<ConnectionEnd> SendAllAsync(IBridgeSocket socket, ChannelReader<Outgoing> queue, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var item in queue.ReadAllAsync(cancellationToken))
            {
                if (item.CloseCode > 0)
                {
                    await socket.CloseAsync(item.CloseCode, "protocol", cancellationToken);
                    return ConnectionEnd.Broken;
                }

                if (FrameOf(item) is { } frame) await socket.SendAsync(frame, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            return ConnectionEnd.Broken;
        }

        return ConnectionEnd.Broken;
    }

    /// <summary>Null when the event was acknowledged or renumbered before its turn came, or there is no spool any more.</summary>
    private ReadOnlyMemory<byte>? FrameOf(Outgoing item)
    {
        if (item.Frame is { } frame) return frame;
        lock (gate) return !work.IsOver && item.N > machine.AckedN && item.N <= machine.LastN ? store.EventFrame(item.N) : null;
    }

    private async Task<ConnectionEnd> ReceiveAllAsync(IBridgeSocket socket, CancellationToken cancellationToken)
    {
        var welcomed = false;
        try
        {
            while (await socket.ReceiveAsync(cancellationToken) is { } bytes)
            {
                if (HostFrameReader.Read(bytes.Span) is not { } frame)
                {
                    log.ClosingConnection("a frame makes no sense");
                    return new ConnectionEnd(null, welcomed);
                }

                Step(new BridgeInput.Received(frame));
                lock (gate) welcomed |= machine.IsWelcomed;
            }

            return new ConnectionEnd(socket.CloseCode, welcomed);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or OperationCanceledException)
        {
            return new ConnectionEnd(null, welcomed);
        }
    }

    /// <summary>A frame, the number of a spooled event, or a code to close with.</summary>
    private readonly record struct Outgoing(ReadOnlyMemory<byte>? Frame, long N, int CloseCode);
}

/// <summary>How a connection ended: the code the control plane closed it with, if it did, and whether it was ever welcome.</summary>
internal sealed record ConnectionEnd(int? Code, bool WasWelcomed)
{
    public static ConnectionEnd Broken { get; } = new(null, false);
}
