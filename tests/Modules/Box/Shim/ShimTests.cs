using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Tests.Modules.Box.Journeys;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Shim;

public sealed class ShimTests : IAsyncLifetime
{
    private readonly TestBox box = new();

    private int Port => box.Parts!.Loopback.Port;

    public async Task InitializeAsync()
    {
        await box.StartAsync();
        await box.Host.EventAsync("boot.ready");
    }

    public async Task DisposeAsync() => await box.DisposeAsync();

    [Fact]
    public async Task A_model_call_reaches_the_host_with_the_gateway_token_and_none_of_the_agent_s_own()
    {
        var seen = "";
        box.Host.Model = async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            seen = $"{context.Request.Path} {context.Request.Headers.Authorization} {context.Request.Headers["x-api-key"]} {context.Request.Headers["anthropic-version"]} {await reader.ReadToEndAsync()}";
            await context.Response.WriteAsync("{\"ok\":true}");
        };

        using var answer = await PostAsync("model/v1/demo/messages", "{\"model\":\"m\"}", ("x-api-key", "canary"), ("anthropic-version", "1"), ("Authorization", "Bearer canary"));

        Assert.Equal("{\"ok\":true}", await answer.Content.ReadAsStringAsync());
        Assert.Equal("/model/v1/demo/messages Bearer gt_1  1 {\"model\":\"m\"}", seen);
    }

    [Fact]
    public async Task An_answer_streams_through_as_it_comes()
    {
        var next = new SemaphoreSlim(0);
        box.Host.Model = async context =>
        {
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync();
            }
        };
        using var answer = await PostAsync("model/v1/demo/chat/completions", "{}");
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync());
            await reader.ReadLineAsync();
            next.Release();
        }

        Assert.Null(await reader.ReadLineAsync());
    }

    [Fact]
    public async Task A_call_that_has_no_answer_yet_survives_a_restart_of_the_host()
    {
        await box.Host.KillAsync();
        var calling = PostAsync("model/v1/demo/chat/completions", "{}");
        await box.Host.StartAsync();

        using var answer = await calling;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_broken_off_and_never_looks_whole()
    {
        var read = new TaskCompletionSource();
        box.Host.Model = async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            await read.Task;
            context.Abort();
        };
        using var answer = await PostAsync("model/v1/demo/chat/completions", "{}");
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[4]);

        read.SetResult();

        var exception = await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadExactlyAsync(new byte[1]));
        Assert.IsNotType<EndOfStreamException>(exception);
    }

    [Fact]
    public async Task A_refused_token_is_renewed_once()
    {
        box.Host.Model = context =>
        {
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer gt_1" ? 401 : 200;
            return Task.CompletedTask;
        };

        using var answer = await PostAsync("model/v1/demo/chat/completions", "{}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, box.Host.TokensMinted);
    }

    [Fact]
    public async Task An_agent_that_hangs_up_ends_its_call_at_the_host()
    {
        var began = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        box.Host.Model = async context =>
        {
            using var aborted = context.RequestAborted.Register(() => ended.TrySetResult());
            began.SetResult();
            await ended.Task;
        };
        using (var socket = await ConnectAsync("POST /model/v1/demo/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")) await began.Task.WaitAsync(TimeSpan.FromSeconds(10));

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("POST /model/v1/../../v1/bridge/gateway-token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "404")]
    [InlineData("POST /model/v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413")]
    [InlineData("POST /model/v1/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "413")]
    [InlineData("POST /model/v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "413")]
    [InlineData("\u0016\u0003\u0001 binary junk \r\n\r\n", "400")]
    [InlineData("GET /elsewhere HTTP/1.1\r\n\r\n", "404")]
    [InlineData("CONNECT nonsense HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET https://example.com/ HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET /coordinator/git-credential?host=example.com HTTP/1.1\r\n\r\n", "400")]
    public async Task Nonsense_is_answered_and_ends_its_own_connection_only(string request, string status)
    {
        using var socket = await ConnectAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status}", await ReadAllAsync(socket), StringComparison.Ordinal);
        using var answer = await PostAsync("model/v1/demo/chat/completions", "{}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_chunked_body_arrives_whole()
    {
        var seen = "";
        box.Host.Model = async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            seen = await reader.ReadToEndAsync();
        };
        using var socket = await ConnectAsync("POST /model/v1/demo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", await ReadAllAsync(socket), StringComparison.Ordinal);
        Assert.Equal("abcde", seen);
    }

    [Fact]
    public async Task A_tunnel_carries_bytes_both_ways()
    {
        using var echo = new EchoServer();
        box.Host.Egress = (host, port) => (host, port) == ("echo.example", 443) ? ("127.0.0.1", echo.Port) : null;
        using var socket = await ConnectAsync("CONNECT echo.example:443 HTTP/1.1\r\nHost: echo.example:443\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await ReadUntilAsync(socket, "\r\n\r\n"), StringComparison.Ordinal);

        await socket.SendAsync(Encoding.ASCII.GetBytes("hello"));

        Assert.Equal("hello", await ReadUntilAsync(socket, "hello"));
    }

    [Fact]
    public async Task What_the_control_plane_does_not_allow_is_refused_with_its_reason()
    {
        using var socket = await ConnectAsync("CONNECT evil.example:443 HTTP/1.1\r\n\r\n");

        var answer = await ReadAllAsync(socket);

        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.Contains("evil.example is not allowed.", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_request_is_forwarded_in_origin_form_without_what_is_meant_for_the_proxy()
    {
        using var echo = new EchoServer(closeAfter: "\r\n\r\nbody");
        box.Host.Egress = (_, _) => ("127.0.0.1", echo.Port);
        using var socket = await ConnectAsync("POST http://plain.example:8080/a?b=c HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\nX-Kept: yes\r\nContent-Length: 4\r\n\r\nbody");

        var seen = await ReadAllAsync(socket);

        Assert.Equal("POST /a?b=c HTTP/1.1\r\nHost: plain.example:8080\r\nX-Kept: yes\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody", seen);
    }

    [Fact]
    public async Task Git_gets_its_credential_from_the_control_plane_and_nothing_is_written_anywhere()
    {
        box.Host.Credentials["git.example"] = ("x-access-token", "canary-password");
        using var output = new StringWriter();

        var code = await Coordinator.Sandbox.Commands.GitCredentialCommand.RunAsync("get", new StringReader("protocol=https\nhost=git.example\n\n"), output, $"{Port}");

        Assert.Equal((0, "username=x-access-token\npassword=canary-password\n"), (code, output.ToString()));
        Assert.DoesNotContain(Directory.GetFiles(box.Folder, "*", SearchOption.AllDirectories).Where(File.Exists).Where(path => !path.EndsWith(".sock", StringComparison.Ordinal) && !path.EndsWith("lock", StringComparison.Ordinal)), path => File.ReadAllText(path).Contains("canary", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_box_starts_without_its_secrets_because_loading_them_failed_softly__git_is_told_to_stop_and_why_and_does_not_go_on_without_one()
    {
        box.Host.Credentials["git.example"] = ("x-access-token", "canary-password");
        box.Host.KeepsCredentials = false;
        using var output = new StringWriter();

        var code = await Coordinator.Sandbox.Commands.GitCredentialCommand.RunAsync("get", new StringReader("protocol=https\nhost=git.example\n\n"), output, $"{Port}");
        Assert.Equal((0, "quit=1\n"), (code, output.ToString()));

        box.Host.KeepsCredentials = true;
        using var later = new StringWriter();
        await Coordinator.Sandbox.Commands.GitCredentialCommand.RunAsync("get", new StringReader("protocol=https\nhost=git.example\n\n"), later, $"{Port}");
        Assert.Contains("password=canary-password", later.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get", "protocol=http\nhost=git.example\n\n")]
    [InlineData("get", "protocol=https\nhost=other.example\n\n")]
    [InlineData("store", "protocol=https\nhost=git.example\n\n")]
    [InlineData("get", "")]
    public async Task No_credential_is_given_for_anything_else(string action, string input)
    {
        box.Host.Credentials["git.example"] = ("u", "canary");
        using var output = new StringWriter();

        Assert.Equal(0, await Coordinator.Sandbox.Commands.GitCredentialCommand.RunAsync(action, new StringReader(input), output, $"{Port}"));
        Assert.Equal("", output.ToString());
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, params (string Name, string Value)[] headers)
    {
        var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{Port}/{path}") { Content = new StringContent(body) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await invoker.SendAsync(request, CancellationToken.None);
    }

    private async Task<Socket> ConnectAsync(string request)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        return socket;
    }

    private static Task<string> ReadAllAsync(Socket socket) => ReadUntilAsync(socket, "\0never\0");

    private static async Task<string> ReadUntilAsync(Socket socket, string end)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(), timeout.Token);
            if (read == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    /// <summary>Sends back what it gets, on one connection.</summary>
    private sealed class EchoServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);

        public EchoServer(string? closeAfter = null)
        {
            listener.Start();
            _ = ServeAsync(closeAfter);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public void Dispose() => listener.Dispose();

        private async Task ServeAsync(string? closeAfter)
        {
            using var socket = await listener.AcceptSocketAsync();
            var seen = "";
            var buffer = new byte[4096];
            while (closeAfter is null || !seen.EndsWith(closeAfter, StringComparison.Ordinal))
            {
                var read = await socket.ReceiveAsync(buffer);
                if (read == 0) return;
                seen += Encoding.ASCII.GetString(buffer, 0, read);
                await socket.SendAsync(buffer.AsMemory(0, read));
            }
        }
    }
}
