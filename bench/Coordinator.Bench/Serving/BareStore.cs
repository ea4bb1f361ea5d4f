using System.Globalization;
using System.Net.WebSockets;
using Coordinator.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The least that a server can do which keeps what it is told and tells it again: Kestrel before one table with a key. A POST to
/// <c>/rows</c> is a row, in a commit of its own; one to <c>/rows/ID</c> looks at that row first, by its key; a WebSocket to
/// <c>/rows/ID</c> is told all rows of it in order, a frame for each. It knows nobody, and has a PostgreSQL of its own as the host has.
/// </summary>
internal sealed class BareStore(NpgsqlDataSource source, TimeProvider time)
{
    private long version;

    public static async Task<int> RunAsync(TimeProvider time)
    {
        await using var bare = await BareJournal.StartAsync(CancellationToken.None);
        var store = new BareStore(bare.Source, time);
        return await BareKestrel.RunAsync(
            app =>
            {
                app.MapPost("/rows", store.AddAsync);
                app.MapPost("/rows/{id}", store.LookAndAddAsync);
                app.MapGet("/rows/{id}", store.TellAsync);
            },
            () => BenchHost.SayDatabaseAsync(bare.Source));
    }

    private async Task AddAsync(HttpContext context)
    {
        await using var insert = new BareInsert(await source.OpenConnectionAsync(context.RequestAborted));
        await InsertAsync(context, insert, SessionId.New(time).Value, 0);
    }

    private async Task LookAndAddAsync(HttpContext context)
    {
        var (id, connection) = (Id(context), await source.OpenConnectionAsync(context.RequestAborted));
        await using var insert = new BareInsert(connection);
        await using var look = new NpgsqlCommand("SELECT payload FROM bench_row WHERE session = $1 AND version = 0", connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } };
        if (await look.ExecuteScalarAsync(context.RequestAborted) is not byte[]) throw new InvalidOperationException($"There is no row {id}.");
        await InsertAsync(context, insert, id, Interlocked.Increment(ref version));
    }

    private async Task TellAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await using var command = source.CreateCommand("SELECT payload FROM bench_row WHERE session = $1 ORDER BY version");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Id(context) });
        await using var rows = await command.ExecuteReaderAsync(context.RequestAborted);
        var frame = Array.Empty<byte>();
        while (await rows.ReadAsync(context.RequestAborted))
        {
            var length = (int)rows.GetBytes(0, 0, null, 0, 0);
            if (length > frame.Length) frame = new byte[length]; // one for all of them, which costs the collector nothing
            rows.GetBytes(0, 0, frame, 0, length);
            await socket.SendAsync(frame.AsMemory(0, length), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static async Task InsertAsync(HttpContext context, BareInsert insert, Guid id, long at)
    {
        var payload = new byte[(int)context.Request.ContentLength!];
        await context.Request.Body.ReadExactlyAsync(payload, context.RequestAborted);
        await insert.WriteAsync([id], at, payload, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Guid Id(HttpContext context) => Guid.Parse((string)context.Request.RouteValues["id"]!, CultureInfo.InvariantCulture);
}
