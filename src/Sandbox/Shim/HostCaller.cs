using System.Net;
using Coordinator.Ports.Models.Relaying;
using Coordinator.Sandbox.HostLink;

namespace Coordinator.Sandbox.Shim;

/// <summary>
/// Sends a model call until a host answers it. A host that refuses the connection, breaks the call off, falls silent or has it
/// come again is left, and the call is tried again for a minute: behind a load balancer, at another host.
/// </summary>
internal sealed class HostCaller(HostConnection host, GatewayToken token, TimeProvider time, BoxLog log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Credentials of whatever sort the agent was configured with, none of which counts here; and what this program says itself.</summary>
    private static readonly HashSet<string> Withheld = new(StringComparer.OrdinalIgnoreCase) { "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cookie", "Accept-Encoding", RelayedAnswer.RequestHeader };

    /// <summary>
    /// How the last call was answered, +1 in the relayed form and -1 not; 0 before. A host of an older release answers once its provider
    /// does, after minutes perhaps: only of hosts that answer at once does silence say anything before their answer has begun.
    /// </summary>
    private volatile int lastForm;

    private bool HostsAnswerAtOnce => lastForm > 0 || (lastForm == 0 && token.HostRelaysAnswers);

    /// <summary>The first answer of a host; null when there was none in time.</summary>
    public async Task<HostAnswer?> CallAsync(RequestHead head, byte[] body, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var pause = FirstPause;
        var longestSilence = RelayedAnswer.LongestSilence;
        string? refused = null;
        while (true)
        {
            string why;
            try
            {
                var credential = await token.GetAsync(refused, cancellationToken);
                var answer = await SendAsync(head, body, credential, longestSilence, cancellationToken);
                if (!answer.IsComeAgain && (answer.Head.Status != (int)HttpStatusCode.Unauthorized || refused is not null)) return answer;
                answer.Dispose();
                if (!answer.IsComeAgain)
                {
                    refused = credential;
                    continue;
                }

                why = $"it was answered {answer.Head.Status}";
            }
            catch (HostSilentException silent)
            {
                // Should these be older hosts after all, brought back since, the next has longer.
                longestSilence = Longer(longestSilence, Patience - time.GetElapsedTime(since));
                why = silent.Message;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                why = exception.Message;
            }

            if (time.GetElapsedTime(since) + pause > Patience) return null;
            log.DialFailed($"a model call waits: {why}");
            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<HostAnswer> SendAsync(RequestHead head, byte[] body, string credential, TimeSpan longestSilence, CancellationToken cancellationToken)
    {
        var allowed = HostsAnswerAtOnce ? longestSilence : Timeout.InfiniteTimeSpan;
        var silence = new HostSilence(time, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            using var request = NewRequest(head, new HeardContent(body, () => silence.Allow(allowed)), credential);
            silence.Allow(allowed);
            response = await silence.HearAsync(over => host.SendAsync(request, over));
            var answer = await HostAnswer.OpenAsync(response, silence, cancellationToken);
            if (!answer.IsComeAgain) lastForm = answer.IsRelayed ? 1 : -1;
            return answer;
        }
        catch
        {
            response?.Dispose();
            silence.Dispose();
            throw;
        }
    }

    private HttpRequestMessage NewRequest(RequestHead head, HttpContent content, string credential)
    {
        var request = host.NewAnonymousRequest(new HttpMethod(head.Method), head.Target.TrimStart('/'));
        request.Content = content;
        foreach (var (name, value) in head.Headers)
        {
            if (RequestHead.IsHopByHop(name) || Withheld.Contains(name)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation(RelayedAnswer.RequestHeader, RelayedAnswer.Form);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {credential}");
        return request;
    }

    private static TimeSpan Longer(TimeSpan silence, TimeSpan rest)
    {
        var twice = silence * 2 < rest ? silence * 2 : rest;
        return twice > RelayedAnswer.LongestSilence ? twice : RelayedAnswer.LongestSilence;
    }
}
