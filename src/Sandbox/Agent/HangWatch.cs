namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Tells a hung agent from a busy one. Silence alone says nothing: a tool may run for an hour without a word, a model
/// may think, a person may take their time over a question. Hung is an agent that waits for none of these and still
/// says nothing.
/// </summary>
internal sealed class HangWatch(TimeSpan limit, TimeProvider time)
{
    private readonly Lock gate = new();
    private long lastSign = time.GetTimestamp();
    private int openTools;
    private int openQuestions;

    public static TimeSpan DefaultLimit { get; } = TimeSpan.FromMinutes(5);

    public void Sign() => Change(0, 0);

    public void ToolOpened() => Change(1, 0);

    public void ToolClosed() => Change(-1, 0);

    public void QuestionOpened() => Change(0, 1);

    public void QuestionClosed() => Change(0, -1);

    /// <param name="modelCalls">Calls the model has not finished answering.</param>
    public bool IsHung(int modelCalls)
    {
        lock (gate)
        {
            if (openTools > 0 || openQuestions > 0 || modelCalls > 0) lastSign = time.GetTimestamp();
            return time.GetElapsedTime(lastSign) >= limit;
        }
    }

    private void Change(int tools, int questions)
    {
        lock (gate)
        {
            openTools = Math.Max(0, openTools + tools);
            openQuestions = Math.Max(0, openQuestions + questions);
            lastSign = time.GetTimestamp();
        }
    }
}
