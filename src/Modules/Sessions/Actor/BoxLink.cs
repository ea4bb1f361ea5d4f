using Coordinator.Ports;

namespace Coordinator.Modules.Sessions.Actor;

/// <summary>The live socket of the box, as this activation knows it. Not state: it dies with the activation.</summary>
internal sealed class BoxLink(long id, DateTimeOffset now)
{
    /// <summary>Beyond it, what is not wanted any more is forgotten: a box that asks and confirms all day has had many.</summary>
    public const int MostSent = 1_000;

    public long Id { get; } = id;

    public DateTimeOffset LastFrameAt { get; set; } = now;

    /// <summary>Welcome has been sent, so requests may follow.</summary>
    public bool IsWelcomed { get; set; }

    /// <summary>The last event number acknowledged on this link.</summary>
    public long AckedN { get; set; }

    /// <summary>What the box said with its hello that it works on, until it says that it ended.</summary>
    public HashSet<MessageId> AtWork { get; init; } = [];

    /// <summary>The last message that the link was told to expect.</summary>
    public MessageId? Expected { get; set; }

    /// <summary>Keys of the request frames sent on this link.</summary>
    public HashSet<string> Sent { get; } = new(StringComparer.Ordinal);
}
