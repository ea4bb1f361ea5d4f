using Coordinator.Modules.Kernel.Requests;
using Coordinator.Modules.SessionAccess.Messages;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using MediatR;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>Runs what a client asks over its socket through the same use cases as HTTP, and writes the answering frame.</summary>
internal sealed class ClientCommands(IMediator mediator)
{
    public Task<ReadOnlyMemory<byte>> RunAsync(TenantContext tenant, SessionId session, ClientFrame frame, CancellationToken cancellationToken) => frame switch
    {
        ClientFrame.Prompt prompt => PromptAsync(tenant, session, prompt, cancellationToken),
        ClientFrame.Cancel cancel => DoAsync("cancel", cancel.Message?.ToString(), new CancelMessage(tenant, session, cancel.Message), cancellationToken),
        ClientFrame.Edit edit => DoAsync("edit", edit.Message.ToString(), new EditMessage(tenant, session, edit.Message, edit.Text), cancellationToken),
        ClientFrame.Move move => DoAsync("move", move.Message.ToString(), new MoveMessage(tenant, session, move.Message, move.Before), cancellationToken),
        ClientFrame.Permission answer => DoAsync("permission", answer.Id.ToString(), new AnswerPermission(tenant, session, answer.Id, answer.Decision, answer.Note), cancellationToken),
        ClientFrame.Ping ping => Task.FromResult(ClientFrameWriter.Pong(ping.Id)),
        ClientFrame.Malformed bad => Task.FromResult(ClientFrameWriter.Refused(bad.Type, bad.ClientId, PromptText.Malformed)),
        ClientFrame.Unknown unknown => Task.FromResult(ClientFrameWriter.Refused(unknown.Type, null, new("type_unknown", "This release does not know frames of this type."))),
        _ => throw new FrameException("A socket subscribes once, with its first frame."),
    };

    private async Task<ReadOnlyMemory<byte>> PromptAsync(TenantContext tenant, SessionId session, ClientFrame.Prompt prompt, CancellationToken cancellationToken)
    {
        var answer = await mediator.Send(new SendMessage(tenant, session, prompt.ClientId, prompt.Text, prompt.Model, prompt.RetryOf), cancellationToken);
        return answer.IsSuccess ? ClientFrameWriter.Accepted(prompt.ClientId, answer.Value) : ClientFrameWriter.Refused("prompt", prompt.ClientId, answer.Problem);
    }

    private async Task<ReadOnlyMemory<byte>> DoAsync<T>(string what, string? id, ITenantRequest<T> request, CancellationToken cancellationToken)
    {
        var answer = await mediator.Send(request, cancellationToken);
        return answer.IsSuccess ? ClientFrameWriter.Done(what, id) : ClientFrameWriter.Refused(what, null, answer.Problem);
    }
}
