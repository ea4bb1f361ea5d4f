using System.Globalization;

namespace Coordinator.Tests.Simulation.Faults;

/// <summary>One thing that somebody does, or that goes wrong, before a given step. The two numbers choose whom and how.</summary>
internal readonly record struct Happening(int Step, HappeningKind Kind, int A, int B)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}({A},{B})@{Step}");

    public static Happening Parse(string text)
    {
        var parts = text.Split('(', ',', ')', '@');
        return new(Number(parts[4]), Enum.Parse<HappeningKind>(parts[0]), Number(parts[1]), Number(parts[2]));

        static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);
    }
}

internal enum HappeningKind
{
    // What people do.
    Prompt,
    PromptAgain,
    PromptOtherBody,
    Cancel,
    Move,
    Edit,
    Answer,
    Reconnect,
    FollowAnew,
    Rename,
    Archive,
    Usage,

    // What goes wrong at hosts.
    CrashHost,
    CrashInAppend,
    DrainHost,
    FreezeHost,
    JumpClock,
    StealSession,
    WakeTwice,
    CutHostFromDatabase,
    CutHostFromProvider,
    CutHostFromBox,
    LateAlarms,
    LosePublished,
    RepeatPublished,

    // What goes wrong at the database.
    JournalDown,
    CrashDatabase,
    AppendAnswerLost,
    AppendLate,
    HistoryDown,
    HistoryAnswerLost,
    KeepDatabase,
    RestoreDatabase,

    // What goes wrong at the provider.
    CreateAnswerLost,
    CreateUnavailable,
    CreateRefused,
    CreateSlow,
    BoxNeverDials,
    DestroyRefused,
    DestroyAnswerLost,
    DestroyLies,
    InspectUnreachable,
    ListIncomplete,

    // What goes wrong at boxes.
    BreakLink,
    StallLink,
    CutOffBox,
    RestartBoxProgram,
    RestartWhenAccepted,
    PowerOffBox,
    BoxDies,
    LoseBoxDisk,
    DamageBoxSpool,
    KeepBoxDisk,
    RestoreBoxDisk,
    BoxDiskFull,

    // What goes wrong at agents.
    AgentHangs,
    AgentIgnoresCancel,
    AgentFails,
    BootFails,
}
