using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Coordinator.Bench.Measuring;
using Coordinator.Client;

namespace Coordinator.Bench.Driving;

/// <summary>A box that the host wants: the driver dials back in its place.</summary>
internal sealed record BoxGrant(string Sandbox, int Generation, string Token);

/// <summary>What the host says of its memory: live managed bytes, sessions in memory, bytes allocated since it started.</summary>
internal sealed record HostMemory(long Managed, int Sessions, long Allocated);

/// <summary>What a host's database has done since it began: commits, bytes of write-ahead log, bytes of the journal's records.</summary>
internal sealed record JournalStanding(long Commits, long WalBytes, long TableBytes);

/// <summary>A host as a child process with a data directory of its own, both gone when this is disposed.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly IReadOnlyList<string> command;
    private readonly string data;
    private readonly TaskCompletionSource<Uri> invited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<BoxGrant> boxes = Channel.CreateUnbounded<BoxGrant>(); // as many as sessions with work
    private readonly Channel<HostMemory> memory = Channel.CreateUnbounded<HostMemory>();
    private readonly Channel<JournalStanding> journal = Channel.CreateUnbounded<JournalStanding>();
    private readonly Channel<string> database = Channel.CreateUnbounded<string>();
    private readonly Channel<int> looks = Channel.CreateUnbounded<int>();
    private readonly ConcurrentQueue<string> said = new();
    private readonly Task reading;
    private Owner? owner;

    private HostProcess(Process process, IReadOnlyList<string> command, string data)
    {
        (this.process, this.command, this.data) = (process, command, data);
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public int Id => process.Id;

    public Uri Url { get; private set; } = new("http://127.0.0.1");

    public string ApiKey { get; private set; } = string.Empty;

    /// <summary>The one-time secret of the sign-in link that it printed.</summary>
    public string Link { get; private set; } = string.Empty;

    /// <summary>Who signed in by the link of a host that began with nothing.</summary>
    public Owner Owner => owner ?? throw new InvalidOperationException("Nobody signed in.");

    /// <summary>From the start of the process to the sign-in link, when everything is served.</summary>
    public TimeSpan Startup { get; private set; }

    /// <summary>This program again, in another role.</summary>
    public static Task<HostProcess> StartRoleAsync(string role, params IEnumerable<string> settings) =>
        StartAsync([Environment.ProcessPath!, role, .. settings], Directory.CreateTempSubdirectory("coordinator-bench-").FullName);

    /// <summary>This program as one of several hosts, at an address that the others know. Nobody signs in: <see cref="Link"/> is for that.</summary>
    public static Task<HostProcess> StartPeerAsync(Uri at, IEnumerable<string> settings) =>
        StartAsync([Environment.ProcessPath!, "serve", .. settings, $"--Cluster:Address={at.GetLeftPart(UriPartial.Authority)}"], Directory.CreateTempSubdirectory("coordinator-bench-").FullName, at);

    /// <param name="at">Where it listens, and then nobody signs in: who knows the address has a key, or gets one. Null: where there is room.</param>
    public static async Task<HostProcess> StartAsync(IReadOnlyList<string> command, string data, Uri? at = null)
    {
        var began = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), $"--DataDirectory={data}", $"--Urls={(at ?? FreeAddress()).GetLeftPart(UriPartial.Authority)}", "--Demo:Enabled=true", $"--Sandbox:Local:SocketDirectory={data}/run", "--Sandbox:Local:BoxProgram=/bin/true", "--Sandbox:Local:Agents:opencode=/bin/true"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var host = new HostProcess(Process.Start(start) ?? throw new InvalidOperationException("The host did not start."), command, data);
        try
        {
            if (await Task.WhenAny(host.invited.Task, host.reading).WaitAsync(Bound) == host.reading) throw new TimeoutException("It ended.");
            var link = await host.invited.Task;
            host.Startup = Stopwatch.GetElapsedTime(began);
            host.Url = new Uri(link.GetLeftPart(UriPartial.Authority));
            if (link.Fragment.Length > 0) host.Link = link.Fragment[1..];
            if (at is null && host.Link.Length > 0 && host.Link != "sl_none") await host.SignInAsync(host.Link);
            return host;
        }
        catch (TimeoutException)
        {
            await host.DisposeAsync();
            throw new InvalidOperationException($"The host did not come up:\n{string.Join('\n', host.said)}");
        }
    }

    /// <summary>One that was stopped, once more: at the same address, over the same data and for the same key. What is called from here on is the new one.</summary>
    public async Task<HostProcess> StartAgainAsync()
    {
        owner?.Dispose();
        process.Dispose();
        var again = await StartAsync(command, data, Url);
        again.ApiKey = ApiKey;
        return again;
    }

    public CoordinatorClient Client() => new(Url, ApiKey);

    /// <summary>For what the client does not say.</summary>
    public HttpClient Http() => new(new SocketsHttpHandler()) { BaseAddress = Url };

    public async Task<BoxGrant> NextBoxAsync(CancellationToken cancellationToken) => await boxes.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Bound, cancellationToken);

    public Task<HostMemory> MemoryAsync(CancellationToken cancellationToken) => AskAsync("memory", memory, cancellationToken);

    public Task<JournalStanding> JournalAsync(CancellationToken cancellationToken) => AskAsync("journal", journal, cancellationToken);

    /// <summary>Until none of its sessions is in memory; what it holds then.</summary>
    public async Task<HostMemory> AsleepAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var held = await MemoryAsync(cancellationToken);
            if (held.Sessions == 0) return held;
            if (Stopwatch.GetElapsedTime(began) > Bound) throw new InvalidOperationException($"{held.Sessions} sessions stayed in memory.");
            await Task.Delay(TimeSpan.FromMilliseconds(250), time, cancellationToken);
        }
    }

    /// <summary>Where its PostgreSQL is reached.</summary>
    public Task<string> SocketFolderAsync(CancellationToken cancellationToken) => AskAsync("database", database, cancellationToken);

    /// <summary>Has it look once through all sessions that sleep, as its sweeps do, and find none that is old enough.</summary>
    public Task LookAsync(CancellationToken cancellationToken) => AskAsync("look", looks, cancellationToken);

    /// <summary>CPU time of the host and its PostgreSQL.</summary>
    public double CpuSeconds() => ProcessTree.CpuSeconds(Id);

    /// <summary>What the host and its PostgreSQL hold.</summary>
    public double Megabytes() => ProcessTree.Megabytes(Id);

    /// <summary>What its PostgreSQL holds of that.</summary>
    public double DatabaseMegabytes() => ProcessTree.Megabytes(Id, static name => name == "postgres");

    /// <summary>Ends the process; its data stays until this is disposed.</summary>
    public async ValueTask StopAsync()
    {
        if (process.HasExited) return;
        process.StandardInput.Close();
        await SignalAsync("TERM");
        await process.WaitForExitAsync().WaitAsync(Bound);
        await reading;
    }

    /// <summary>Ends it from one moment to the next (SIGKILL), in this very call; the task is over once nothing of it is left.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Bound);
        await reading;
    }

    /// <summary>Has it hang (SIGSTOP): its sockets stay open, and it does nothing any more.</summary>
    public Task HangAsync() => SignalAsync("STOP");

    /// <summary>Lets one that hangs go on.</summary>
    public Task GoOnAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await GoOnAsync(); // one that hangs does not hear that it is to end
        await StopAsync();
        owner?.Dispose();
        process.Dispose();
        if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
    }

    /// <summary>The demo's repository is served under the host's own port, which must therefore be known before.</summary>
    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"));
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().WaitAsync(Bound);
    }

    private async Task SignInAsync(string link)
    {
        owner = await Owner.SignInAsync(Url, link, CancellationToken.None);
        ApiKey = await owner.NewKeyAsync(null, CancellationToken.None);
    }

    private async Task ReadAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            if (line.StartsWith("Sign in: ", StringComparison.Ordinal)) invited.TrySetResult(new(words[2]));
            else if (line.StartsWith("bench box ", StringComparison.Ordinal)) await boxes.Writer.WriteAsync(new(words[2], Number<int>(words[3]), words[4]));
            else if (line.StartsWith("bench memory ", StringComparison.Ordinal)) await memory.Writer.WriteAsync(new(Number<long>(words[2]), Number<int>(words[3]), Number<long>(words[4])));
            else if (line.StartsWith("bench database ", StringComparison.Ordinal)) await database.Writer.WriteAsync(words[2]);
            else if (line.StartsWith("bench look ", StringComparison.Ordinal)) await looks.Writer.WriteAsync(Number<int>(words[2]));
            else if (line.StartsWith("bench journal ", StringComparison.Ordinal)) await journal.Writer.WriteAsync(new(Number<long>(words[2]), Number<long>(words[3]), Number<long>(words[4])));
            else said.Enqueue(line);
        }
    }

    private async Task<T> AskAsync<T>(string question, Channel<T> answers, CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteLineAsync(question.AsMemory(), cancellationToken);
        await process.StandardInput.FlushAsync(cancellationToken);
        return await answers.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Bound, cancellationToken);
    }

    private static T Number<T>(string text)
        where T : IParsable<T> => T.Parse(text, CultureInfo.InvariantCulture);
}
