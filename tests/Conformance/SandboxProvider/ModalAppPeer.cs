using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Conformance.Architecture;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>The Modal app's Python, running, and the real adapter connected to it. Its standard input is a hand inside its boxes.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ModalAppPeer(string module) : ISandboxRig
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ModalRig rig = new();
    private Process? app;

    public ISandboxProvider Provider => rig.Provider;

    public Uri Url { get; private set; } = new("http://127.0.0.1:0");

    public async Task StartAsync()
    {
        app = Python("-m", module, $"{ModalRig.KeyId}={ModalRig.Secret}");
        var port = await app.StandardOutput.ReadLineAsync().WaitAsync(Bound);
        if (port is null) throw new InvalidOperationException(await app.StandardError.ReadToEndAsync().WaitAsync(Bound));
        Url = new($"http://127.0.0.1:{port}");
        rig.Connect(Url);
    }

    public async ValueTask<int> StartsOfAsync(SandboxSpec spec) => int.Parse(await AskAsync($"starts {spec.Sandbox}"), CultureInfo.InvariantCulture);

    public async ValueTask EndFromInsideAsync(SandboxSpec spec, int exitCode) => await AskAsync(string.Create(CultureInfo.InvariantCulture, $"end {spec.Sandbox} {exitCode}"));

    public async ValueTask WriteAsync(SandboxSpec spec, string file, string text) => await AskAsync($"write {spec.Session} {file} {text}");

    public async ValueTask<string?> ReadAsync(SandboxSpec spec, string file) => await AskAsync($"read {spec.Session} {file}") is ['=', .. var text] ? text : null;

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            app.StandardInput.Close();
            await app.WaitForExitAsync().WaitAsync(Bound);
            app.Dispose();
        }

        await rig.DisposeAsync();
    }

    /// <summary>Python as Debian has it, in the app's folder, leaving nothing behind in it.</summary>
    public static Process Python(params string[] arguments)
    {
        var start = new ProcessStartInfo("python3") { WorkingDirectory = Path.Combine(House.Root, "deploy", "modal"), RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-B");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("python3 did not start.");
    }

    private async Task<string> AskAsync(string line)
    {
        await app!.StandardInput.WriteLineAsync(line);
        await app.StandardInput.FlushAsync();
        return await app.StandardOutput.ReadLineAsync().WaitAsync(Bound) ?? throw new InvalidOperationException($"The app ended at '{line}'.");
    }
}
