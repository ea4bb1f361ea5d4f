namespace Coordinator.Adapters.OpenCode.Launch;

/// <summary>
/// A module that OpenCode imports before any other that is not built in, and that then shuts the door: no other module
/// is loaded, no child inherits the server's password, and no other process of the box can read it from the server's.
/// </summary>
/// <remarks>
/// OpenCode 1.18 imports the plugins it finds in the workspace (<c>.opencode/plugin</c>, and what an
/// <c>opencode.json</c> there names), and no switch of its own prevents it. It imports those of its configuration
/// directory first, one after the other; so the guard lies there, and nothing else does (<see cref="OpenCodeHome"/>).
/// It says so on the error stream when it is in place; without that word the agent does not start.
/// </remarks>
internal static class OpenCodeGuard
{
    /// <summary>Where it lies below the configuration directory.</summary>
    public const string FileName = "plugin/coordinator-guard.js";

    /// <summary>What the server prints once the guard is in place.</summary>
    public const string Word = "coordinator: the guard is in place";

    /// <summary>
    /// Who runs boxes without isolation finds their processes by their environment, so there they stay readable; every
    /// process of the same user is as powerful as the agent there anyway.
    /// </summary>
    public const string Script = $$"""
        // Written anew at every start; changes are lost.
        import { plugin } from "bun";
        import { dlopen } from "bun:ffi";

        const empty = { contents: "export default null", loader: "js" };
        plugin({
          name: "coordinator-guard",
          setup(build) {
            build.onLoad({ filter: /^(?!\/\$bunfs\/)/ }, () => empty);
          },
        });

        delete process.env.OPENCODE_SERVER_PASSWORD;

        if (!process.env.COORDINATOR_UNISOLATED) {
          const setDumpable = 4;
          const { prctl } = dlopen("libc.so.6", { prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" } }).symbols;
          if (prctl(setDumpable, 0, 0, 0, 0) !== 0) throw new Error("prctl failed");
        }

        console.error("{{Word}}");
        export default null;
        """;
}
