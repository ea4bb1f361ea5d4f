namespace Coordinator.Client;

/// <summary>
/// The API refused a call, or could not be reached (<see cref="Status"/> 0). <see cref="Code"/> is stable; the message
/// says what to do. <see cref="RetryAfter"/> is given with 429 and 503, and while an earlier try is being answered.
/// </summary>
public sealed class CoordinatorException(int status, string code, string detail, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(detail, inner)
{
    /// <summary>The HTTP status; 0 when no answer came.</summary>
    public int Status { get; } = status;

    /// <summary>What went wrong, as one stable word.</summary>
    public string Code { get; } = code;

    /// <summary>When to try again, where the host said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The same call with the same idempotency key may succeed later.</summary>
    public bool IsTransient => Status is 0 or 429 or 502 or 503 or 504 || IsInProgress;

    /// <summary>An earlier try is still being answered, or its host died over it and its key is not free yet.</summary>
    internal bool IsInProgress => Status is 409 && Code == "request_in_progress";
}
