using System.Collections.Concurrent;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes.Compute;

/// <summary>The disk of scripted agents: their conversations outlive their processes, per home directory.</summary>
public sealed class ScriptedAgentStore
{
    private readonly ConcurrentDictionary<(string Home, string Id), ScriptedConversation> conversations = new();
    private readonly ConcurrentQueue<AgentPrompt> prompts = new();
    private int created;

    /// <summary>Every prompt that any agent has taken, in order.</summary>
    public IReadOnlyList<AgentPrompt> Prompts => [.. prompts];

    internal ScriptedConversation Create(string home)
    {
        var conversation = new ScriptedConversation($"conversation-{Interlocked.Increment(ref created)}");
        conversations[(home, conversation.Id)] = conversation;
        return conversation;
    }

    internal ScriptedConversation? Find(string home, string id) => conversations.GetValueOrDefault((home, id));

    internal void Took(AgentPrompt prompt) => prompts.Enqueue(prompt);
}

/// <summary>What was said to a scripted agent in one conversation, the told history first.</summary>
public sealed class ScriptedConversation(string id)
{
    public string Id { get; } = id;

    public List<string> UserTexts { get; } = [];

    /// <summary>The number of turns so far; part and call ids are made of it.</summary>
    public int Turns { get; internal set; }
}
