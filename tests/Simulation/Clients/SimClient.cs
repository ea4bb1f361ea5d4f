using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Clients;

/// <summary>
/// One person at one session: asks for things until there is an answer, follows the session from wherever they left off,
/// and remembers everything they were shown.
/// </summary>
internal sealed class SimClient(SimWorld world, int session, int person)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Dice dice = new(world.Plan.Seed, Streams.Client, (session * 16) + person);
    private readonly List<(int Key, string Text)> asked = [];
    private readonly List<PermissionId> questions = [];
    private readonly List<(long Seq, int Hash)> shown = [];
    private SimFollower? follower;
    private bool isSubscribing;
    private int keys;
    private int calls;

    public int Session => session;

    /// <summary>The last event shown, and of which incarnation; null: nothing yet.</summary>
    public SessionCursor? Cursor { get; private set; }

    private Principal Me => Names.Person(person);

    public void Begin()
    {
        Call(new SessionCommand.Create(Names.Person(0), Names.Settings, "Simulated"), create: true, _ => { });
        Subscribe(null);
        Look();
    }

    public void Prompt(int size)
    {
        var prompt = (++keys, string.Create(CultureInfo.InvariantCulture, $"prompt {keys} {new string('x', size % 40)}"));
        asked.Add(prompt);
        Send(prompt.Item1, prompt.Item2, 0);
    }

    /// <summary>The same prompt once more, as a client does that lost the answer.</summary>
    public void PromptAgain(int which)
    {
        if (asked.Count == 0) return;
        var (key, text) = asked[which % asked.Count];
        Send(key, text, 0);
    }

    public void PromptOtherBody(int which)
    {
        if (asked.Count == 0) return;
        var (key, _) = asked[which % asked.Count];
        Send(key, "another body", 100);
    }

    public void Cancel(int which) => Call(new SessionCommand.Cancel(Me, which % 3 == 0 ? null : Some(which)));

    public void Move(int which, int before)
    {
        if (Some(which) is { } message) Call(new SessionCommand.MoveMessage(Me, message, before % 3 == 0 ? null : Some(before)));
    }

    public void Edit(int which)
    {
        if (Some(which) is { } message) Call(new SessionCommand.EditMessage(Me, message, "edited"));
    }

    public void Answer(int which)
    {
        if (questions.Count == 0) return;
        var permission = questions[^(1 + (which % Math.Min(2, questions.Count)))];
        var restores = world.Database.Restores;
        Call(new SessionCommand.AnswerPermission(Me, permission, (PermissionDecision)(which % 3), null), create: false, answer =>
        {
            if (answer is { IsSuccess: true }) world.Audit.Answered(session, permission, person, restores);
        });
    }

    public void Rename(int which) => Call(new SessionCommand.Rename(Me, $"Title {which % 3}"));

    public void Archive() => Call(new SessionCommand.Archive(Me));

    /// <summary>What a model call of the box used, told until there is an answer; some of them once more, by who did not hear of it.</summary>
    public void Usage(int which)
    {
        if (world.Provider.Of(session) is not { } box) return;
        var told = new SessionCommand.RecordUsage(box.Credential, new("demo/scripted", 10, 5, 0, 0, 0, 0.01m), Names.ModelCall(session, person, ++calls));
        Tell(told, 0);
        if (which % 3 == 0) world.After(dice.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)), () => Tell(told, 0));
    }

    /// <summary>The connection is lost; the client comes back with its cursor.</summary>
    public void Reconnect()
    {
        if (follower is { } lost) Disconnected(lost);
    }

    /// <summary>A page that is loaded anew: no cursor.</summary>
    public void FollowAnew()
    {
        follower?.Host.Followers.Remove(follower);
        follower = null;
        Subscribe(null);
    }

    public bool Follows(SimFollower asking) => follower == asking;

    public void Disconnected(SimFollower lost)
    {
        if (follower != lost) return;
        lost.Host.Followers.Remove(lost);
        follower = null;
        world.After(dice.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5)), () => Subscribe(Cursor));
    }

    public void Show(long seq, ReadOnlySpan<byte> envelope)
    {
        world.Audit.Shown(session, person, Cursor, seq, envelope);
        Cursor = new(Cursor!.Value.Incarnation, seq);
        shown.Add((seq, HashOf(envelope)));
        if (envelope.IndexOf("\"type\":\"permission.asked\""u8) >= 0) Noticed(envelope);
    }

    /// <summary>An event that was shown under the present incarnation and is another one in the journal; null: there is none.</summary>
    public long? ShownWrongly()
    {
        var row = world.Database.Row(session);
        foreach (var (seq, hash) in shown)
            if (Cursor?.Incarnation == row.Incarnation && (seq > row.Seq || HashOf(row.Events[(int)seq - 1].Span) != hash)) return seq;
        return null;
    }

    private static int HashOf(ReadOnlySpan<byte> envelope)
    {
        var hash = default(HashCode);
        hash.AddBytes(envelope);
        return hash.ToHashCode();
    }

    /// <summary>Some of the messages that this and other people asked for.</summary>
    private MessageId? Some(int which) => keys == 0 ? null : Names.Message(session, person, 1 + (which % keys));

    private void Send(int key, string text, int tries)
    {
        var message = Names.Message(session, person, key);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var restores = world.Database.Restores;
        Call(new SessionCommand.Prompt(Me, message, new(Me.Scope, Names.Text(key), hash), text, null, null), create: false, answer =>
        {
            if (answer is { } given)
            {
                if (given.IsSuccess) world.Audit.Accepted(session, message, restores);
                return;
            }

            if (tries < 12) world.After(dice.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)), () => Send(key, text, tries + 1));
        });
    }

    private void Tell(SessionCommand.RecordUsage told, int tries)
    {
        var restores = world.Database.Restores;
        Call(told, create: false, answer =>
        {
            if (answer is { IsSuccess: true }) world.Audit.Counted(session, told.Call!.Value, restores);
            else if (answer is null && tries < 12) world.After(dice.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)), () => Tell(told, tries + 1));
        });
    }

    private void Call(SessionCommand command) => Call(command, create: false, _ => { });

    private void Call(SessionCommand command, bool create, Action<Result<SessionReply>?> answered)
    {
        var done = false;
        world.After(Patience, () => End(null));
        world.After(world.Delay(dice), () =>
        {
            if (world.LiveHost(dice, session) is { } host) host.After(TimeSpan.Zero, () => host.Call(session, create, id => new SessionInput.Called(id, command), answer => world.After(world.Delay(dice), () => End(answer))));
            else End(null);
        });

        void End(Result<SessionReply>? answer)
        {
            if (done)
            {
                world.Nothing();
                return;
            }

            done = true;
            answered(answer);
            if (create && answer is not { IsSuccess: true }) world.After(TimeSpan.FromSeconds(1), () => Call(command, create, answered));
        }
    }

    /// <summary>
    /// Now and then a client finds out that its host is gone; and, since nothing tells a host what another publishes for
    /// certain, one among several hosts that it is behind. With one host nobody needs to: what is durable comes.
    /// </summary>
    private void Look()
    {
        world.After(TimeSpan.FromSeconds(20 + dice.Below(20)), Look);
        if (follower is { } present && (!present.Host.IsUp || !present.Host.Followers.Contains(present))) Disconnected(present);
        else if (follower is null) Subscribe(Cursor);
        else if ((world.Plan.Hosts > 1 || world.Database.WasWrittenByTheDead) && world.Database.Row(session).Seq > Cursor?.Seq && dice.Percent(30)) Reconnect();
    }

    private void Subscribe(SessionCursor? after)
    {
        if (isSubscribing || follower is not null) return;
        isSubscribing = true;
        world.After(world.Delay(dice), () =>
        {
            isSubscribing = false;
            if (follower is not null || world.LiveHost(dice, session) is not { } host || host.FrozenUntil > world.Now || !host.ReachesDatabase) return;
            var row = world.Database.Row(session);
            if (row.Version == 0) return;
            var head = new SessionCursor(row.Incarnation, row.Seq);
            var from = after ?? head;
            if (from.Incarnation != head.Incarnation || from.Seq > head.Seq)
            {
                // Gone: the page loads the session anew.
                Subscribe(null);
                return;
            }

            if (Cursor?.Incarnation != from.Incarnation) shown.Clear();
            if (after is null) world.Audit.Viewed(session, row.View);
            Cursor = from;
            follower = new(world, host, this, from);
            host.Followers.Add(follower);
            follower.Begin();
        });
    }

    private void Noticed(ReadOnlySpan<byte> envelope)
    {
        var at = envelope.IndexOf("\"permissionId\":\""u8) + 16;
        if (PermissionId.TryParse(Encoding.ASCII.GetString(envelope.Slice(at, PrefixedId.TextLength)), out var permission)) questions.Add(permission);
    }
}
