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
    /// <summary>
    /// A no is final for the box: it ends itself, or is ended. So it is given only by the session's holder; but to a
    /// credential that no box of the session was ever given it says nothing, and leaves no record.
    /// </summary>
    public static Result<SessionReply> Authorize(Turn turn, BoxCredential credential, IBoxTokenScheme tokens)
    {
        if (!IsIssued(turn.State, credential, tokens)) return Refusals.BoxCredential;
        var answer = Judge(turn.State, credential);
        if (answer.Problem == Refusals.BoxNotWanted && turn.State.Status != SessionStatus.None) turn.Claim();
        return answer;
    }

    /// <summary>
    /// Usage is money: it is taken from a box that is just being stopped too, as long as the credential is its own.
    /// </summary>
    public static Result<SessionReply> RecordUsage(Turn turn, SessionCommand.RecordUsage c)
    {
        var box = turn.State.Sandbox;
        if (c.Credential.Sandbox != box.Id || c.Credential.Generation != box.Generation) return Refusals.BoxNotWanted;
        if (!CryptographicOperations.FixedTimeEquals(Convert.FromHexString(box.TokenHash), c.Credential.TokenHash.Span)) return Refusals.BoxCredential;
        var message = turn.State.Running?.Id;
        turn.Record(new Fact.UsageRecorded(message, c.Usage));
        turn.Show("usage.recorded", message, json =>
        {
            json.WriteString("model", c.Usage.Model);
            json.WriteUsageFields(c.Usage);
        });
        return new SessionReply.Done();
    }

    /// <summary>Of the box at hand the session knows the hash; that of another, older or newer than this host knows, follows from its name.</summary>
    private static bool IsIssued(SessionState state, BoxCredential credential, IBoxTokenScheme tokens)
    {
        var box = state.Sandbox;
        var hash = credential.Sandbox == box.Id && credential.Generation == box.Generation
            ? Convert.FromHexString(box.TokenHash)
            : tokens.HashFor(state.Key, credential.Sandbox, credential.Generation);
        return CryptographicOperations.FixedTimeEquals(hash, credential.TokenHash.Span);
    }

    private static Result<SessionReply> Judge(SessionState state, BoxCredential credential)
    {
        var box = state.Sandbox;
        if (state.Status is SessionStatus.None or SessionStatus.Archived || credential.Sandbox != box.Id || credential.Generation != box.Generation) return Refusals.BoxNotWanted;
        return box.IsLive ? new SessionReply.BoxAuthorized(state.Settings!, state.Running?.Id, box.Handle) : Refusals.BoxNotWanted;
    }
}
