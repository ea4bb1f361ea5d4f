using System.Globalization;
using System.Text.Json;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>Why a turn failed: a code of the public contract and what to do about it.</summary>
internal sealed record TurnFailure(string Code, string Detail)
{
    private const int MaxMessageLength = 2000;
    private const string Unreadable = "stored_data_unreadable";

    /// <summary>True of the error an abort leaves behind, which is no failure.</summary>
    public static bool IsAbort(JsonElement error) => error.Text("name") == "MessageAbortedError";

    /// <summary>Reads one of OpenCode's errors. What it says comes from the model provider, through the model gateway.</summary>
    public static TurnFailure Of(JsonElement error)
    {
        var data = error.Member("data") ?? default;
        var (code, message) = Said(data);
        if (code is "model_key_missing" or "secret_key_lost") return new TurnFailure(code, message);
        if (code == Unreadable) return new TurnFailure(Unreadable, $"The control plane could not read something of its own that the model call needs: {message}");
        if (OfControlPlane(code, data.Number("statusCode")) is { } away) return new TurnFailure("control_plane_unavailable", away);
        return new TurnFailure("model_error", error.Text("name") switch
        {
            "ProviderAuthError" => KeyRefused(401, message),
            "ContextOverflowError" => TooLong(message),
            "ContentFilterError" => $"The model provider's content filter stopped the answer: {message}",
            "MessageOutputLengthError" => "The answer was cut off at the model's output limit. Ask for it in smaller parts, or choose a model with a larger limit.",
            _ => OfStatus(data.Number("statusCode"), message),
        });
    }

    /// <summary>What is told of a call that the way to the provider refused: the gateway's codes, the host's, and that of the program in the box. Null for all others.</summary>
    private static string? OfControlPlane(string? code, long? status)
    {
        var told = string.Create(CultureInfo.InvariantCulture, $"({status}, {code}). Send the message again.");
        return code switch
        {
            "host_unavailable" => $"The control plane did not answer the model call {told}",
            "host_starting" => $"The control plane was starting and could not take the model call {told}",
            "dependency_unavailable" => $"The control plane could not take the model call, for something that it needs, such as its database, was away {told}",
            _ => null,
        };
    }

    private static string OfStatus(long? status, string message) => status switch
    {
        401 or 403 => KeyRefused(status.Value, message),
        402 => $"The model provider asks for payment (402): {message}",
        429 => $"The model provider limits the rate, or the quota is used up (429): {message} Try again later, or choose another model.",
        413 => TooLong(message),
        404 => $"The model provider does not know the model (404): {message}",
        >= 500 => string.Create(CultureInfo.InvariantCulture, $"The model provider is in trouble ({status}): {message} Try again later."),
        not null => string.Create(CultureInfo.InvariantCulture, $"The model provider refused the request ({status}): {message}"),
        null when LooksTooLong(message) => TooLong(message),
        null => $"The model could not answer: {message}",
    };

    private static string KeyRefused(long status, string message) =>
        string.Create(CultureInfo.InvariantCulture, $"The model provider refused the key ({status}): {message} Check the provider's key.");

    private static string TooLong(string message) =>
        $"The conversation is longer than the model's context window: {message} Start a new session, or choose a model with a larger window.";

    private static bool LooksTooLong(string message) =>
        message.Contains("context", StringComparison.OrdinalIgnoreCase)
        && (message.Contains("length", StringComparison.OrdinalIgnoreCase) || message.Contains("window", StringComparison.OrdinalIgnoreCase) || message.Contains("too long", StringComparison.OrdinalIgnoreCase));

    /// <summary>The provider's own words where its answer has them: <c>error.message</c>, or a problem's code and detail.</summary>
    private static (string? Code, string Message) Said(JsonElement data)
    {
        var message = data.Text("message");
        string? code = null;
        if (data.Text("responseBody") is { Length: > 0 } body && TryParse(body) is { } answer)
        {
            code = answer.Text("code") ?? answer.Member("error")?.Text("code");
            message = answer.Text("detail") ?? answer.Member("error")?.Text("message") ?? message;
        }

        message = string.IsNullOrWhiteSpace(message) ? "no reason was given." : message.Trim();
        if (message.Length > MaxMessageLength) message = message[..MaxMessageLength] + "…";
        return (code, message.EndsWith('.') ? message : message + ".");
    }

    private static JsonElement? TryParse(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
