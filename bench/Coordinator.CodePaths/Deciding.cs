using BenchmarkDotNet.Attributes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.CodePaths;

/// <summary>What a command does to a session, decided and folded in.</summary>
[MemoryDiagnoser]
public class Deciding
{
    private static readonly SessionCommand.Prompt Command = SampleSession.Prompt(2);

    private SessionState idle = null!;

    /// <summary>A session whose first turn is over.</summary>
    [GlobalSetup]
    public void Begin()
    {
        var session = new SampleSession();
        session.EndTurn();
        idle = session.Fold();
    }

    /// <summary>A prompt to a session with a ready box.</summary>
    [Benchmark]
    public SessionState APrompt()
    {
        var turn = new Turn(idle, SampleSession.Now, SessionLimits.Default);
        var answer = Decider.Decide(turn, Command, SampleSession.Tokens);
        return answer.IsSuccess ? turn.State : throw new InvalidOperationException(answer.Problem.Detail);
    }

    /// <summary>The whole view of a session, as clients are shown it.</summary>
    [Benchmark]
    public int TheView() => ((SessionReply.View)Decider.Decide(new(idle, SampleSession.Now, SessionLimits.Default), new SessionCommand.GetView(), SampleSession.Tokens).Value).Session.Json.Length;
}
