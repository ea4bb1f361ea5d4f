using System.Text;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

public sealed class HostFrameWriterTests
{
    private const string Model = """{"provider":"demo","model":"scripted","wire":"openAiChat","contextTokens":1000,"outputTokens":100}""";

    private static readonly MessageId Message = MessageId.From(PrefixedId.Derive("test", "message"));
    private static readonly AgentModel Demo = new("demo", "scripted", ModelWire.OpenAiChat, 1_000, 100);

    [Fact]
    public void Welcome_carries_the_boxs_configuration()
    {
        var settings = new SessionSettings("demo/scripted", "opencode", new("https://example.org/a/b", null), PermissionMode.Ask);
        Assert.Equal(
            """{"type":"welcome","protocol":1,"incarnation":2,"spoolId":"0123456789abcdef","ackedN":6,"window":{"events":2000,"bytes":4194304},"config":{"repository":{"url":"https://example.org/a/b","branch":null},"agent":"opencode","model":"""
            + Model + ""","permissions":"ask","install":true,"limits":{"repositoryBytes":2147483648,"cloneSeconds":120,"installSeconds":300,"agentStartSeconds":60}}}""",
            Write(new HostFrame.Welcome(2, "0123456789abcdef", 6, BridgeWindow.Default, settings)));
    }

    [Fact]
    public void Requests_are_written_as_the_protocol_says()
    {
        Assert.Equal(
            $$$"""{"type":"request","id":"r1","method":"prompt","params":{"messageId":"{{{Message}}}","text":"hé","model":{{{Model}}},"agent":"opencode","history":"before"}}""",
            Write(new HostFrame.Prompt("r1", Message, "hé", "demo/scripted", "opencode", true), "before"));
        Assert.Equal($$$"""{"type":"request","id":"r2","method":"cancel","params":{"messageId":"{{{Message}}}"}}""", Write(new HostFrame.Cancel("r2", Message)));
        Assert.Equal("""{"type":"request","id":"r4","method":"shutdown","params":{"reason":"archived"}}""", Write(new HostFrame.Shutdown("r4", "archived")));
        Assert.Equal("""{"type":"ack","n":7,"window":{"events":1,"bytes":2}}""", Write(new HostFrame.Ack(7, new(1, 2))));
    }

    private static string Write(HostFrame frame, string? history = null) =>
        Encoding.UTF8.GetString(HostFrameWriter.Write(frame, new(Demo, history, new SessionAccessOptions())).Span);
}
