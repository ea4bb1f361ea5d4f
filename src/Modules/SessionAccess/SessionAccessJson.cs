using System.Text.Json.Serialization;
using Coordinator.Modules.SessionAccess.Messages;
using Coordinator.Modules.SessionAccess.Sessions;

namespace Coordinator.Modules.SessionAccess;

/// <summary>The JSON of this module's requests and answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateSessionBody))]
[JsonSerializable(typeof(RenameSessionBody))]
[JsonSerializable(typeof(SendMessageBody))]
[JsonSerializable(typeof(EditMessageBody))]
[JsonSerializable(typeof(MoveMessageBody))]
[JsonSerializable(typeof(CancelBody))]
[JsonSerializable(typeof(AnswerPermissionBody))]
[JsonSerializable(typeof(AcceptedMessage))]
[JsonSerializable(typeof(MessageRef))]
[JsonSerializable(typeof(PermissionRef))]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(EventPageDocument))]
[JsonSerializable(typeof(PageDocument<SessionDocument>))]
[JsonSerializable(typeof(PageDocument<MessageDocument>))]
internal sealed partial class SessionAccessJson : JsonSerializerContext;
