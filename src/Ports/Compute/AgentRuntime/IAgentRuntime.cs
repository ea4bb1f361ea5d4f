namespace Coordinator.Ports.Compute;

/// <summary>
/// Drives a coding agent inside the box. Shaped like the Agent Client Protocol: open a session, prompt, follow updates
/// until the turn ends, answer permission questions, cancel. One agent process, one conversation at a time.
/// </summary>
[Port(Plane.Compute, InBox = true)]
public interface IAgentRuntime : IAsyncDisposable
{
    /// <summary>The agent's name in settings, such as <c>opencode</c>.</summary>
    string Name { get; }

    /// <summary>Starts the process and returns when it can take calls.</summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Unavailable"/>: it ended or could not start, with its last output.
    /// <see cref="PortFailureKind.Timeout"/>: not ready in <see cref="AgentLaunch.StartTimeout"/>; it has been killed.
    /// </exception>
    ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken);

    /// <summary>
    /// Resumes the conversation <paramref name="resumeId"/> when the agent's store still has it; otherwise opens a new
    /// one, and says so.
    /// </summary>
    ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken);

    /// <summary>
    /// Runs one turn. The updates end with exactly one <see cref="AgentUpdate.TurnEnded"/>, whatever happens to the
    /// agent (a crash is an outcome, not an exception), after its text was reconciled with the agent's own store: what
    /// was streamed is a prefix of, or equal to, what is stored. A turn whose updates are no longer taken (the enumeration
    /// is left) is stopped.
    /// </summary>
    IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, CancellationToken cancellationToken);

    /// <summary>
    /// Asks the agent to stop its turn; the turn's updates then end as cancelled. Idempotent. A turn runs from when its
    /// first update was asked for: a cancel that comes before is not kept for it.
    /// </summary>
    ValueTask CancelAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Answers a question once. Never more than this one time: grants are the control plane's. A question that is no
    /// longer open needs no answer: then it does nothing.
    /// </summary>
    ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken);

    /// <summary>Completes when the agent's process ends, with its exit code and last output.</summary>
    Task<AgentExit> Exited { get; }

    /// <summary>The process id of the agent, for cancelling its tools' process trees; 0 before start.</summary>
    int ProcessId { get; }
}

/// <summary>
/// How to start an agent. <see cref="Environment"/> is its whole environment but for what the runtime adds.
/// <see cref="ModelBaseUrl"/> is the loopback route to the model gateway, to which <c>/{provider}</c> and the wire's
/// path are added.
/// </summary>
public sealed record AgentLaunch(
    string Executable,
    string WorkingDirectory,
    string HomeDirectory,
    IReadOnlyDictionary<string, string> Environment,
    Uri ModelBaseUrl,
    AgentModel Model,
    bool AskPermissions,
    TimeSpan StartTimeout);

/// <summary>A model as the agent must address it. <see cref="Provider"/> is the text before the first slash of the full name.</summary>
public sealed record AgentModel(string Provider, string Model, ModelWire Wire, int ContextTokens, int OutputTokens)
{
    /// <summary><c>provider/model</c>, as people write it.</summary>
    public string FullName => $"{Provider}/{Model}";
}

/// <summary>Which protocol a model provider speaks.</summary>
public enum ModelWire
{
    /// <summary><c>POST /chat/completions</c></summary>
    OpenAiChat,
    /// <summary><c>POST /responses</c></summary>
    OpenAiResponses,
    /// <summary><c>POST /messages</c></summary>
    AnthropicMessages,
}

/// <summary>What runs: the agent's name and its own version.</summary>
public sealed record AgentInfo(string Name, string Version);

/// <summary><see cref="Resumed"/> is false when the conversation is new, so that its history must be told.</summary>
public sealed record AgentConversation(string Id, bool Resumed);

/// <summary>One turn. <see cref="History"/> is told to a new conversation before <see cref="Text"/>; null: it knows.</summary>
public sealed record AgentPrompt(string Text, AgentModel Model, string? History);

/// <summary>How the agent's process ended, and the end of what it wrote, secrets taken out.</summary>
public sealed record AgentExit(int ExitCode, string LastOutput);

/// <summary>What an agent does, in the order it does it. Offsets count UTF-16 units.</summary>
public abstract record AgentUpdate
{
    private AgentUpdate()
    {
    }

    /// <summary>Text appended to part <paramref name="Part"/> at <paramref name="Offset"/>. A lower offset than the part's length replaces from there.</summary>
    public sealed record Text(string Part, int Offset, string Delta) : AgentUpdate;

    /// <summary>As <see cref="Text"/>, for what the model thinks aloud.</summary>
    public sealed record Reasoning(string Part, int Offset, string Delta) : AgentUpdate;

    /// <summary>A tool begins. <paramref name="InputJson"/> is a JSON object.</summary>
    public sealed record ToolStarted(string CallId, string Tool, string? Title, string InputJson) : AgentUpdate;

    /// <summary>The whole output so far; the bridge makes deltas of it.</summary>
    public sealed record ToolOutput(string CallId, string OutputSoFar) : AgentUpdate;

    /// <summary>A tool's end. <paramref name="Truncated"/>: the agent itself left a part of the output out, and <paramref name="Output"/> is what it kept.</summary>
    public sealed record ToolCompleted(string CallId, string Tool, string? Title, string InputJson, string Output, int? ExitCode, TimeSpan Duration, bool Truncated) : AgentUpdate;

    /// <summary>A tool's end without a result; <paramref name="Error"/> says why.</summary>
    public sealed record ToolFailed(string CallId, string Tool, string? Title, string InputJson, string Error, TimeSpan Duration) : AgentUpdate;

    /// <summary>The whole plan as it now is; replaces the one before.</summary>
    public sealed record Plan(IReadOnlyList<PlanEntry> Entries) : AgentUpdate;

    /// <summary><paramref name="Path"/> is relative to the workspace.</summary>
    public sealed record FileChanged(string Path, FileChange Change) : AgentUpdate;

    /// <summary><paramref name="Patterns"/> are what is asked for, such as the command line. <paramref name="DetailJson"/> is a JSON object or null.</summary>
    public sealed record PermissionAsked(string PermissionId, string? CallId, string Permission, IReadOnlyList<string> Patterns, string? Title, string? DetailJson) : AgentUpdate;

    /// <summary>The agent waits for its model provider and will try again.</summary>
    public sealed record Retrying(int Attempt, string Reason, DateTimeOffset? NextAt) : AgentUpdate;

    /// <summary>The turn's end, after which nothing of it comes. <paramref name="Code"/> and <paramref name="Detail"/> say why it failed, and are null otherwise.</summary>
    public sealed record TurnEnded(TurnOutcome Outcome, string? Code, string? Detail, AgentTokens Tokens) : AgentUpdate;
}

/// <summary>How a turn ended.</summary>
public enum TurnOutcome
{
    /// <summary>The agent was done.</summary>
    Completed,
    /// <summary>It was told to stop, and did.</summary>
    Cancelled,
    /// <summary>It could not go on.</summary>
    Failed,
}

/// <summary>What became of a file.</summary>
public enum FileChange
{
    /// <summary>It was not there before.</summary>
    Created,
    /// <summary>Its content is another.</summary>
    Modified,
    /// <summary>It is gone.</summary>
    Deleted,
}

/// <summary>One line of an agent's plan; status is <c>pending</c>, <c>in_progress</c>, <c>completed</c> or <c>cancelled</c>.</summary>
public sealed record PlanEntry(string Content, string Status, string? Priority);

/// <summary>The agent's own count; informative, the gateway's metering is what is charged.</summary>
public sealed record AgentTokens(long Input, long Output, long Reasoning, long CacheRead, long CacheWrite, decimal CostUsd)
{
    /// <summary>Nothing was used.</summary>
    public static AgentTokens None { get; } = new(0, 0, 0, 0, 0, 0m);
}
