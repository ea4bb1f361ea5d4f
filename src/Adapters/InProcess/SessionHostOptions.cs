using System.ComponentModel.DataAnnotations;

namespace Coordinator.Adapters.InProcess;

/// <summary>Section <c>Sessions:Host</c>: how one host runs its session actors.</summary>
public sealed class SessionHostOptions
{
    public const string Section = "Sessions:Host";

    /// <summary>An actor that nothing needs leaves memory after this long.</summary>
    public TimeSpan HibernateAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the alarm clock is asked which sessions are due.</summary>
    public TimeSpan AlarmInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A due session that was handed out is not handed out again for this long.</summary>
    public TimeSpan AlarmHide { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest a call waits for its reply.</summary>
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an append is tried again while the journal is down, before the activation ends.</summary>
    public TimeSpan JournalPatience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest one effect may take.</summary>
    public TimeSpan EffectTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a host that stops lets the effects and model calls that are under way come to their end, before it leaves the effects to the next one and cuts the calls. The host takes at most 10 s more to hand its sessions over.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many effects of one kind (making boxes, ending them, looking at them, writing runs) may be under way at once.</summary>
    [Range(1, 10_000)]
    public int EffectsAtOnce { get; set; } = 64;

    /// <summary>Inputs that may wait for one actor.</summary>
    [Range(16, 100_000)]
    public int MailboxCapacity { get; set; } = 4_096;

    /// <summary>Bytes of events, and of the views that they changed, that may wait for one follower before it is closed as too slow.</summary>
    [Range(64 * 1024, int.MaxValue)]
    public int FollowerBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Bytes of the events that a session published last which are kept while it is awake: who was away for a moment is told them from memory.</summary>
    [Range(128 * 1024, int.MaxValue)]
    public int RecentBytesOfSession { get; set; } = 4 * 1024 * 1024;

    /// <summary>Bytes of such events of all sessions together; beyond it the oldest are let go, and read from the journal.</summary>
    [Range(0, long.MaxValue)]
    public long RecentBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>A snapshot is kept after this many records.</summary>
    [Range(1, 1_000_000)]
    public int SnapshotEvery { get; set; } = 500;

    /// <summary>One is kept too when an actor leaves memory with this many records that none covers: fewer are as soon read again.</summary>
    [Range(1, 1_000_000)]
    public int SnapshotAtRest { get; set; } = 4;
}
