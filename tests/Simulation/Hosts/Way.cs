using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>What lies between one host and something that it talks to. It may be cut, in both directions or in one.</summary>
internal sealed class Way(SimWorld world)
{
    private TimeSpan requestsLostUntil;
    private TimeSpan answersLostUntil;

    public bool TakesRequests => world.Now >= requestsLostUntil;

    public bool BringsAnswers => world.Now >= answersLostUntil;

    /// <summary>When what is sent now arrives at the earliest, where nothing is lost but waits: frames of a socket.</summary>
    public TimeSpan RequestsFrom => requestsLostUntil;

    public TimeSpan AnswersFrom => answersLostUntil;

    public bool IsWhole => TakesRequests && BringsAnswers;

    /// <summary>When it was, or will be, whole again.</summary>
    public TimeSpan WholeSince => requestsLostUntil > answersLostUntil ? requestsLostUntil : answersLostUntil;

    public void Cut(TimeSpan span, CutKind kind)
    {
        if (kind != CutKind.Answers) requestsLostUntil = Later(requestsLostUntil, world.Now + span);
        if (kind != CutKind.Requests) answersLostUntil = Later(answersLostUntil, world.Now + span);
    }

    public void Heal() => (requestsLostUntil, answersLostUntil) = (Sooner(requestsLostUntil), Sooner(answersLostUntil));

    private TimeSpan Sooner(TimeSpan until) => until < world.Now ? until : world.Now;

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

/// <summary>What of it is lost.</summary>
internal enum CutKind
{
    Both,

    /// <summary>Nothing that the host sends arrives.</summary>
    Requests,

    /// <summary>What the host sends arrives and is done; it hears nothing of it.</summary>
    Answers,
}
