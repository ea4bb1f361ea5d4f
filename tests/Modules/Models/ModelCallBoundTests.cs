using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

/// <summary>However many calls a box makes, and however slowly they come, a host holds so much of them and no more.</summary>
public sealed class ModelCallBoundTests
{
    private static readonly byte[] Call = Encoding.UTF8.GetBytes("""{"model":"fast"}""");

    [Fact]
    public async Task A_box_has_a_bounded_number_of_calls_and_gets_the_place_of_one_that_ended()
    {
        await using var server = await ModelsServer.StartAsync(calls: ("MaxPerBox", "2"));
        using var box = PatientBox(server);
        var (first, second) = (new StalledBody(Call[..1], Call[1..]), new StalledBody(Call[..1], Call[1..]));
        var (one, two) = (SendAsync(box, first), SendAsync(box, second));
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox).Calls == 2, "both calls, under way");

        await BusyAsync(box, Call);
        first.GoOn();
        Assert.Equal(HttpStatusCode.OK, await one);
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox).Calls == 1, "the end of the first call");

        Assert.Equal(HttpStatusCode.OK, await SendAsync(box, new ByteArrayContent(Call)));
        second.GoOn();
        Assert.Equal(HttpStatusCode.OK, await two);
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox) == default, "the end of all calls");
    }

    [Fact]
    public async Task A_boxs_calls_are_so_large_together_and_one_that_is_cut_gives_back_what_it_had()
    {
        await using var server = await ModelsServer.StartAsync(calls: ("MaxBytesPerBox", $"{CallModel.LargestBody}"));
        using var box = PatientBox(server);
        var most = new byte[CallModel.LargestBody - Call.Length];
        using var leaves = new CancellationTokenSource();
        var large = SendAsync(box, new StalledBody(most, [0]), leaves.Token);
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox).Bytes == most.Length, "what was sent of the large call, counted");

        await BusyAsync(box, [.. Call, (byte)' ']);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(box, new ByteArrayContent(Call)));
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => large);
        await Eventually.HoldsAsync(() => server.Calls.Of(server.Sessions.Sandbox) == default, "the end of the call that was cut");

        Assert.Equal(HttpStatusCode.OK, await SendAsync(box, new ByteArrayContent([.. Call, (byte)' '])));
    }

    [Fact]
    public void The_calls_of_all_boxes_are_so_large_together()
    {
        var calls = new ModelCalls(Options.Create(new ModelCallOptions { MaxPerBox = 1, MaxBytesPerBox = 10, MaxBytes = 15 }));
        using var ada = calls.Enter(OrganizationId.New(TimeProvider.System), SandboxId.New(TimeProvider.System)).Value;
        var eve = calls.Enter(OrganizationId.New(TimeProvider.System), SandboxId.New(TimeProvider.System)).Value;

        Assert.Equal("model_calls_busy", ada.Take(11)?.Code);
        Assert.Null(eve.Take(10));
        Assert.Equal("model_calls_busy", ada.Take(6)?.Code);
        eve.Dispose();
        eve.Dispose();

        Assert.Null(ada.Take(10));
    }

    [Fact]
    public void No_organization_keeps_the_others_boxes_waiting()
    {
        var calls = new ModelCalls(Options.Create(new ModelCallOptions { MaxBytesPerBox = 10, MaxBytesPerOrganization = 15, MaxBytes = 30 }));
        var (ada, eve) = (OrganizationId.New(TimeProvider.System), OrganizationId.New(TimeProvider.System));
        using var one = calls.Enter(ada, SandboxId.New(TimeProvider.System)).Value;
        var two = calls.Enter(ada, SandboxId.New(TimeProvider.System)).Value;
        using var other = calls.Enter(eve, SandboxId.New(TimeProvider.System)).Value;

        Assert.Null(one.Take(10));
        Assert.Null(two.Take(5));
        Assert.Equal("model_calls_busy", two.Take(1)?.Code);
        Assert.Null(other.Take(10));
        two.Dispose();
        using var three = calls.Enter(ada, SandboxId.New(TimeProvider.System)).Value;
        Assert.Null(three.Take(5));
    }

    [Fact]
    public void A_length_that_is_announced_costs_nothing_before_it_comes()
    {
        var context = new DefaultHttpContext();
        (context.Request.ContentLength, context.Request.Body) = (CallModel.LargestBody, new SilentStream());
        using var place = new ModelCalls(Options.Create(new ModelCallOptions())).Enter(OrganizationId.New(TimeProvider.System), SandboxId.New(TimeProvider.System)).Value;
        var before = GC.GetAllocatedBytesForCurrentThread();

        var reading = RequestBody.ReadAsync(context, CallModel.LargestBody, place);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024 * 1024);
        Assert.False(reading.IsCompleted);
    }

    [Fact]
    public void What_cannot_hold_is_told_all_at_once()
    {
        var told = new ModelCallOptionsValidator().Validate(null, new() { MaxPerBox = 0, MaxBytesPerBox = 5, MaxBytes = 4 });

        Assert.Equal(3, told.Failures!.Count());
    }

    private static HttpClient PatientBox(ModelsServer server)
    {
        var box = server.Box();
        box.Timeout = Eventually.Bound;
        return box;
    }

    private static async Task BusyAsync(HttpClient box, byte[] body)
    {
        using var refused = await box.PostAsync(new Uri(ChatPath, UriKind.Relative), new ByteArrayContent(body));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Equal("model_calls_busy", (string?)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!["code"]);
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient box, HttpContent body, CancellationToken cancellationToken = default)
    {
        using var answer = await box.PostAsync(new Uri(ChatPath, UriKind.Relative), body, cancellationToken);
        return answer.StatusCode;
    }

    /// <summary>A body of which some comes, and the rest when it is told to.</summary>
    private sealed class StalledBody(byte[] first, byte[] rest) : HttpContent
    {
        private readonly TaskCompletionSource going = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void GoOn() => going.SetResult();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(first, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await going.Task.WaitAsync(cancellationToken);
            await stream.WriteAsync(rest, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = first.Length + rest.Length;
            return true;
        }
    }
}
