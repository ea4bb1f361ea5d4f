using System.Text;
using Coordinator.Ports;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>What may be asked of an agent: something, and at most 64 KiB of UTF-8.</summary>
internal static class PromptText
{
    public const int MaxBytes = 64 * 1024;

    public static Problem Malformed { get; } = new("prompt_malformed", "The text is not valid Unicode: it holds half of a surrogate pair. Take that character out and send it again.");

    public static Problem? Check(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return new("prompt_empty", "Write what the agent is to do.");
        return Encoding.UTF8.GetByteCount(text) > MaxBytes
            ? new("prompt_too_large", "A prompt is at most 64 KiB; put larger things into the repository.", ProblemKind.TooLarge)
            : null;
    }
}
