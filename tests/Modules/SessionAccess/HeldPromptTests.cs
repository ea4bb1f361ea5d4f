using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A client whose prompt waits for a session host that does not answer yet, as it does while the database is away.</summary>
public sealed class HeldPromptTests : IAsyncLifetime
{
    private HeldHost host = null!;
    private SessionServer server = null!;
    private SocketClient socket = null!;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync(before: inner => host = new(inner));
        var ada = await server.CallerAsync();
        socket = await server.FollowAsync(ada, await SessionServer.CreateAsync(ada));
        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");
    }

    public async Task DisposeAsync()
    {
        socket.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_page_gives_up_a_healthy_host_while_the_database_is_away__a_ping_behind_a_prompt_is_answered_at_once()
    {
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"one"}""");
        await socket.SendAsync("""{"type":"prompt","clientId":"c2","text":"two"}""");
        await socket.SendAsync("""{"type":"ping","id":"7"}""");

        Assert.Equal("7", (await socket.NextAsync("pong")).GetProperty("id").GetString());
        Assert.Equal(1, host.Asked);
        host.Answer();

        var first = await socket.NextAsync("accepted");
        var second = await socket.NextAsync("accepted");
        Assert.Equal(("c1", 0), (first.GetProperty("clientId").GetString(), first.GetProperty("position").GetInt32()));
        Assert.Equal(("c2", 1), (second.GetProperty("clientId").GetString(), second.GetProperty("position").GetInt32()));
    }

    [Fact]
    public async Task A_host_that_drains_asks_a_client_to_reconnect_whose_command_is_under_way()
    {
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"one"}""");
        await Eventually.HoldsAsync(() => host.Asked == 1, "The prompt");

        await server.Sessions.DrainAsync(default);

        await socket.NextAsync("restarting");
        Assert.Equal(1012, (await socket.ClosedAsync()).Code);
    }

    /// <summary>A session host that takes prompts once it is told to.</summary>
    private sealed class HeldHost(ISessionHost inner) : ISessionHost
    {
        private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public void Answer() => opened.TrySetResult();

        public async ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
        {
            if (command is SessionCommand.Prompt)
            {
                Interlocked.Increment(ref asked);
                await opened.Task.WaitAsync(cancellationToken);
            }

            return await inner.CallAsync(key, command, cancellationToken);
        }

        public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) => inner.SubscribeAsync(key, after, cancellationToken);

        public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) =>
            inner.AttachBridgeAsync(key, credential, hello, sink, cancellationToken);

        public ISessionHold? TryHold(SessionKey key) => inner.TryHold(key);

        public ValueTask DrainAsync(CancellationToken cancellationToken) => inner.DrainAsync(cancellationToken);
    }
}
