using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a session that is awake, and has nothing to do, does not hold: a host has thousands of them.</summary>
public sealed class RestingSessionTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly SessionKey Key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    [Fact]
    public async Task Nothing_of_the_call_that_woke_it()
    {
        var journal = ContextJournal.Over(new InMemorySessionJournal(TimeProvider.System));
        await using var host = Host(journal);
        ContextJournal.Caller.Value = "whoever asks first";

        await host.CallAsync(Key, Create(), CancellationToken.None);
        await host.CallAsync(Key, new SessionCommand.Rename(Ada, "Other"), CancellationToken.None);

        Assert.Equal([null, null], ContextJournal.CallersOf(journal));
        await host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public async Task No_room_in_its_view_for_what_is_not_in_it()
    {
        await using var host = Host(new InMemorySessionJournal(TimeProvider.System));
        await host.CallAsync(Key, Create(), CancellationToken.None);
        await using var subscription = (await host.SubscribeAsync(Key, null, CancellationToken.None)).Value;
        await using var following = subscription.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var next = following.MoveNextAsync().AsTask();

        await host.CallAsync(Key, new SessionCommand.Rename(Ada, "Other"), CancellationToken.None);
        await next.WaitAsync(Bound);

        Assert.True(MemoryMarshal.TryGetArray(following.Current.View!.Json, out var bytes));
        Assert.Equal(bytes.Array!.Length, bytes.Count);
        await host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public void Nothing_that_hangs_on_the_view_that_its_followers_were_sent()
    {
        var recent = new RecentEvents(64 * 1024, 64 * 1024);
        var sent = new SessionView(new(1, 1), "{}"u8.ToArray());
        var tail = recent.Begin(new(Key, HostId.New(TimeProvider.System), 1, 0, 0, 1));
        tail.Add(new EventBatch(1, 1, "{}"u8.ToArray(), [new(1, 0, 2)]) { View = sent });

        var kept = recent.After(Key, new(1, 0), least: 1)![^1].View;

        Assert.Equal(sent, kept);
        Assert.NotSame(sent, kept);
    }

    [Fact]
    public async Task Not_the_view_that_a_follower_began_with_once_that_follows()
    {
        await using var host = Host(new InMemorySessionJournal(TimeProvider.System));
        await host.CallAsync(Key, Create(), CancellationToken.None);
        await using var subscription = (await host.SubscribeAsync(Key, new(1, 0), CancellationToken.None)).Value;
        var began = subscription.View;
        await using var following = subscription.ReadAsync(CancellationToken.None).GetAsyncEnumerator();

        await following.MoveNextAsync().AsTask().WaitAsync(Bound);

        Assert.False(began.Json.IsEmpty);
        Assert.Equal((began.Cursor, true), (subscription.View.Cursor, subscription.View.Json.IsEmpty));
        await host.DrainAsync(CancellationToken.None);
    }

    private static InProcessSessionHost Host(ISessionJournal journal) => new(
        journal,
        new SessionMachineFactory(SessionLimits.Default, new PlainTokens()),
        [new RecordingEffects()],
        Options.Create(new SessionHostOptions()),
        TimeProvider.System,
        NullLogger<InProcessSessionHost>.Instance);

    private static SessionCommand.Create Create() => new(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session");
}

/// <summary>A journal that notes for whom, by what flows with a call, it is appended to.</summary>
public class ContextJournal : DispatchProxy
{
    private readonly ConcurrentQueue<string?> callers = new();
    private ISessionJournal inner = null!;

    public static AsyncLocal<string?> Caller { get; } = new();

    public static ISessionJournal Over(ISessionJournal inner)
    {
        var journal = Create<ISessionJournal, ContextJournal>();
        ((ContextJournal)(object)journal).inner = inner;
        return journal;
    }

    public static IReadOnlyList<string?> CallersOf(ISessionJournal journal) => [.. ((ContextJournal)(object)journal).callers];

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ISessionJournal.AppendAsync)) callers.Enqueue(Caller.Value);
        return targetMethod.Invoke(inner, args);
    }
}
