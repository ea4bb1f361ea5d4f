using System.Diagnostics;
using System.Net.Http.Headers;

namespace Coordinator.Bench.Driving;

/// <summary>A client of one session over server-sent events, noting when each <c>agent.text</c> came.</summary>
internal sealed class EventStreamWatcher(HttpClient http, HttpResponseMessage answer, StreamReader lines) : IDisposable
{
    public List<long> Texts { get; } = [];

    public static async Task<EventStreamWatcher> ConnectAsync(HostProcess host, string session, string after, CancellationToken cancellationToken)
    {
        var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = host.Url, Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events?after={after}");
        request.Headers.Accept.Add(new("text/event-stream"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", host.ApiKey);
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return new(http, answer, new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken)));
    }

    /// <summary>Reads until so many <c>agent.text</c> have come in all.</summary>
    public async Task TakeTextsAsync(int count, CancellationToken cancellationToken)
    {
        while (Texts.Count < count && await lines.ReadLineAsync(cancellationToken) is { } line)
            if (line.Contains("\"type\":\"agent.text\"", StringComparison.Ordinal)) Texts.Add(Stopwatch.GetTimestamp());
        if (Texts.Count < count) throw new InvalidOperationException("The event stream ended before its time.");
    }

    public void Dispose()
    {
        lines.Dispose();
        answer.Dispose();
        http.Dispose();
    }
}
