using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>What the host's program says, and what it leaves, when it cannot do what it was started for.</summary>
public sealed class RefusedStartTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly BuiltPrograms programs = BuiltPrograms.Find();
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("coordinator-refused-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_port_that_is_taken_is_one_sentence_and_nothing_is_started()
    {
        var port = LoopbackPort.Find();
        using var taken = new TcpListener(IPAddress.Loopback, port);
        taken.Start();

        var (code, said) = await RunAsync([.. Serving(), string.Create(CultureInfo.InvariantCulture, $"--Urls=http://127.0.0.1:{port}")]);

        Assert.Equal(1, code);
        Assert.StartsWith("The host cannot listen: ", Assert.Single(said.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Data, "postgres")));
    }

    [Fact]
    public async Task Every_setting_that_cannot_be_read_is_named_without_a_stack()
    {
        var (code, said) = await RunAsync([.. Serving(), "--Database:Hosts:TimeToLive=abc", "--Sessions:Host:CallTimeout=abc", "--Urls=foo"]);

        Assert.Equal(78, code);
        Assert.Equal(4, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length); // that it is wrong, and a line for each
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("restored")]
    public async Task Where_there_is_no_database_none_is_made(string verb)
    {
        var (code, said) = await RunAsync(verb == "backup" ? [verb, Path.Combine(folder.FullName, "copy")] : [verb]);

        Assert.Equal(1, code);
        Assert.StartsWith("There is no database in ", said, StringComparison.Ordinal);
        Assert.Empty(folder.EnumerateFileSystemInfos());
    }

    private string Data => Path.Combine(folder.FullName, "data");

    private string[] Serving() => ["--Demo:Enabled=true", $"--Sandbox:Local:SocketDirectory={Path.Combine(folder.FullName, "run")}", $"--Sandbox:Local:BoxProgram={programs.Box}"];

    private async Task<(int ExitCode, string Said)> RunAsync(string[] words)
    {
        var start = new ProcessStartInfo("dotnet", [programs.Host, .. words]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = folder.FullName };
        foreach (var variable in new[] { "ASPNETCORE_URLS", "URLS", "Urls", "DataDirectory" }) start.Environment.Remove(variable);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Bound);
            return (process.ExitCode, string.Concat(await said));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
