using Coordinator.Ports;

namespace Coordinator.Modules.SessionAccess;

/// <summary>Refusals that several use cases share.</summary>
internal static class SessionProblems
{
    public static readonly Problem NotFound = new("session_not_found", "There is no such session.", ProblemKind.NotFound);

    public static readonly Problem CursorMalformed = new("cursor_malformed", "A cursor is the text that an answer or an event gave; send it unchanged.", ProblemKind.Malformed);

    public static readonly Problem CursorInvalid = new("cursor_invalid", "This cursor is not of the session as it stands now; load the session anew.", ProblemKind.Gone);

    public static Problem LimitInvalid(int most) => new("limit_invalid", $"limit is a number from 1 to {most}.", ProblemKind.Malformed);
}
