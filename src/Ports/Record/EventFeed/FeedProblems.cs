using System.Globalization;

namespace Coordinator.Ports.Record;

/// <summary>What a feed refuses to read, in words every implementation shares.</summary>
public static class FeedProblems
{
    /// <summary>The code of a cursor that cannot be followed on from.</summary>
    public const string StaleCursorCode = "stale_cursor";

    /// <summary>
    /// The problem of reading on from <paramref name="after"/>, or null when a topic can be: below the floor something is
    /// gone unseen, above the head the reader knows what this feed never told.
    /// </summary>
    public static Problem? StaleCursor(FeedTopic topic, long after) => after switch
    {
        _ when after < topic.Floor => Stale($"What follows {Text(after)} has been purged up to {Text(topic.Floor)}"),
        _ when after > topic.Head => Stale($"The watermark {Text(after)} is ahead of the topic, which ends at {Text(topic.Head)}"),
        _ => null,
    };

    private static Problem Stale(string why) => new(StaleCursorCode, $"{why}. Load everything anew and follow from the watermark that comes with it.", ProblemKind.Gone);

    private static string Text(long watermark) => watermark.ToString(CultureInfo.InvariantCulture);
}
