using System.Text;

namespace Coordinator.Fakes;

/// <summary>
/// What the scripted gateway's upstream answers: a status, headers, and the body in the pieces it arrives in. With
/// <see cref="CutAtEnd"/> the connection breaks after the last piece; with <see cref="Gate"/> the last piece waits.
/// </summary>
public sealed record ModelAnswer(int Status, string ContentType, IReadOnlyList<byte[]> Pieces)
{
    public bool CutAtEnd { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public Task? Gate { get; init; }

    public static ModelAnswer Json(int status, string body) => new(status, "application/json", [Encoding.UTF8.GetBytes(body)]);

    public static ModelAnswer Stream(params IEnumerable<string> pieces) => new(200, "text/event-stream", [.. pieces.Select(Encoding.UTF8.GetBytes)]);

    /// <summary>The provider refuses the key, as providers do: repeating it.</summary>
    public static ModelAnswer KeyRefused(string key) => Json(401, $$"""{"error":{"message":"Incorrect API key provided: {{key}}.","code":"invalid_api_key"} }""");

    public static ModelAnswer RateLimited(TimeSpan retryAfter) => Json(429, """{"error":{"message":"Rate limit reached.","type":"rate_limit_error"}}""") with { RetryAfter = retryAfter };

    public static ModelAnswer Broken() => Json(503, """{"error":{"message":"Overloaded."}}""");
}
