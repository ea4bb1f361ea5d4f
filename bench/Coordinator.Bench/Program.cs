using Coordinator.Bench.Measuring;
using Coordinator.Bench.Scenarios;
using Coordinator.Bench.Serving;

if (args is ["serve", .. var settings]) return await BenchHost.RunAsync(settings);
if (args is ["relay", ..]) return await BareRelay.RunAsync();

// dotnet Coordinator.Bench.dll HOST_DLL REPORT_FILE [scenario ...]
if (args.Length < 2)
{
    await Console.Error.WriteLineAsync("Use bench/run.sh [scenario ...]: dispatch, events, relay, throughput, fanout, flood, idle, create, append, paced, host.");
    return 2;
}

var time = TimeProvider.System;
IScenario[] all =
[
    new DispatchLatency(), new EventLatency(time), new RelayLimit(time), new Throughput(), new FanOut(time), new Flood(),
    new IdleSessions(time), new SessionCreation(time), new GroupedAppend(time), new PacedAppend(time), new RealHost(args[0], time),
];
var wanted = args[2..];
var loadBefore = Machine.Load();
var measurements = new List<Measurement>();
foreach (var scenario in all.Where(scenario => wanted.Length == 0 || wanted.Contains(scenario.Name, StringComparer.Ordinal)))
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
await File.WriteAllBytesAsync(args[1], report.ToJson());
return measurements.Exists(one => one.IsMet == false) ? 1 : 0;
