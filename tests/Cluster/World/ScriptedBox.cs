using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;

namespace Coordinator.Tests.Cluster.World;

/// <summary>
/// A box that keeps the bridge's promises (docs/protocol.md, section 4) and has no agent: it dials one host after the other,
/// keeps what is not acknowledged and sends it again, and runs a prompt at most once, or less when it is told to stop. "count
/// to N" is answered with N numbers; a test may hold a turn between two of them. One that may renew its spool does so when a
/// host lacks what it had acknowledged; otherwise that must not be.
/// </summary>
internal sealed class ScriptedBox : IAsyncDisposable
{
    private const int Window = 1_000;
    private const string Accepted = "accepted";
    private const string Ended = "ended";

    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(5);

    private readonly BoxGrant grant;
    private readonly Dialer dialer;
    private readonly bool mayRenew;
    private readonly CancellationTokenSource ended = new();
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, string> kept = [];
    private readonly Dictionary<string, string> messages = new(StringComparer.Ordinal);
    private readonly HashSet<string> cancelled = new(StringComparer.Ordinal);
    private readonly List<Task> turns = [];
    private readonly Task dialing;
    private string spool = NewSpool();
    private string? renewedFrom;
    private TaskCompletionSource moved = NewSignal();
    private TaskCompletionSource released = NewSignal();
    private long last;
    private long acknowledged;
    private int holdBefore;
    private int renewals;
    private volatile int incarnation;
    private volatile bool dies;

    /// <param name="hosts">Where it dials, the first one first.</param>
    /// <param name="holdBefore">Turns stop before they send this number, until <see cref="Release"/>.</param>
    /// <param name="mayRenew">Hosts may lack what they had acknowledged.</param>
    public ScriptedBox(BoxGrant grant, IReadOnlyList<Uri> hosts, int holdBefore, bool mayRenew = false)
    {
        (this.grant, dialer, this.holdBefore, this.mayRenew) = (grant, new(hosts, "the box's"), holdBefore, mayRenew);
        Emit("boot.ready", null, """{"agent":{"name":"scripted","version":"1"},"resumed":false,"elapsedMs":1}""");
        dialing = Task.Run(DialAsync);
    }

    /// <summary>How often each message was run.</summary>
    public ConcurrentDictionary<string, int> Runs { get; } = new(StringComparer.Ordinal);

    /// <summary>How each of its connections ended: the host, and the close code where there was one.</summary>
    public ConcurrentQueue<(Uri Host, int? Code)> Closes => dialer.Closes;

    /// <summary>Where it is welcome now.</summary>
    public Uri? Connected => dialer.Connected;

    /// <summary>What must not be, in words: a refusal, a second turn beside one that runs, or a host that has forgotten what it had acknowledged.</summary>
    public string? Problem => dialer.Problem;

    /// <summary>The session's incarnation, as its last welcome said.</summary>
    public int Incarnation => incarnation;

    /// <summary>How often it began its record anew.</summary>
    public int Renewals => Volatile.Read(ref renewals);

    /// <summary>True when all it has said so far was acknowledged.</summary>
    public bool IsAcknowledged
    {
        get
        {
            lock (gate) return acknowledged == last;
        }
    }

    /// <summary>Turns go on, to the end or to the next number to be held at.</summary>
    public void Release(int holdBefore = int.MaxValue)
    {
        lock (gate)
        {
            this.holdBefore = holdBefore;
            LetPass();
        }
    }

    /// <summary>It is not heard of again once its connection ends.</summary>
    public void DieWithConnection() => dies = true;

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await dialing;
        await Task.WhenAll(turns);
        ended.Dispose();
    }

    private static string NewSpool() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task DialAsync() => dialer.RunAsync(
        host => dies ? throw new WebSocketException("It is dead.") : TextSocket.ConnectAsync(host, "/v1/bridge", "coordinator.bridge.v1", grant.Token, ended.Token),
        ServeAsync,
        [4410, 4400],
        ended.Token);

    private async Task ServeAsync(Uri host, TextSocket socket)
    {
        await socket.SendAsync(Hello(), ended.Token);
        if (await socket.ReceiveAsync(ended.Token) is not { } first) return;
        Welcome(first);
        dialer.Connected = host;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ended.Token);
        Task[] sending = [SendKeptAsync(socket, over.Token), BeatAsync(socket, over.Token)];
        while (await socket.ReceiveAsync(ended.Token) is { } frame) await TakeAsync(socket, frame);
        await over.CancelAsync();
        await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private string Hello()
    {
        lock (gate)
        {
            var states = string.Join(',', messages.Select(message => $$"""{"id":"{{message.Key}}","state":"{{message.Value}}"}"""));
            return $$"""{"type":"hello","protocol":[1,1],"sandbox":"{{grant.Sandbox}}","generation":{{grant.Generation}},"spoolId":"{{spool}}",{{(renewedFrom is null ? string.Empty : $"\"renewedFrom\":\"{renewedFrom}\",")}}"messages":[{{states}}],"openPermissions":[]}""";
        }
    }

    private void Welcome(byte[] frame)
    {
        using var welcome = JsonDocument.Parse(frame);
        if (welcome.RootElement.GetProperty("type").GetString() != "welcome") throw new WebSocketException("No welcome.");
        var knows = welcome.RootElement.TryGetProperty("spoolId", out var known) && known.GetString() == spool ? welcome.RootElement.GetProperty("ackedN").GetInt64() : 0;
        incarnation = welcome.RootElement.GetProperty("incarnation").GetInt32();
        if (knows < Volatile.Read(ref acknowledged))
        {
            if (!mayRenew) dialer.Problem = $"A host says it has {knows} of the box's events, of which {acknowledged} were acknowledged.";
            Renew();
            throw new WebSocketException("It comes back with a new spool.");
        }

        Acknowledge(knows);
    }

    /// <summary>What was not acknowledged is numbered anew, and with it the ends that no spool holds any more.</summary>
    private void Renew()
    {
        lock (gate)
        {
            string[] left = [.. kept.Values];
            kept.Clear();
            foreach (var body in left) kept[kept.Count + 1] = body;
            (renewedFrom, spool, last, acknowledged) = (spool, NewSpool(), kept.Count, 0);
            foreach (var (message, state) in messages)
                if (state == Ended) TellEnd(message);
            renewals++;
        }
    }

    private async Task TakeAsync(TextSocket socket, byte[] frame)
    {
        using var json = JsonDocument.Parse(frame);
        var root = json.RootElement;
        switch (root.GetProperty("type").GetString())
        {
            case "ack":
                Acknowledge(root.GetProperty("n").GetInt64());
                break;
            case "request":
                Do(root.GetProperty("method").GetString(), root.GetProperty("params"));
                await socket.SendAsync($$"""{"type":"reply","id":"{{root.GetProperty("id").GetString()}}","ok":true,"error":null}""", ended.Token);
                break;
        }
    }

    private void Do(string? method, JsonElement wanted)
    {
        lock (gate)
        {
            if (method == "prompt") Prompt(wanted.GetProperty("messageId").GetString()!, wanted.GetProperty("text").GetString()!);
            if (method == "cancel") Cancel(wanted.GetProperty("messageId").GetString()!);
        }
    }

    private void Cancel(string message)
    {
        if (!cancelled.Add(message)) return;
        LetPass();
        if (messages.TryAdd(message, Ended)) TellEnd(message);
    }

    private void Prompt(string message, string text)
    {
        if (messages.TryGetValue(message, out var known))
        {
            if (known == Ended) TellEnd(message);
            return;
        }

        if (messages.ContainsValue(Accepted)) dialer.Problem = $"It is asked for {message} beside another that runs.";
        messages[message] = Accepted;
        var count = int.Parse(text.Split(' ')[^1], CultureInfo.InvariantCulture);
        turns.Add(Task.Run(() => TurnAsync(message, count)));
    }

    private async Task TurnAsync(string message, int count)
    {
        Runs.AddOrUpdate(message, 1, static (_, before) => before + 1);
        Emit("message.accepted", message, "{}");
        var offset = 0;
        for (var number = 0; number < count && await PassAsync(message, number); number++)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{number} ");
            Emit("agent.text", message, string.Create(CultureInfo.InvariantCulture, $$"""{"part":"p1","offset":{{offset}},"text":"{{text}}"}"""));
            offset += text.Length;
        }

        lock (gate)
        {
            messages[message] = Ended;
            TellEnd(message);
        }
    }

    /// <summary>False when the turn is to stop here.</summary>
    private async Task<bool> PassAsync(string message, int number)
    {
        while (!ended.IsCancellationRequested)
        {
            Task open;
            lock (gate)
            {
                if (cancelled.Contains(message)) return false;
                if (number < holdBefore) return true;
                open = released.Task;
            }

            await open.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return false;
    }

    /// <summary>Unless that is still on its way.</summary>
    private void TellEnd(string message)
    {
        var body = Body("message.ended", message, $$"""{"outcome":"{{(cancelled.Contains(message) ? "cancelled" : "completed")}}"}""");
        if (!kept.ContainsValue(body)) Emit(body);
    }

    private void Emit(string kind, string? messageId, string data) => Emit(Body(kind, messageId, data));

    private void Emit(string body)
    {
        lock (gate)
        {
            kept[++last] = body;
            Signal();
        }
    }

    /// <summary>An event without its number, which a renewed spool gives it anew.</summary>
    private static string Body(string kind, string? messageId, string data) => $"\"kind\":\"{kind}\",{(messageId is null ? string.Empty : $"\"messageId\":\"{messageId}\",")}\"data\":{data}}}";

    private void LetPass()
    {
        released.TrySetResult();
        released = NewSignal();
    }

    private void Acknowledge(long n)
    {
        lock (gate)
        {
            for (; acknowledged < n; acknowledged++) kept.Remove(acknowledged + 1);
            Signal();
        }
    }

    private void Signal()
    {
        moved.TrySetResult();
        moved = NewSignal();
    }

    /// <summary>What this connection has not been sent yet, within the window.</summary>
    private async Task SendKeptAsync(TextSocket socket, CancellationToken cancellationToken)
    {
        for (var next = Volatile.Read(ref acknowledged) + 1; ; next++)
        {
            string? body;
            while (true)
            {
                Task more;
                lock (gate)
                {
                    if (next <= last && next - acknowledged <= Window && kept.TryGetValue(next, out body)) break;
                    more = moved.Task;
                }

                await more.WaitAsync(cancellationToken);
            }

            await socket.SendAsync(string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"event\",\"n\":{next},{body}"), cancellationToken);
        }
    }

    private static async Task BeatAsync(TextSocket socket, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(HeartbeatEvery, TimeProvider.System);
        do
        {
            await socket.SendAsync("""{"type":"heartbeat","busy":true,"rss":1,"disk":1}""", cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
