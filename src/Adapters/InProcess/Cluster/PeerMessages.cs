using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>One session's command, asked of the host that owns it.</summary>
internal sealed record PeerCall(SessionKey Key, SessionCommand Command);

/// <summary>Asks to be answered when the session has events above <paramref name="AfterSeq"/>, or after a while.</summary>
internal sealed record PeerWait(SessionKey Key, long AfterSeq);

/// <summary>
/// What a host answers: exactly one of a reply, a refusal and a failure; or <paramref name="Moved"/>: the session is not
/// this host's, and whoever asked has to look anew. Nothing is ever passed on further.
/// </summary>
internal sealed record PeerAnswer(SessionReply? Reply = null, Problem? Problem = null, PeerFailure? Failure = null, long? Seq = null, bool Moved = false);

/// <summary>A <see cref="PortException"/> on its way between hosts.</summary>
internal sealed record PeerFailure(PortFailureKind Kind, string Message, bool EffectMayHaveHappened, TimeSpan? RetryAfter)
{
    public static PeerFailure Of(PortException failure) => new(failure.Kind, failure.Message, failure.EffectMayHaveHappened, failure.RetryAfter);

    public PortException ToException() => new(Kind, Message, EffectMayHaveHappened, RetryAfter);
}

/// <summary>The first thing said on a box's way to its session's host.</summary>
internal sealed record PeerAttach(SessionKey Key, BoxCredential Credential, BridgeHello Hello);

/// <summary>What the session's host says to the host that has the box's socket: one of these.</summary>
internal sealed record PeerBridgeDown(PeerAnswer? Attached = null, HostFrame? Frame = null, LinkCloseReason? Close = null, string? Detail = null);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PeerCall))]
[JsonSerializable(typeof(PeerWait))]
[JsonSerializable(typeof(PeerAnswer))]
[JsonSerializable(typeof(PeerAttach))]
[JsonSerializable(typeof(PeerBridgeDown))]
[JsonSerializable(typeof(BoxFrame))]
[JsonSerializable(typeof(SessionCommand.Create), TypeInfoPropertyName = "SessionCommandCreate")]
[JsonSerializable(typeof(SessionCommand.Prompt), TypeInfoPropertyName = "SessionCommandPrompt")]
[JsonSerializable(typeof(SessionCommand.EditMessage), TypeInfoPropertyName = "SessionCommandEditMessage")]
[JsonSerializable(typeof(SessionCommand.MoveMessage), TypeInfoPropertyName = "SessionCommandMoveMessage")]
[JsonSerializable(typeof(SessionCommand.Cancel), TypeInfoPropertyName = "SessionCommandCancel")]
[JsonSerializable(typeof(SessionCommand.AnswerPermission), TypeInfoPropertyName = "SessionCommandAnswerPermission")]
[JsonSerializable(typeof(SessionCommand.Rename), TypeInfoPropertyName = "SessionCommandRename")]
[JsonSerializable(typeof(SessionCommand.Archive), TypeInfoPropertyName = "SessionCommandArchive")]
[JsonSerializable(typeof(SessionCommand.AuthorizeBox), TypeInfoPropertyName = "SessionCommandAuthorizeBox")]
[JsonSerializable(typeof(SessionCommand.RecordUsage), TypeInfoPropertyName = "SessionCommandRecordUsage")]
[JsonSerializable(typeof(SessionCommand.GetView), TypeInfoPropertyName = "SessionCommandGetView")]
[JsonSerializable(typeof(SessionReply.Done), TypeInfoPropertyName = "SessionReplyDone")]
[JsonSerializable(typeof(SessionReply.View), TypeInfoPropertyName = "SessionReplyView")]
[JsonSerializable(typeof(SessionReply.MessageAccepted), TypeInfoPropertyName = "SessionReplyMessageAccepted")]
[JsonSerializable(typeof(SessionReply.BoxAuthorized), TypeInfoPropertyName = "SessionReplyBoxAuthorized")]
[JsonSerializable(typeof(BoxFrame.Event), TypeInfoPropertyName = "BoxFrameEvent")]
[JsonSerializable(typeof(BoxFrame.Reply), TypeInfoPropertyName = "BoxFrameReply")]
[JsonSerializable(typeof(BoxFrame.Heartbeat), TypeInfoPropertyName = "BoxFrameHeartbeat")]
[JsonSerializable(typeof(HostFrame.Welcome), TypeInfoPropertyName = "HostFrameWelcome")]
[JsonSerializable(typeof(HostFrame.Ack), TypeInfoPropertyName = "HostFrameAck")]
[JsonSerializable(typeof(HostFrame.Prompt), TypeInfoPropertyName = "HostFramePrompt")]
[JsonSerializable(typeof(HostFrame.Cancel), TypeInfoPropertyName = "HostFrameCancel")]
[JsonSerializable(typeof(HostFrame.Permission), TypeInfoPropertyName = "HostFramePermission")]
[JsonSerializable(typeof(HostFrame.Shutdown), TypeInfoPropertyName = "HostFrameShutdown")]
internal sealed partial class PeerTypes : JsonSerializerContext;

/// <summary>How hosts write to each other. A family's members are told apart by their names.</summary>
internal static class PeerJson
{
    private static readonly Type[] Families = [typeof(SessionCommand), typeof(SessionReply), typeof(BoxFrame), typeof(HostFrame)];

    private static readonly JsonSerializerOptions Options = Create();

    public static byte[] Write<T>(T message) => JsonSerializer.SerializeToUtf8Bytes(message, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)));

    /// <exception cref="JsonException">It cannot be read.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T))) ?? throw new JsonException("It is null.");

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(PeerTypes.Default.Options) { TypeInfoResolver = PeerTypes.Default.WithAddedModifier(TellMembersApart) };
        options.MakeReadOnly();
        return options;
    }

    private static void TellMembersApart(JsonTypeInfo info)
    {
        if (!Families.Contains(info.Type)) return;
        info.PolymorphismOptions = new() { TypeDiscriminatorPropertyName = "$is" };
        foreach (var member in info.Type.GetNestedTypes().Where(member => member.BaseType == info.Type)) info.PolymorphismOptions.DerivedTypes.Add(new(member, member.Name));
    }
}
