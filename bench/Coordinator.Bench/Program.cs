using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;
using Coordinator.Bench.Scenarios;
using Coordinator.Bench.Serving;

if (args is ["serve", .. var settings]) return await BenchHost.RunAsync(settings);
if (args is ["relay", ..]) return await BareRelay.RunAsync();
if (args is ["answer", ..]) return await BareAnswer.RunAsync();
if (args is ["hold", var lockedDatabase, ..]) return await LockHolder.RunAsync(lockedDatabase);

var time = TimeProvider.System;
if (args is ["store", ..]) return await BareStore.RunAsync(time);
if (args is ["durable", ..]) return await BareDurableRelay.RunAsync(time);
if (args is ["drive", var driveReport, var kind, .. var rest])
{
    await using var server = ServerOf(time, kind, rest);
    if (server is null) return await SayUseAsync("Use bench/drive coordinator URL API_KEY [MODEL], or bench/drive program COMMAND [ARGUMENT ...].");
    try
    {
        return await MeasureAsync([new Drive(server)], driveReport);
    }
    catch (AdapterEndedException ended)
    {
        await Console.Error.WriteLineAsync(ended.Message);
        return 1;
    }
}

// dotnet Coordinator.Bench.dll HOST_DLL REPORT_FILE [scenario ...]
if (args.Length < 2) return await SayUseAsync("Use bench/run.sh [scenario ...]: dispatch, events, relay, throughput, fanout, flood, storm, idle, asleep, create, append, paced, whole, takeover, host.");
IScenario[] all =
[
    new DispatchLatency(time), new EventLatency(time), new RelayLimit(time), new Throughput(time), new FanOut(time), new Flood(), new Storm(time),
    new IdleSessions(time), new AsleepSessions(time), new SessionCreation(time), new GroupedAppend(time), new PacedAppend(time), new WholeWay(time), new Takeover(time), new RealHost(args[0], time),
];
var wanted = args[2..];
return await MeasureAsync(all.Where(scenario => wanted.Length == 0 || wanted.Contains(scenario.Name, StringComparer.Ordinal)), args[1]);

static IServer? ServerOf(TimeProvider time, string kind, string[] rest) => (kind, rest) switch
{
    ("coordinator", [var url, var key, .. var model]) => new CoordinatorServer(new(url), key, model is [var named, ..] ? named : Turn.Model),
    ("program", [var command, .. var arguments]) => new ProgramServer(time, command, arguments),
    _ => null,
};

static async Task<int> SayUseAsync(string use)
{
    await Console.Error.WriteLineAsync(use);
    return 2;
}

async Task<int> MeasureAsync(IEnumerable<IScenario> scenarios, string reportFile)
{
    var loadBefore = Machine.Load();
    var measurements = new List<Measurement>();
    foreach (var scenario in scenarios)
    {
        await Console.Error.WriteLineAsync($"{scenario.Name} …");
        await foreach (var one in scenario.RunAsync(CancellationToken.None))
        {
            measurements.Add(one);
            await Console.Error.WriteLineAsync($"  {one.Area}, {one.Name}: {one.Value:0.##} {one.Unit}");
        }
    }

    var report = new BenchReport(time.GetUtcNow(), Machine.Describe(loadBefore), measurements);
    await Console.Out.WriteLineAsync(report.ToTable());
    await File.WriteAllBytesAsync(reportFile, report.ToJson());
    return measurements.Exists(one => one.IsMet == false) ? 1 : 0;
}
