using System.Collections.Concurrent;
using System.Net;
using Coordinator.Adapters.HttpNotifier;
using Coordinator.Fakes;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordinator.Tests.Conformance.Notifier;

/// <summary>The HTTP notifier as a host has it, and two real HTTP servers on loopback.</summary>
internal sealed class HttpNotifierRig : INotifierRig
{
    private readonly ConcurrentQueue<ReceivedNotification> received = [];
    private readonly TaskCompletionSource hungUpOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IAsyncDisposable> parts = [];
    private NotificationAnswer answer = new();
    private Uri? location;
    private LoopbackServer receiver = null!;
    private LoopbackServer other = null!;

    public ManualTime Time { get; } = new();

    public INotifier Notifier { get; private set; } = null!;

    public INotifier Strict { get; private set; } = null!;

    public Uri Address => new(receiver.Address, "hook");

    public Uri Elsewhere => new(other.Address, "hook");

    public Uri Unreachable { get; } = new("http://127.0.0.1:1/hook");

    public IReadOnlyList<ReceivedNotification> Received => [.. received];

    public bool AnswersEndlessly { get; set; }

    public static async Task<HttpNotifierRig> StartAsync()
    {
        var rig = new HttpNotifierRig();
        rig.receiver = await LoopbackServer.StartAsync(app => app.Run(rig.AnswerAsync));
        rig.other = await LoopbackServer.StartAsync(app => app.Run(rig.KeepAsync));
        rig.Notifier = rig.With($"127.0.0.1:{rig.receiver.Address.Port}", $"127.0.0.1:{rig.other.Address.Port}", "127.0.0.1:1");
        rig.Strict = rig.With();
        return rig;
    }

    /// <summary>A notifier with these exceptions.</summary>
    public INotifier With(params string[] exceptions)
    {
        var settings = exceptions.Select((entry, index) => KeyValuePair.Create($"Notifier:AddressExceptions:{index}", (string?)entry));
        var services = new ServiceCollection().AddSingleton<TimeProvider>(Time).AddHttpNotifier(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
        parts.Add(services);
        return services.GetRequiredService<INotifier>();
    }

    /// <summary>A notifier whose name server says this.</summary>
    public INotifier Resolving(Func<string, IPAddress[]> addresses, params string[] exceptions)
    {
        var notifier = new HttpNotifier(Options.Create(new HttpNotifierOptions { AddressExceptions = exceptions }), Time, (host, _) => Task.FromResult(addresses(host)));
        parts.Add(new Part(notifier));
        return notifier;
    }

    public void Answer(NotificationAnswer answer, Uri? location = null) => (this.answer, this.location) = (answer, location);

    /// <summary>Until the notifier has left in the middle of an answer without end.</summary>
    public Task UntilHungUpOnAsync() => hungUpOn.Task.WaitAsync(TimeSpan.FromSeconds(20));

    public Task UntilSilentAsync() => silent.Task.WaitAsync(TimeSpan.FromSeconds(20));

    public async ValueTask DisposeAsync()
    {
        foreach (var part in parts) await part.DisposeAsync();
        await receiver.DisposeAsync();
        await other.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var said = answer;
        await KeepAsync(context);
        if (said.IsCut) context.Abort();
        else if (said.IsSilent) await StaySilentAsync(context);
        else await SayAsync(context, said);
    }

    private async Task SayAsync(HttpContext context, NotificationAnswer said)
    {
        context.Response.StatusCode = said.Status;
        if (said.RetryAfter is { } wait) context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (location is not null) context.Response.Headers.Location = location.AbsoluteUri;
        if (!AnswersEndlessly) return;
        var block = new byte[64 * 1024];
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.Body.WriteAsync(block, CancellationToken.None);
        }

        hungUpOn.TrySetResult();
    }

    private async Task StaySilentAsync(HttpContext context)
    {
        silent.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task KeepAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        received.Enqueue(new(new($"{context.Request.Scheme}://{context.Request.Host}{context.Request.Path}"), headers, body.ToArray()));
    }

    private sealed class Part(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
