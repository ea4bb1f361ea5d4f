using System.Globalization;
using System.Text.Json;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>Says precisely where a request could not be read, without naming types of this program or repeating the input.</summary>
internal static class MalformedRequest
{
    private const string BindFailure = "Failed to bind parameter \"";

    /// <summary>An id in the path that is no id names nothing: that is a 404, not a malformed request.</summary>
    public static Problem Explain(BadHttpRequestException failure, HttpContext context) => failure.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new("request_too_large", "The body is larger than this route takes.", ProblemKind.TooLarge),
        StatusCodes.Status415UnsupportedMediaType => new("content_type_unsupported", "Send the body as application/json.", ProblemKind.Malformed),
        _ when failure.InnerException is JsonException json => Explain(json),
        _ when Parameter(failure.Message) is { } parameter => Explain(parameter.Type, parameter.Name, context),
        _ when failure.Message.Contains("body", StringComparison.OrdinalIgnoreCase) => new("body_required", "This route needs a JSON body.", ProblemKind.Malformed),
        _ => new("request_malformed", "The request cannot be read.", ProblemKind.Malformed),
    };

    public static Problem Explain(JsonException failure)
    {
        var place = failure.LineNumber is { } line && failure.BytePositionInLine is { } column
            ? string.Create(CultureInfo.InvariantCulture, $", line {line + 1}, byte {column + 1}")
            : string.Empty;
        if (failure.InnerException is JsonException) return new("json_invalid", $"The body is not valid JSON{place}.", ProblemKind.Malformed);
        return failure.Path is { Length: > 1 } path
            ? new("json_invalid", $"The body cannot be read at {path}{place}: the value there is not of the expected kind.", ProblemKind.Malformed)
            : new("json_invalid", $"The body is not the JSON object this route takes{place}.", ProblemKind.Malformed);
    }

    private static Problem Explain(string type, string name, HttpContext context)
    {
        if (!type.EndsWith("Id", StringComparison.Ordinal) || !context.Request.RouteValues.ContainsKey(name))
            return new("parameter_invalid", $"The parameter '{name}' is missing or cannot be read.", ProblemKind.Malformed);
        var noun = JsonNamingPolicy.SnakeCaseLower.ConvertName(type[..^2]);
        return new($"{noun}_not_found", $"There is no such {noun.Replace('_', ' ')}.", ProblemKind.NotFound);
    }

    private static (string Type, string Name)? Parameter(string message)
    {
        if (!message.StartsWith(BindFailure, StringComparison.Ordinal)) return null;
        var declaration = message[BindFailure.Length..].Split('"')[0].Split(' ');
        return (declaration[0], declaration[^1]);
    }
}
