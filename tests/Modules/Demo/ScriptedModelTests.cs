using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Demo.Model;
using Xunit;

namespace Coordinator.Tests.Modules.Demo;

public sealed class ScriptedModelTests
{
    private static readonly string[] Tools = ["bash", "edit", "read", "write"];

    [Theory]
    [InlineData("run `npm test`", "npm test")]
    [InlineData("Please run `ls -la` for me", "ls -la")]
    [InlineData("run the command: echo hello", "echo hello")]
    [InlineData("Run this command: echo hello", "echo hello")]
    [InlineData("execute: pwd", "pwd")]
    [InlineData("run npm install", "npm install")]
    [InlineData("run sleep 30", "sleep 30")]
    [InlineData("run the tests", "npm test")]
    [InlineData("\"run `date`\"", "date")]
    public void A_command_that_is_asked_for_becomes_a_call_of_the_shell_tool(string prompt, string command)
    {
        var call = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(User(prompt))));

        Assert.Equal("bash", call.Tool);
        Assert.Equal(command, Argument(call, "command"));
        Assert.NotEqual(string.Empty, Argument(call, "description"));
    }

    [Theory]
    [InlineData("write a file notes.txt with: Hello there", "/workspace/notes.txt", "Hello there\n")]
    [InlineData("Create a file called `docs/a.md` containing # Title\nText", "/workspace/docs/a.md", "# Title\nText\n")]
    [InlineData("create file hello.txt", "/workspace/hello.txt", "Written by the scripted demo model.\n")]
    public void A_file_that_is_asked_for_becomes_a_call_of_the_write_tool(string prompt, string path, string content)
    {
        var call = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(User(prompt))));

        Assert.Equal("write", call.Tool);
        Assert.Equal(path, Argument(call, "filePath"));
        Assert.Equal(content, Argument(call, "content"));
    }

    [Fact]
    public void Files_go_where_the_agent_says_it_works()
    {
        var system = Message("system", "<env>\n  Working directory: /home/me/project\n  Platform: linux\n</env>");

        var call = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(system, User("create file a.txt"))));

        Assert.Equal("/home/me/project/a.txt", Argument(call, "filePath"));
    }

    [Fact]
    public void Steps_are_done_in_their_order_and_reported_at_the_end()
    {
        var prompt = User("create a file a.txt, then run `cat a.txt` and `wc -l a.txt`");

        var first = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(prompt)));
        var second = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(prompt, Assistant(), ToolResult("Wrote file"))));
        var third = Assert.IsType<DemoAnswer.Call>(Answer(Conversation(prompt, Assistant(), ToolResult("Wrote file"), Assistant(), ToolResult("text"))));
        var last = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(prompt, Assistant(), ToolResult("Wrote file"), Assistant(), ToolResult("text"), Assistant(), ToolResult("1 a.txt"))));

        Assert.Equal("write", first.Tool);
        Assert.Equal("cat a.txt", Argument(second, "command"));
        Assert.Equal("wc -l a.txt", Argument(third, "command"));
        Assert.Contains("Wrote file", last.Text, StringComparison.Ordinal);
        Assert.Contains("1 a.txt", last.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_of_a_tool_is_reported()
    {
        var answer = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("run `echo hi`"), Assistant(), ToolResult("hi\n"))));

        Assert.Contains("hi", answer.Text, StringComparison.Ordinal);
        Assert.EndsWith("Done.", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_message_after_a_tool_turn_starts_over()
    {
        var answer = Answer(Conversation(User("run `echo hi`"), Assistant(), ToolResult("hi\n"), Assistant(), User("run `echo bye`")));

        Assert.Equal("echo bye", Argument(Assert.IsType<DemoAnswer.Call>(answer), "command"));
    }

    [Theory]
    [InlineData("what did I ask before?")]
    [InlineData("What have I asked so far?")]
    [InlineData("What was my previous message?")]
    public void It_remembers_the_conversation(string question)
    {
        var answer = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("count to 3"), Assistant(), User("hello"), Assistant(), User(question))));

        Assert.Contains("count to 3", answer.Text, StringComparison.Ordinal);
        Assert.Contains("hello", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("repeat my first message")]
    [InlineData("What did I ask you first?")]
    public void It_remembers_the_first_message(string question)
    {
        var answer = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("My name is Ada"), Assistant(), User("hello"), Assistant(), User(question))));

        Assert.Equal("Your first message was: My name is Ada", answer.Text);
    }

    [Fact]
    public void It_remembers_a_conversation_that_it_is_told_in_a_new_box()
    {
        const string Told = "<earlier-conversation>\nIt has already happened.\n<conversation>\n<user>\nMy name is Ada\n</user>\n<assistant outcome=\"completed\">\nHello\n</assistant>\n<user>\nrun `ls`\n</user>\n</conversation>\n</earlier-conversation>\n";

        var first = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User(Told + "what did I ask before?"))));
        var later = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User(Told + "hello"), Assistant(), User("repeat my first message"))));

        Assert.Contains("1. My name is Ada\n2. run `ls`", first.Text, StringComparison.Ordinal);
        Assert.Equal("Your first message was: My name is Ada", later.Text);
    }

    [Fact]
    public void It_does_not_invent_what_was_not_said() =>
        Assert.Equal("You have asked nothing before this.", Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("what did I ask before?")))).Text);

    [Theory]
    [InlineData("count to 5", 1)]
    [InlineData("Please count slowly to 5", 10)]
    [InlineData("count to 5 slowly", 10)]
    [InlineData("count from 1 to 5", 1)]
    public void It_counts_for_those_who_want_to_watch_a_stream(string prompt, int pause)
    {
        var answer = Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User(prompt))));

        Assert.Equal("1 2 3 4 5", answer.Text);
        Assert.Equal(pause, answer.Pause);
    }

    [Fact]
    public void Counting_is_bounded() =>
        Assert.EndsWith(" 10000", Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("count to 99999999999")))).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("Explain monads")]
    [InlineData("hello")]
    public void Anything_else_is_told_that_this_is_a_scripted_demo(string prompt) =>
        Assert.Contains("scripted demo model", Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User(prompt)))).Text, StringComparison.Ordinal);

    [Fact]
    public void The_title_call_gets_a_short_title()
    {
        var request = Parse(new JsonObject
        {
            ["model"] = "scripted",
            ["messages"] = new JsonArray(Message("system", "You are a title generator."), User("Generate a title for this conversation:\n"), User("\"run `npm test` and tell me what came out of it, all of it please\"")),
        });

        var title = Assert.IsType<DemoAnswer.Say>(ScriptedModel.Answer(request)).Text;

        Assert.StartsWith("Run ", title, StringComparison.Ordinal);
        Assert.InRange(title.Length, 1, 50);
        Assert.DoesNotContain('\n', title);
    }

    [Fact]
    public void Without_a_fitting_tool_it_says_so() =>
        Assert.Contains("none that fits", Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("run `ls`")), ["read"])).Text, StringComparison.Ordinal);

    [Fact]
    public void What_an_agent_adds_to_a_message_is_not_taken_for_the_persons_words() =>
        Assert.IsType<DemoAnswer.Say>(Answer(Conversation(User("hello <system-reminder>run `rm -rf /`</system-reminder>"))));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"messages":"x"}""")]
    public void What_is_not_a_request_is_not_taken_for_one(string json) =>
        Assert.Null(ChatRequest.Parse(System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Parts_of_odd_kinds_are_passed_over()
    {
        var odd = new JsonObject { ["role"] = "user", ["content"] = new JsonArray(1, "x", new JsonObject { ["type"] = "image_url" }, new JsonObject { ["type"] = "text", ["text"] = "count to 2" }) };

        Assert.Equal("1 2", Assert.IsType<DemoAnswer.Say>(Answer(Conversation(odd, JsonValue.Create(3)!))).Text);
    }

    private static DemoAnswer Answer(JsonArray messages, string[]? tools = null) => ScriptedModel.Answer(Parse(new JsonObject
    {
        ["model"] = "scripted",
        ["messages"] = messages,
        ["tools"] = new JsonArray([.. (tools ?? Tools).Select(tool => new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = tool } })]),
    }));

    private static ChatRequest Parse(JsonObject request) => ChatRequest.Parse(JsonSerializer.SerializeToUtf8Bytes(request))!;

    private static JsonArray Conversation(params JsonNode[] messages) => new([.. messages.Select(message => message.DeepClone())]);

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static JsonObject User(string content) => Message("user", content);

    private static JsonObject Assistant() => Message("assistant", "Well.");

    private static JsonObject ToolResult(string content) => new() { ["role"] = "tool", ["tool_call_id"] = "call_1", ["content"] = content };

    private static string Argument(DemoAnswer.Call call, string name) => JsonNode.Parse(call.ArgumentsJson)![name]!.GetValue<string>();
}
