using Coordinator.Host.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

public sealed class SecurityHeadersTests
{
    [Fact]
    public async Task An_answer_tells_the_browser_what_it_must_not_do() =>
        Assert.Equal("nosniff", (await AnswerAsync(isSocket: false, StatusCodes.Status200OK)).XContentTypeOptions);

    [Fact]
    public async Task So_does_the_refusal_of_a_socket() =>
        Assert.Equal("nosniff", (await AnswerAsync(isSocket: true, StatusCodes.Status401Unauthorized)).XContentTypeOptions);

    [Fact]
    public async Task An_open_socket_holds_none_of_it() =>
        Assert.Empty(await AnswerAsync(isSocket: true, StatusCodes.Status101SwitchingProtocols));

    private static async Task<IHeaderDictionary> AnswerAsync(bool isSocket, int status)
    {
        var answer = new Answer();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseFeature>(answer);
        if (isSocket) context.Request.Headers.SecWebSocketKey = "dGhlIHNhbXBsZSBub25jZQ==";
        await new SecurityHeaders(then =>
        {
            then.Response.StatusCode = status;
            return Task.CompletedTask;
        }).InvokeAsync(context);
        await answer.StartAsync();
        return answer.Headers;
    }

    /// <summary>An answer that starts when it is told to.</summary>
    private sealed class Answer : HttpResponseFeature
    {
        private Func<Task> starting = () => Task.CompletedTask;

        public Task StartAsync() => starting();

        public override void OnStarting(Func<object, Task> callback, object state) => starting = () => callback(state);
    }
}
