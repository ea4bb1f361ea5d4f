using System.Diagnostics;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>What the return of a client takes of a server that does nothing else: as many come to it at the same moments, and each is answered with as many bytes.</summary>
internal sealed record BareReturns(Latencies Took, double CpuSeconds, double Megabytes)
{
    /// <summary>The host has served whoever prompts it when its clients come, and what it does once it has compiled its code is compared.</summary>
    private const int WarmUp = 1_000;

    public static async Task<BareReturns> MeasureAsync(List<Return> returns, byte[] ready, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var bare = await HostProcess.StartRoleAsync("answer");
        for (var i = 0; i < WarmUp; i++) (await ComeAsync(bare, TimeSpan.Zero, ready, time, cancellationToken)).Socket.Dispose();
        var (cpu, idle, first, began) = (bare.CpuSeconds(), bare.Megabytes(), returns.Min(one => one.Tried), Stopwatch.GetTimestamp());
        var coming = Task.WhenAll(returns.Select(one => ComeAsync(bare, Stopwatch.GetElapsedTime(first, one.Tried) - Stopwatch.GetElapsedTime(began), ready, time, cancellationToken)));
        var most = idle;
        do
        {
            most = Math.Max(most, bare.Megabytes());
            await Task.WhenAny(coming, Task.Delay(HostUnderWatch.Look, time, cancellationToken));
        }
        while (!coming.IsCompleted);
        var (computed, took) = (bare.CpuSeconds() - cpu, new Latencies());
        most = Math.Max(most, bare.Megabytes());
        foreach (var (socket, tried, back) in await coming)
        {
            took.Add(tried, back);
            socket.Dispose();
        }

        return new(took, computed, most - idle);
    }

    private static async Task<(FrameSocket Socket, long Tried, long Back)> ComeAsync(HostProcess bare, TimeSpan after, byte[] ready, TimeProvider time, CancellationToken cancellationToken)
    {
        if (after > TimeSpan.Zero) await Task.Delay(after, time, cancellationToken);
        var tried = Stopwatch.GetTimestamp();
        var socket = await FrameSocket.ConnectAsync(bare.Url, "/answer", null, null, cancellationToken, ReturningClient.KeepAlive);
        await socket.SendAsync(ready, cancellationToken);
        await socket.ReceiveAsync(cancellationToken);
        return (socket, tried, Stopwatch.GetTimestamp());
    }
}
