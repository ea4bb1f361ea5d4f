using System.Text.Json.Serialization;

namespace Coordinator.Sandbox.HostLink;

/// <summary>The answer of <c>POST /v1/bridge/gateway-token</c>. An older host does not say whether it relays answers: it does not.</summary>
internal sealed record GatewayTokenAnswer(string Token, DateTimeOffset ExpiresAt, bool RelaysAnswers = false)
{
    public override string ToString() => $"gateway token until {ExpiresAt:O}";
}

/// <summary>The answer of <c>GET /v1/bridge/git-credential</c>.</summary>
internal sealed record GitCredentialAnswer(string Username, string Password)
{
    public override string ToString() => $"git credential of {Username}";
}

/// <summary>The part of a problem document that is passed on.</summary>
internal sealed record ProblemAnswer(string? Code, string? Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GatewayTokenAnswer))]
[JsonSerializable(typeof(GitCredentialAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
internal sealed partial class HostJson : JsonSerializerContext;
