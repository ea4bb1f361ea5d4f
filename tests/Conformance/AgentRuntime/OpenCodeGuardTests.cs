using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>What the guard in OpenCode keeps out and keeps in, on the real one.</summary>
[Collection(RealAgentHarness.OneAtATime)]
public sealed class OpenCodeGuardTests(OpenCodeHarness harness) : OpenCodeGuardContract(harness), IClassFixture<OpenCodeHarness>;

/// <summary>
/// The same over the Agent Client Protocol, which has no step in which to wait for the guard: a tool of the very first
/// turn may come before it (ADR 14), one of a later turn does not.
/// </summary>
[Collection(RealAgentHarness.OneAtATimeOverAcp)]
public sealed class OpenCodeOverAcpGuardTests(AcpHarness harness) : OpenCodeGuardContract(harness), IClassFixture<AcpHarness>
{
    protected override bool IsWaitedFor => false;
}

/// <summary>Every way in that OpenCode 1.18 has for a module that is not built in; without the guard most of these run.</summary>
public abstract class OpenCodeGuardContract(RealAgentHarness harness)
{
    /// <summary>Where a module lies, and the name of the file it writes when it is loaded.</summary>
    private static readonly (string Path, string Trace)[] Modules =
    [
        ("workspace/.opencode/plugin/evil.js", "plugin"),
        ("workspace/.opencode/plugins/evil.ts", "plugins"),
        ("workspace/.opencode/tool/evil.js", "tool"),
        ("workspace/named.js", "named"),
        (".config/opencode/plugin/a.js", "own-plugin"),
        (".config/opencode/tool/evil.js", "own-tool"),
        (".opencode/tool/evil.js", "home-tool"),
    ];

    /// <summary>True when the agent is not prompted before the guard is in place.</summary>
    protected virtual bool IsWaitedFor => true;

    [Fact]
    public async Task No_module_of_a_repository_or_of_an_earlier_tool_is_loaded_into_the_agent()
    {
        var home = harness.NewHome();
        foreach (var (path, trace) in Modules) Plant(home, path, trace);
        await File.WriteAllTextAsync(Path.Combine(home, "workspace", "opencode.json"), """{ "plugins": ["./named.js"] }""");
        await File.WriteAllTextAsync(Path.Combine(home, "workspace", "bunfig.toml"), """preload = ["./named.js"]""");

        var turn = await TurnAsync(home, "@run true");

        Assert.Equal(TurnOutcome.Completed, turn.Ended.Outcome);
        turn.Single<AgentUpdate.ToolCompleted>();
        Assert.Empty(Directory.GetFiles(home, "ran-*").Select(Path.GetFileName));
    }

    /// <summary>The tool runs as the agent's user; started as root it gives root's rights away, which no tool in a box has.</summary>
    [Fact]
    public async Task A_tool_finds_the_servers_password_neither_in_its_environment_nor_in_the_servers()
    {
        var turn = await TurnAsync(harness.NewHome(), "@run env; $(test $(id -u) = 0 && echo setpriv --bounding-set=-all) cat /proc/$PPID/environ /proc/$PPID/mem");

        var output = turn.Single<AgentUpdate.ToolCompleted>().Output;
        Assert.Contains("OPENCODE_PURE=1", output, StringComparison.Ordinal);
        Assert.DoesNotContain("OPENCODE_SERVER_PASSWORD", output, StringComparison.Ordinal);
        Assert.Contains("/environ: Permission denied", output, StringComparison.Ordinal);
        Assert.Contains("/mem: Permission denied", output, StringComparison.Ordinal);
    }

    private static void Plant(string home, string path, string trace)
    {
        var file = Path.Combine(home, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $$"""
            import { writeFileSync } from "fs";
            writeFileSync("{{Path.Combine(home, $"ran-{trace}")}}", "");
            export default { id: "{{trace}}", description: "", args: {}, setup() {}, async execute() { return ""; } };
            """);
    }

    private async Task<RecordedTurn> TurnAsync(string home, string text)
    {
        var runtime = await harness.StartAsync(home);
        await runtime.OpenAsync(null, CancellationToken.None);
        if (!IsWaitedFor) await RecordedTurn.OfAsync(runtime, new AgentPrompt("@run true", AgentRuntimeHarness.Model, null));
        return await RecordedTurn.OfAsync(runtime, new AgentPrompt(text, AgentRuntimeHarness.Model, null));
    }
}
