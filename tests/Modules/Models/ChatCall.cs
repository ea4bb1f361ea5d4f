namespace Coordinator.Tests.Modules.Models;

/// <summary>A call of a chat model, and how its streamed answer ends.</summary>
internal static class ChatCall
{
    public const string ChatPath = "model/v1/acme/chat/completions";
    public const string Usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500}}\n\n";
    public const string Done = "data: [DONE]\n\n";
}
