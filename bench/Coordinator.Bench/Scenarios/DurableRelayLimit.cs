using System.Diagnostics;
using System.Globalization;
using System.Text;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>The ends of a bare durable relay, and through them events as clients are told them: what a box's event cannot take less than.</summary>
internal sealed class DurableRelayLimit(RelayEnds relay, TimeProvider time) : IAsyncDisposable
{
    public const string Together = "a bare durable relay";

    public const string Each = "a bare durable relay with a row and a frame for each event";

    private readonly SampleSpeech speech = new(200);
    private int sequence;

    public HostProcess Process => relay.Process;

    public static async Task<DurableRelayLimit> StartAsync(TimeProvider time, CancellationToken cancellationToken, string into = "/in") =>
        new(await RelayEnds.StartAsync(watchers: 1, cancellationToken, "durable", into), time);

    /// <summary>Events of twelve characters at a steady rate.</summary>
    public Task<Latencies> PacedAsync(int rate, int events, CancellationToken cancellationToken) =>
        RelayLimit.PacedAsync(relay, rate, events, time, cancellationToken, i => Event(string.Create(CultureInfo.InvariantCulture, $$"""{"part":"p1","offset":{{i * 12}},"text":"twelve chars"}""")));

    /// <summary>Events of 200 characters as fast as they are taken.</summary>
    public async Task<Latencies> StreamAsync(int events, CancellationToken cancellationToken)
    {
        var (latencies, watcher, began) = (new Latencies(), relay.Watchers[0], Stopwatch.GetTimestamp());
        var taking = watcher.TakeTextsAsync(watcher.Texts.Count + events, cancellationToken);
        for (var i = 0; i < events; i++) await relay.Into.SendAsync(Event(speech.Next()), cancellationToken);
        await taking;
        latencies.Add(began, Stopwatch.GetTimestamp());
        return latencies;
    }

    public ValueTask DisposeAsync() => relay.DisposeAsync();

    private byte[] Event(string data)
    {
        var seq = ++sequence;
        return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"cursor":"1.{{seq}}","seq":{{seq}},"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_00000000000000000000000000","data":{{data}}}"""));
    }
}
