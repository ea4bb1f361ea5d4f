using System.Diagnostics;
using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>What a user does and sees.</summary>
public sealed partial class Skeleton
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan SlowMachine = TimeSpan.FromMinutes(1);

    private int working;

    public IEnumerable<string> Types => Watch.Seen.Select(happened => happened.Type);

    public ValueTask<Result<SessionReply>> CallAsync(SessionCommand command) => Host.CallAsync(Key, command, CancellationToken.None);

    public async Task CreateAsync(PermissionMode permissions = PermissionMode.Auto) => Succeeded(await CallAsync(CreateCommand(permissions)));

    public SessionCommand.Create CreateCommand(PermissionMode permissions = PermissionMode.Auto) => new(Ada, new("demo/scripted", "opencode", Repository, permissions), "A session");

    public async Task<MessageId> PromptAsync(string text) => ((SessionReply.MessageAccepted)Succeeded(await CallAsync(PromptCommand(text)))).Message;

    /// <summary>A prompt with an idempotency key of its own, so that it may be sent again.</summary>
    public SessionCommand.Prompt PromptCommand(string text)
    {
        var message = MessageId.New(Clock);
        return new(Ada, message, new RequestIdentity(Ada.Scope, message.ToString(), "hash"), text, null, null);
    }

    /// <summary>Prompts, and waits for how it ended.</summary>
    public async Task<string> RunAsync(string text)
    {
        var message = await PromptAsync(text);
        await UntilEndedAsync(message);
        return OutcomeOf(message);
    }

    public async Task CancelAsync(MessageId? message = null) => Succeeded(await CallAsync(new SessionCommand.Cancel(Ada, message)));

    public async Task AnswerAsync(PermissionDecision decision) =>
        Succeeded(await CallAsync(new SessionCommand.AnswerPermission(Ada, PermissionId.From(IdOf(Watch.Seen.Last(happened => happened.Type == "permission.asked").Text("permissionId")!)), decision, null)));

    public async Task ArchiveAsync() => Succeeded(await CallAsync(new SessionCommand.Archive(Ada)));

    public async Task<JsonElement> ViewAsync()
    {
        using var view = JsonDocument.Parse(((SessionReply.View)Succeeded(await CallAsync(new SessionCommand.GetView()))).Session.Json);
        return view.RootElement.Clone();
    }

    public async Task<IReadOnlyList<StoredRun>> RunsAsync() => [.. (await Port<IRunHistory>().ListAsync(Key.Organization, Key.Session, null, 100, CancellationToken.None)).OrderBy(stored => stored.Run.Ordinal)];

    /// <summary>How a message ended: <c>completed</c>, <c>cancelled</c>, or <c>failed</c> and its code; empty while it has not.</summary>
    public string OutcomeOf(MessageId message) =>
        EndsOf(message).Select(end => $"{end.Type["message.".Length..]} {(end.Type == "message.failed" ? end.Text("code") : "")}".TrimEnd()).FirstOrDefault() ?? "";

    public IReadOnlyList<SeenEvent> EndsOf(MessageId message) =>
        [.. Watch.Seen.Where(happened => happened.Message == message.ToString() && happened.Type is "message.completed" or "message.failed" or "message.cancelled" && happened.Message == message.ToString())];

    /// <summary>What the agent said for a message, put together as a client does.</summary>
    public string TextOf(MessageId message)
    {
        var text = "";
        foreach (var delta in Watch.Seen.Where(happened => happened.Type == "agent.text" && happened.Message == message.ToString()))
        {
            var offset = Math.Min(delta.Data.GetProperty("offset").GetInt32(), text.Length);
            text = text[..offset] + delta.Text("text");
        }

        return text;
    }

    public Task UntilSeenAsync(string type, int times = 1, TimeSpan? within = null) => UntilAsync($"{times} × {type}", () => Types.Count(seen => seen == type) >= times, within);

    public Task UntilEndedAsync(MessageId message, TimeSpan? within = null) => UntilAsync("the message's end", () => EndsOf(message).Count > 0, within);

    /// <summary>Waits for something, letting virtual time pass whenever the world is at rest.</summary>
    public async Task UntilAsync(string what, Func<bool> condition, TimeSpan? within = null)
    {
        var limit = within ?? Patience;
        if (outside is not null)
        {
            await UntilReallyAsync(what, condition);
            return;
        }

        var began = Stopwatch.GetTimestamp();
        for (var passed = TimeSpan.Zero; ;)
        {
            await RestAsync();
            if (condition()) return;
            if (passed >= limit)
            {
                // Its time is up in the world; a machine that is merely slow gets the rest of its own.
                Assert.True(Stopwatch.GetElapsedTime(began) < SlowMachine, $"Not within {limit}: {what}. Seen: {string.Join(", ", Watch.Seen)}");
                await Task.Yield();
                continue;
            }

            var step = passed.TotalSeconds switch
            {
                < 5 => TimeSpan.FromMilliseconds(50),
                < 120 => TimeSpan.FromSeconds(1),
                _ => TimeSpan.FromSeconds(5),
            };
            Advance(step);
            passed += step;
        }
    }

    /// <summary>In a world on real time every bound is the same: adapters are set up to be impatient.</summary>
    private async Task UntilReallyAsync(string what, Func<bool> condition)
    {
        for (var began = Clock.GetTimestamp(); !condition();)
        {
            Assert.True(Clock.GetElapsedTime(began) < SlowMachine, $"Not within {SlowMachine}: {what}. Seen: {string.Join(", ", Watch.Seen)}");
            await Task.Delay(LookEvery, Clock);
        }
    }

    /// <summary>Lets virtual time pass.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        var step = TimeSpan.FromSeconds(time > TimeSpan.FromMinutes(2) ? 5 : 1);
        for (var left = time; left > TimeSpan.Zero; left -= step)
        {
            Advance(step < left ? step : left);
            await RestAsync();
        }
    }

    /// <summary>Does something that is not done in this process: virtual time waits for it.</summary>
    public async Task<T> WorkAsync<T>(Func<Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Interlocked.Increment(ref working);
        try
        {
            return await work();
        }
        finally
        {
            Interlocked.Decrement(ref working);
        }
    }

    /// <summary>Waits until nothing happens in the world any more but by the clock.</summary>
    private async Task RestAsync()
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            await Quiet.SettleAsync();
            if (Volatile.Read(ref working) == 0) break;
            Assert.True(Stopwatch.GetElapsedTime(began) < SlowMachine, "What the world waits for outside does not end.");
            await Task.Delay(LookEvery, TimeProvider.System);
        }

        await Task.Yield();
    }

    /// <summary>Runs a command in the present box, as a tool of its agent does; see <see cref="BoxShell"/>.</summary>
    public Task<ScriptedOutcome> RunInBoxAsync(BoxWay way, string command, CancellationToken cancellationToken) => WorkAsync(() => Boxes()[^1].RunAsync(way, command, cancellationToken));

    /// <summary>The present box dies, as by want of memory.</summary>
    public void KillBox() => Provider.Die(Provider.Running.Single(), "out_of_memory");

    /// <summary>The present box's connection breaks; it dials again.</summary>
    public void DropBridge() => Boxes()[^1].DropConnection();

    /// <summary>How often the box that was made last has connected.</summary>
    public int Dials => Boxes()[^1].Dials;

    public static SessionReply Succeeded(Result<SessionReply> answer)
    {
        Assert.True(answer.IsSuccess, answer.Problem?.ToString());
        return answer.Value;
    }

    /// <summary>What a timer begins is the world's: it must not go on in the test's context (<see cref="Quiet"/>).</summary>
    private void Advance(TimeSpan step)
    {
        var testers = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Time.Advance(step);
            if (Host is InMemorySessionHost fake) fake.RingAll();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(testers);
        }
    }

    private static Guid IdOf(string text) => PrefixedId.TryParse(text[..3], text, out var value) ? value : throw new FormatException(text);
}
