using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What a box can see and touch, tried from inside it.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalIsolationTests : IAsyncLifetime
{
    private const string Canary = "COORDINATOR_TEST_CANARY";

    private readonly LocalRig rig;
    private readonly SandboxSpec spec = Specs.New();

    public LocalIsolationTests()
    {
        Environment.SetEnvironmentVariable(Canary, "secret-of-the-host");
        rig = new(("TmpBytes", "4194304"));
    }

    public async Task InitializeAsync() => await rig.Provider.MakeAsync(spec);

    public async Task DisposeAsync() => await rig.DisposeAsync();

    [Fact]
    public async Task Seen_from_the_host_no_process_of_a_box_is_roots()
    {
        await rig.ReplaceProgramAsync(spec, "sleep 100 & sleep 100 & sleep 100 & wait");
        var expected = Environment.IsPrivilegedProcess ? LocalRig.Uid : Native.EffectiveUser;
        var main = rig.RecordOf(spec).Main!.Pid;
        await LocalRig.WaitUntilAsync("the three", () => ProcessTable.Tree(main, ProcessTable.All()).Count(process => NameOf(process.Pid) == "sleep") == 3);
        Assert.All(ProcessTable.Tree(main, ProcessTable.All()), process => Assert.Equal(expected, UidOf(process.Pid)));
        Assert.Equal(expected, UidOf(rig.RecordOf(spec).Launcher!.Pid));
    }

    [Theory]
    [InlineData("/etc/shadow")]
    [InlineData("/root")]
    [InlineData("/home/agent/../../var/lib")]
    [InlineData("/sys")]
    [InlineData("/tmp/coordinator-test-*")]
    public async Task The_hosts_own_files_are_not_there(string path) => Assert.NotEqual(0, (await rig.RunAsync(spec, $"ls -d {path}")).ExitCode);

    [Fact]
    public async Task It_knows_none_of_the_hosts_users()
    {
        var (_, users) = await rig.RunAsync(spec, "cut -d: -f1 /etc/passwd; id -un; getent hosts localhost >/dev/null && echo localhost");
        Assert.Equal(["root", "agent", "nobody", "agent", "localhost"], users.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task It_has_no_network_but_its_own_loopback()
    {
        var (_, interfaces) = await rig.RunAsync(spec, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
        Assert.Equal("lo", interfaces.Trim());
        Assert.Equal("0", (await rig.RunAsync(spec, "tail -n +2 /proc/net/route | wc -l")).Output.Trim());
    }

    [Fact]
    public async Task Only_the_workspace_the_home_and_tmp_can_be_written()
    {
        string[] writable = ["/workspace", "/home/agent", "/tmp", "/var/tmp", "/dev/shm"];
        string[] closed = ["/", "/usr", "/usr/bin", "/etc", "/opt", "/opt/coordinator", "/run", "/run/coordinator", "/run/coordinator/host", "/home", "/var", "/dev", "/proc"];
        foreach (var directory in writable) Assert.Equal((directory, 0), (directory, (await rig.RunAsync(spec, $"touch {directory}/probe")).ExitCode));
        foreach (var directory in closed) Assert.NotEqual((directory, 0), (directory, (await rig.RunAsync(spec, $"touch {directory}/probe")).ExitCode));
    }

    [Fact]
    public async Task Nothing_of_the_hosts_environment_passes()
    {
        var (_, environment) = await rig.RunAsync(spec, "env; tr '\\0' '\\n' </proc/1/environ");
        Assert.DoesNotContain(Canary, environment, StringComparison.Ordinal);
        string[] allowed =
        [
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "NO_PROXY", "no_proxy", "PWD", "OLDPWD", "SHLVL", "_",
            "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_TERMINAL_PROMPT", "COORDINATOR_SANDBOX", "DOTNET_EnableDiagnostics", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS",
        ];
        Assert.Empty(environment.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=')[0]).Except(allowed));
    }

    [Fact]
    public async Task It_sees_no_process_but_its_own()
    {
        var (_, first) = await rig.RunAsync(spec, "tr '\\0' ' ' </proc/1/cmdline");
        Assert.StartsWith("bwrap", Path.GetFileName(first.Split(' ')[0]), StringComparison.Ordinal);
        var (_, count) = await rig.RunAsync(spec, "ls -d /proc/[0-9]* | wc -l");
        Assert.InRange(int.Parse(count, System.Globalization.CultureInfo.InvariantCulture), 2, 20);
    }

    [Fact]
    public async Task It_cannot_make_namespaces_or_gain_rights()
    {
        Assert.NotEqual(0, (await rig.RunAsync(spec, "unshare --user --map-root-user true")).ExitCode);
        Assert.Equal("1", (await rig.RunAsync(spec, "grep NoNewPrivs /proc/self/status | cut -f2")).Output.Trim());
        Assert.Equal("0000000000000000", (await rig.RunAsync(spec, "grep CapEff /proc/self/status | cut -f2")).Output.Trim());
    }

    [Fact]
    public async Task Its_tmp_is_bounded()
    {
        var (exitCode, output) = await rig.RunAsync(spec, "head -c 8000000 /dev/zero >/tmp/big");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("No space left", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_reaches_the_hosts_socket_and_cannot_replace_it()
    {
        var path = Path.Combine(rig.SocketDirectory, HostSocket.FileName);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        HostSocket.Admit(rig.SocketDirectory, rig.Machine().User);
        var accepting = listener.AcceptAsync();
        Assert.NotEqual(0, (await rig.RunAsync(spec, "rm -f /run/coordinator/host/host.sock")).ExitCode);
        var (exitCode, output) = await rig.RunAsync(spec, "perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new(Peer => \"/run/coordinator/host/host.sock\") ? \"in\" : \"out: $!\"'");
        Assert.Equal((0, "in"), (exitCode, output));
        using var accepted = await accepting.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Its_configuration_is_what_the_protocol_says_and_nobody_elses_to_read()
    {
        var (_, text) = await rig.RunAsync(spec, "cat /run/coordinator/box.json");
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        Assert.Equal("unix:/run/coordinator/host/host.sock", root.GetProperty("endpoint").GetString());
        Assert.Equal(spec.BridgeToken, root.GetProperty("token").GetString());
        Assert.Equal(spec.Sandbox.ToString(), root.GetProperty("sandbox").GetString());
        Assert.Equal(spec.Generation, root.GetProperty("generation").GetInt32());
        Assert.Equal("/workspace", root.GetProperty("workspace").GetString());
        Assert.Equal("/home/agent", root.GetProperty("home").GetString());
        Assert.Equal("/home/agent/.coordinator", root.GetProperty("state").GetString());
        Assert.Equal("/opt/coordinator/agent", root.GetProperty("agents").GetProperty(Specs.Agent).GetString());
        Assert.Equal(60, root.GetProperty("agentStartSeconds").GetInt32());
        Assert.Equal(spec.Resources.DiskBytes, root.GetProperty("diskBytes").GetInt64());
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(rig.Paths.Of(rig.RecordOf(spec).Address).Config));
        Assert.Equal(0, (await rig.RunAsync(spec, "/opt/coordinator/agent")).ExitCode);
    }

    [Fact]
    public async Task No_secret_stands_in_the_record_or_on_a_command_line()
    {
        var files = rig.Paths.Of(rig.RecordOf(spec).Address);
        Assert.DoesNotContain(spec.BridgeToken, await File.ReadAllTextAsync(files.Record), StringComparison.Ordinal);
        foreach (var process in new[] { rig.RecordOf(spec).Launcher!, rig.RecordOf(spec).Main! })
            Assert.DoesNotContain(spec.BridgeToken, await File.ReadAllTextAsync($"/proc/{process.Pid}/cmdline"), StringComparison.Ordinal);
    }

    /// <summary>Empty when the process has ended meanwhile.</summary>
    private static string NameOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }

    private static uint UidOf(int pid) =>
        uint.Parse(File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], System.Globalization.CultureInfo.InvariantCulture);
}
