namespace Coordinator.Modules.Sessions.Facts;

/// <summary>
/// How much of a record the facts take in which a box's own words stand once more, beside the event that shows them: as text in JSON they
/// grow up to six times.
/// </summary>
internal static class FactWeight
{
    private const int Escaped = 6;

    /// <summary>Never less than what is written of them.</summary>
    public static long Of(Fact fact) => fact switch
    {
        Fact.PermissionAsked asked => Of(asked.Permission) + Of(asked.EventData) + asked.Patterns.Sum(Of),
        Fact.EnvironmentDetected detected => Of(detected.Json),
        _ => 0,
    };

    private static long Of(string text)
    {
        var bytes = 3L;
        foreach (var unit in text) bytes += char.IsAsciiLetterOrDigit(unit) || unit is ' ' or '.' or ',' or ':' or '/' or '-' or '_' or '{' or '}' or '[' or ']' ? 1 : Escaped;
        return bytes;
    }
}
