using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Idempotency;

/// <summary>What is stored in place of an answer that showed a secret: that there was one, and nothing of it.</summary>
internal static class SecretAnswers
{
    private const string Marker = "coordinator/shown-once";

    public static readonly Problem Problem = new("answer_not_repeatable", "The first request with this Idempotency-Key succeeded and showed its secret once. If it was not seen, revoke what was made and make another.", ProblemKind.Conflict);

    public static StoredAnswer NotRepeatable { get; } = new(StatusCodes.Status409Conflict, Marker, []);

    public static bool IsNotRepeatable(StoredAnswer answer) => answer.ContentType == Marker;
}
