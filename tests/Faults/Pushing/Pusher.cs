using System.Globalization;
using System.Text.Json;
using Coordinator.Fakes.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Git;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Pushing;

/// <summary>
/// An agent that commits and pushes in its box, again and again, as the only one who pushes: real git with the box program as
/// its credential helper, the host's route, the world's source control, and a real git server over TLS.
/// </summary>
/// <param name="renew">Has the world's source control give out a new token, where it does not mint one by itself.</param>
internal sealed class Pusher(Func<string, ValueTask>? renew = null)
{
    private const string Branch = "main";
    private const string Others = "Somebody else's";

    private readonly PushTokens tokens = new();
    private readonly List<string> asked = [];
    private Skeleton world = null!;
    private GitHttpServer git = null!;
    private string name = "";
    private string url = "";
    private BoxWay way = null!;
    private int commits;
    private bool rebases;
    private bool isStale = true;
    /// <summary>A token is to expire in a push, and no push has come since.</summary>
    private bool awaitsPush;

    /// <summary>What a token of now is.</summary>
    public PushTokens Tokens => tokens;

    /// <summary>Makes the repository, and a session over it whose agent pushes when it is asked to.</summary>
    /// <param name="from">The address boxes find the server at.</param>
    public async ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton prepared, GitHttpServer server, Uri from, string repository)
    {
        (world, git, name, url) = (prepared, server, repository, new Uri(from, repository).AbsoluteUri);
        await git.AddRepositoryAsync(name, (Branch, new Dictionary<string, byte[]> { ["readme"] = "Hello."u8.ToArray() }));
        git.Knows = tokens.Knows;
        way = new(world.Keep(await BoxDoor.OpenAsync(world)).Address, git.Certificates);
        world.Repository = new(url, null);
        world.Script = (conversation, prompt) => prompt.Text == "@push" ? Push() : DirectiveScript.Play(conversation, prompt);
        return PushAsync;
    }

    /// <summary>Somebody else was quicker.</summary>
    public async ValueTask OvertakeAsync() => await git.PushAsync(name, Branch, Others);

    /// <summary>The token that git has been given is good for nothing when it asks the next time.</summary>
    public void Expire()
    {
        tokens.Expire();
        isStale = true;
    }

    /// <summary>It is good when a push begins, and no more when what is pushed arrives.</summary>
    public void ExpireInPush()
    {
        awaitsPush = true;
        git.Asked = call =>
        {
            if (!IsPush(call)) return;
            Expire();
            awaitsPush = false;
        };
    }

    /// <summary>What is pushed arrives, and nobody hears of it.</summary>
    public void LoseAnswer() => git.LosesAnswerTo = IsPush;

    /// <summary>The host is well again, and the agent works on top of what it finds there.</summary>
    public void Mend() => (git.Asked, git.LosesAnswerTo, rebases) = (_ => { }, _ => false, true);

    /// <summary>Everything that was ever committed is there, once, and so is what somebody else had pushed.</summary>
    public async ValueTask HoldsAsync()
    {
        Assert.False(awaitsPush, "No push met the token that expires within it.");
        var there = await git.SubjectsAsync(name, Branch);
        Assert.Equal(Enumerable.Range(1, commits).Select(Work), there.Where(subject => subject.StartsWith("Work ", StringComparison.Ordinal)).Reverse());
        Assert.InRange(there.Count(subject => subject == Others), 0, 1);
        Assert.Equal(asked.Count, world.Watch.Seen.Count(happened => happened.Type == "tool.completed"));
        git.Reset();
    }

    private static bool IsPush(string call) => call.StartsWith("POST ", StringComparison.Ordinal) && call.EndsWith("/git-receive-pack", StringComparison.Ordinal);

    private static string Work(int number) => string.Create(CultureInfo.InvariantCulture, $"Work {number}");

    private IEnumerable<ScriptedStep> Push()
    {
        var command = $"(set -e; [ -d work ] || git clone -q '{url}' work; cd work; git commit -q --allow-empty -m '{Work(++commits)}'; git fetch -q; {(rebases ? "git rebase -q origin/main; " : "")}git push -q origin HEAD:{Branch})";
        // What a tool could read, it could tell.
        var leak = "(env; cat /dev/null $(find . -type f)) | grep -q canary && echo A secret is within reach.";
        return [new ScriptedStep.DoTool("bash", $$"""{"command":{{JsonSerializer.Serialize(command)}}}""", cancellation => world.RunInBoxAsync(way, $"{command}; status=$?; {leak}; exit $status", cancellation)), new ScriptedStep.Say("That was it.")];
    }

    /// <summary>Has the agent push; what a user sees of it.</summary>
    private async ValueTask<string> PushAsync()
    {
        if (isStale && renew is not null) await renew(tokens.Mint());
        isStale = false;
        var message = (await world.PromptAsync("@push")).ToString();
        asked.Add(message);
        var end = await world.Watch.FirstAsync(happened => happened.Message == message && happened.Type is "message.completed" or "message.failed" or "message.cancelled");
        Assert.Equal("message.completed", end.Type);
        var tool = Assert.Single(world.Watch.Seen, happened => happened.Type == "tool.completed" && happened.Message == message);
        var output = tool.Text("output")!;
        Assert.DoesNotContain("A secret is within reach.", output, StringComparison.Ordinal);
        if (tool.Data.GetProperty("exitCode").GetInt32() == 0) return "ok";
        string[] known = ["non-fast-forward", "HTTP 401", "hung up unexpectedly"];
        return known.Where(words => output.Contains(words, StringComparison.Ordinal)).Select(words => $"git: {words}").FirstOrDefault() ?? output;
    }
}
