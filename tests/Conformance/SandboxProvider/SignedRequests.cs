using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.Tests.Support.Http;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Speaks with a data plane by hand, rightly or wrongly signed.</summary>
[SupportedOSPlatform("linux")]
internal sealed class SignedRequests(Uri url) : IDisposable
{
    private readonly HttpClient http = TestHttp.Client(url);

    public static RequestSignature Sign(HttpMethod method, string target, byte[]? body = null, DateTimeOffset? at = null, string keyId = ModalRig.KeyId, string secret = ModalRig.Secret) =>
        RequestSignature.Create(keyId, Encoding.UTF8.GetBytes(secret), new(method.Method, target, body ?? []), at ?? TimeProvider.System.GetUtcNow(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));

    /// <summary>The status, and the problem when there was one.</summary>
    public async Task<(int Status, DataPlaneProblem? Problem)> SendAsync(HttpMethod method, string target, string? authorization, byte[]? body = null)
    {
        using var request = new HttpRequestMessage(method, target);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (body is not null) request.Content = new ByteArrayContent(body);
        using var answer = await http.SendAsync(request);
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? null : await answer.Content.ReadFromJsonAsync(DataPlaneJson.Default.DataPlaneProblem));
    }

    public void Dispose() => http.Dispose();
}
