using System.Text.Json;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sessions;
using Coordinator.Ports;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>The messages of a session's view: running, queued, and those that ended last.</summary>
internal sealed class ListMessagesEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/sessions/{id}/messages", async (SessionId id, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new GetSession(context.Tenant(), id), cancellationToken)).ToHttp(head => RawJson.Page(MessagesOf(head.View), null)))
            .Documented("ListMessages", "Messages", "The running message, the queue in order, and the last ones that ended.")
            .Produces<PageDocument<MessageDocument>>();

    /// <summary>The elements of the view's <c>messages</c>, as the bytes they are.</summary>
    internal static List<ReadOnlyMemory<byte>> MessagesOf(ReadOnlyMemory<byte> view)
    {
        var messages = new List<ReadOnlyMemory<byte>>();
        var reader = new Utf8JsonReader(view.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("messages"u8);
            reader.Read();
            if (!found)
            {
                reader.Skip();
                continue;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                messages.Add(view[start..(int)reader.BytesConsumed]);
            }

            break;
        }

        return messages;
    }
}
