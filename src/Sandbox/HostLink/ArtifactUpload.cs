using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Sandbox.HostLink;

/// <summary>Where what is too large for an event is kept.</summary>
internal interface IArtifactUpload
{
    /// <summary>Stores text and returns its SHA-256 in hex; null when it could not be stored in time.</summary>
    Task<string?> StoreAsync(string text, CancellationToken cancellationToken);
}

/// <summary>Hands the control plane what is too large for an event, named by its content, so that trying again is safe.</summary>
internal sealed class ArtifactUpload(HostConnection host, TimeProvider time, BoxLog log) : IArtifactUpload
{
    private const int MaxBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public async Task<string?> StoreAsync(string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var content = bytes.AsMemory(0, Math.Min(bytes.Length, MaxBytes));
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        using var timeout = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            while (true)
            {
                if (await TryPutAsync(sha256, content, either.Token) is { } stored) return stored ? sha256 : null;
                await Task.Delay(Pause, time, either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>True: stored. False: refused for good. Null: try again.</summary>
    private async Task<bool?> TryPutAsync(string sha256, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            using var request = host.NewRequest(HttpMethod.Put, $"v1/bridge/artifacts/{sha256}");
            request.Content = new ReadOnlyMemoryContent(content);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
            using var response = await host.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode) return true;
            if ((int)response.StatusCode >= 500) return null;
            log.DialFailed($"an artifact was answered with {(int)response.StatusCode}");
            return false;
        }
        catch (HttpRequestException exception)
        {
            log.DialFailed(exception.Message);
            return null;
        }
    }
}
