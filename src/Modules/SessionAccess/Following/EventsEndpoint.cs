using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>The events of a session: a page of them, or a stream when <c>text/event-stream</c> is accepted.</summary>
internal sealed class EventsEndpoint : IEndpointModule
{
    private const string EventStream = "text/event-stream";

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/sessions/{id}/events", AnswerAsync)
            .Documented("ReadEvents", "Sessions", "The session's events after a cursor, as a page or as server-sent events.")
            .Produces<EventPageDocument>();

    private static async Task<IResult> AnswerAsync(SessionId id, string? after, int? limit, HttpContext context, IMediator mediator, CancellationToken cancellationToken)
    {
        var key = context.Tenant().Key(id);
        var place = ReadPlace(context.Request, after);
        if (!place.IsSuccess) return place.Problem.ToHttp();
        if (AcceptsStream(context.Request)) return await context.RequestServices.GetRequiredService<EventStreams>().OpenAsync(context, key, place.Value, cancellationToken);
        var page = await mediator.Send(new ReadEvents(context.Tenant(), id, place.Value, limit), cancellationToken);
        return page.ToHttp(events => RawJson.Page(events.Envelopes, events.HasMore ? events.End.ToString() : null, events.End.ToString()));
    }

    private static bool AcceptsStream(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(type => type.MediaType.Equals(EventStream, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Where the caller stands. <c>Last-Event-ID</c> counts before <c>?after=</c>: a browser comes back to the address that its
    /// stream began with, and says in the header how far it has got since.
    /// </summary>
    internal static Result<SessionCursor?> ReadPlace(HttpRequest request, string? after)
    {
        var last = request.Headers["Last-Event-ID"].ToString();
        SessionCursor? place = null;
        foreach (var text in (string?[])[after, last.Length > 0 ? last : null])
        {
            if (text is null) continue;
            if (!SessionCursor.TryParse(text, out var cursor)) return SessionProblems.CursorMalformed;
            place = cursor;
        }

        return place;
    }
}
