using System.Text;
using System.Text.RegularExpressions;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support.Snapshots;
using Xunit;

namespace Coordinator.Tests.Modules.Kernel;

public sealed partial class ProblemTests : IAsyncLifetime
{
    private KernelServer server = null!;
    private HttpClient program = null!;

    public async Task InitializeAsync()
    {
        server = await KernelServer.StartAsync();
        program = await server.ProgramAsync();
    }

    public async Task DisposeAsync()
    {
        program.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Every_refusal_of_the_kernel_is_as_approved()
    {
        var text = new StringBuilder();
        using var anyone = server.Anyone();
        await DescribeAsync(text, anyone, "GET", "/v1/whoami");
        await DescribeAsync(text, program, "GET", "/v1/port-down");
        await DescribeAsync(text, program, "GET", "/v1/key-lost");
        await DescribeAsync(text, program, "GET", "/v1/bug");
        await DescribeAsync(text, program, "GET", "/v1/nothing");
        await DescribeAsync(text, program, "DELETE", "/v1/echo");
        await DescribeAsync(text, program, "GET", "/v1/things/junk");
        await DescribeAsync(text, program, "GET", $"/v1/things/{SessionId.From(default)}?limit=many");
        await DescribeAsync(text, program, "POST", "/v1/echo", "{\"count\":\"seven\"}");
        await DescribeAsync(text, program, "POST", "/v1/echo", "{\"count\":");
        await DescribeAsync(text, program, "POST", "/v1/echo", "\0\u0001junk");
        await DescribeAsync(text, program, "POST", "/v1/echo", "");
        await DescribeAsync(text, program, "POST", "/v1/echo", "count=7", "text/plain");

        await Snapshot.Verify(TraceId().Replace(text.ToString(), "\"traceId\":\"…\""), "problems");
    }

    [Fact]
    public async Task A_failure_tells_the_caller_nothing_of_the_inside()
    {
        Assert.DoesNotContain("hunter2", await (await program.GetAsync("/v1/bug")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.0.1", await (await program.GetAsync("/v1/port-down")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_that_are_not_known_are_tolerated() =>
        await program.PostAsync("/v1/echo", new { count = 7, later = new { } }).JsonAsync(200);

    private static async Task DescribeAsync(StringBuilder text, HttpClient client, string method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
        using var response = await client.SendAsync(request);
        text.Append(method).Append(' ').Append(path).Append(' ').Append(body?.Replace("\0\u0001", "(junk)", StringComparison.Ordinal)).Append('\n')
            .Append((int)response.StatusCode).Append(' ').Append(response.Content.Headers.ContentType).Append(' ')
            .Append(response.Headers.RetryAfter is { } wait ? $"Retry-After: {wait}" : string.Empty).Append('\n')
            .Append(await response.Content.ReadAsStringAsync()).Append("\n\n");
    }

    [GeneratedRegex("\"traceId\":\"[0-9A-Za-z:]+\"")]
    private static partial Regex TraceId();
}
