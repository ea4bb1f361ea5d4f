using System.Text;
using System.Text.Json;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Sessions;

/// <summary>What a discovery becomes, by what was known before it.</summary>
public sealed class EnvironmentTests
{
    private const string Npm = """{"packageManager":"npm","fileCount":3,"commit":"a"}""";
    private const string NpmLater = """{"packageManager":"npm","fileCount":3,"commit":"b"}""";
    private const string Pnpm = """{"packageManager":"pnpm","fileCount":3,"commit":"b"}""";

    [Theory]
    [InlineData(null, Npm, "packageManager,fileCount")]
    [InlineData(Npm, Npm, null)]
    [InlineData(Npm, NpmLater, null)]
    [InlineData(Npm, Pnpm, "packageManager")]
    public void A_first_discovery_is_compared_with_what_the_session_before_knew(string? known, string found, string? changes)
    {
        var session = Booting(known);
        Discover(session, found);
        Assert.Equal(changes, Changes(session));
        Assert.Equal(known is null, session.Shown.Exists(e => e.GetProperty("type").GetString() == "environment.changed" && e.GetProperty("data").TryGetProperty("first", out _)));
    }

    [Fact]
    public void A_later_discovery_is_compared_with_the_session_s_own()
    {
        var session = Booting(Pnpm);
        Discover(session, Npm);
        Discover(session, NpmLater);
        Assert.Equal("packageManager", Changes(session));
        Assert.Single(session.Types, "environment.changed");
        Discover(session, Pnpm);
        Assert.Equal(2, session.Types.Count(t => t == "environment.changed"));
    }

    [Fact]
    public void What_is_known_survives_the_host()
    {
        var session = Booting(Npm);
        session.Crash();
        session.Attach(session.BoxId, 1);
        Discover(session, NpmLater);
        Assert.Null(Changes(session));
    }

    [Fact]
    public void A_discovery_is_kept_for_the_next_session_even_when_it_brings_nothing_new()
    {
        var session = Booting(Npm);
        Discover(session, NpmLater);
        Assert.Equal(NpmLater, session.Discovered?.Json);
        Assert.Equal("https://git.example/acme/widgets", session.Discovered?.Repository);
        Discover(session, NpmLater);
        Assert.Single(session.Journal, r => Encoding.UTF8.GetString(r.Payload.Span).Contains("environmentDetected", StringComparison.Ordinal));
    }

    [Fact]
    public void A_session_without_a_repository_leaves_nothing_to_others()
    {
        var session = SessionDriver.Running();
        Discover(session, Npm);
        Assert.Null(session.Discovered);
    }

    private static SessionDriver Booting(string? known)
    {
        var session = new SessionDriver();
        session.Call(new SessionCommand.Create(SessionDriver.Ada, SessionDriver.Settings with { Repository = new("https://git.example/acme/widgets", null) }, "A session", known));
        session.Prompt("first");
        session.MakeReady();
        return session;
    }

    private static void Discover(SessionDriver session, string environment) => session.Box("environment.detected", null, $$"""{"environment":{{environment}}}""");

    /// <summary>The names in the last event, comma separated; null when there was none.</summary>
    private static string? Changes(SessionDriver session)
    {
        var shown = session.Shown.LastOrDefault(e => e.GetProperty("type").GetString() == "environment.changed");
        return shown.ValueKind == JsonValueKind.Undefined ? null : string.Join(',', shown.GetProperty("data").GetProperty("changes").EnumerateArray().Select(c => c.GetString()));
    }
}
