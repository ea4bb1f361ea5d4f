using System.Security.Cryptography;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Which box may speak for the session, and what its calls cost.</summary>
internal static class BoxDecisions
{
    private const string KeyLost = "The box was started under a master key that the host does not have any more, so the host cannot know it again and has ended it. Send the message again; a new box takes the workspace over.";

    /// <summary>
    /// A no is final for the box: it ends itself, or is ended. So it is given only by the session's holder; but to a
    /// credential that no box of the session was ever given it says nothing, and leaves no record. The box at hand whose token
    /// was made under a master key that is gone is ended with the refusal: it will not call again, and nobody should wait for it.
    /// </summary>
    public static Result<SessionReply> Authorize(Turn turn, BoxCredential credential, IBoxTokenScheme tokens)
    {
        if (!IsIssued(turn.State, credential, tokens))
        {
            if (turn.State.Sandbox.IsLive && IsAsRequested(turn.State, credential)) Endings.StopSandbox(turn, SandboxReasons.KeyLost, KeyLost, keepData: true);
            return Refusals.BoxCredential;
        }

        var answer = Judge(turn.State, credential);
        if (answer.Problem == Refusals.BoxNotWanted && turn.State.Status != SessionStatus.None) turn.Claim();
        return answer;
    }

    /// <summary>
    /// Usage is money: it is taken from a box that is just being stopped too, as long as the credential is its own. A call that was
    /// recorded is not recorded again, and whoever did not hear of it is told so, even where its box has been replaced since.
    /// </summary>
    public static Result<SessionReply> RecordUsage(Turn turn, SessionCommand.RecordUsage c, IBoxTokenScheme tokens)
    {
        var isRepeat = c.Call is { } call && turn.State.RecordedCalls.Contains(call);
        if (!isRepeat && !IsAtHand(turn.State, c.Credential)) return Refusals.BoxNotWanted;
        if (!IsIssued(turn.State, c.Credential, tokens)) return Refusals.BoxCredential;
        if (isRepeat) return new SessionReply.Done();
        var message = turn.State.Running?.Id;
        turn.Record(new Fact.UsageRecorded(message, c.Usage, c.Call));
        turn.Show("usage.recorded", message, json =>
        {
            json.WriteString("model", c.Usage.Model);
            json.WriteUsageFields(c.Usage);
        });
        return new SessionReply.Done();
    }

    /// <summary>
    /// The one rule for every call of a box, and for what the host asks in a box's name: the token is of a master key that is held
    /// here, the present one or one that it replaced. For the box at hand a replaced key counts only where the box was requested
    /// under it: whoever got hold of such a key makes no token with it for the boxes that came after.
    /// </summary>
    private static bool IsIssued(SessionState state, BoxCredential credential, IBoxTokenScheme tokens)
    {
        var isOfOurKeys = tokens.IsHashFor(state.Key, credential.Sandbox, credential.Generation, credential.TokenHash.Span);
        return isOfOurKeys && (!IsAtHand(state, credential) || IsAsRequested(state, credential)
            || CryptographicOperations.FixedTimeEquals(tokens.HashFor(state.Key, credential.Sandbox, credential.Generation), credential.TokenHash.Span));
    }

    private static bool IsAtHand(SessionState state, BoxCredential credential) => credential.Sandbox == state.Sandbox.Id && credential.Generation == state.Sandbox.Generation;

    /// <summary>It is the very token that the box at hand was requested with.</summary>
    private static bool IsAsRequested(SessionState state, BoxCredential credential) =>
        IsAtHand(state, credential) && CryptographicOperations.FixedTimeEquals(Convert.FromHexString(state.Sandbox.TokenHash), credential.TokenHash.Span);

    private static Result<SessionReply> Judge(SessionState state, BoxCredential credential)
    {
        var box = state.Sandbox;
        if (state.Status is SessionStatus.None or SessionStatus.Archived || credential.Sandbox != box.Id || credential.Generation != box.Generation) return Refusals.BoxNotWanted;
        return box.IsLive ? new SessionReply.BoxAuthorized(state.Settings!, state.Running?.Id, box.Handle) : Refusals.BoxNotWanted;
    }
}
