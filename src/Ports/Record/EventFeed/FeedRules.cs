namespace Coordinator.Ports.Record;

/// <summary>What a feed takes. Every implementation must refuse what is against it with <see cref="Check"/>.</summary>
public static class FeedRules
{
    /// <summary>Documents of one <see cref="IEventFeed.PublishAsync"/>.</summary>
    public const int MostDocuments = 1_000;

    /// <summary>Bytes of one payload.</summary>
    public const int LargestPayload = 256 * 1024;

    /// <summary>Characters of a topic's name or a document's key.</summary>
    public const int LongestName = 200;

    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: the first thing that is wrong, by its place.</exception>
    public static void Check(IReadOnlyList<FeedDocument> documents)
    {
        if (documents.Count > MostDocuments) throw Refused($"There are {documents.Count} documents; {MostDocuments} can be published at once.");
        for (var i = 0; i < documents.Count; i++)
        {
            if (WhyRefused(documents[i]) is { } reason) throw Refused($"Document {i} cannot be published: {reason}.");
        }
    }

    /// <summary>True for lower-case letters, digits and <c>. _ : / -</c>, of which there are 1 to <see cref="LongestName"/>.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= LongestName && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or ':' or '/' or '-');

    private static string? WhyRefused(FeedDocument document) => document switch
    {
        _ when !IsName(document.Topic) => "its topic is not a name",
        _ when !IsName(document.DocKey) => "its key is not a name",
        { DocVersion: <= 0 } => "its version is not above zero",
        { Payload.Length: > LargestPayload } => $"its payload is longer than {LargestPayload} bytes",
        { Payload.Length: 0 } => "its payload is empty; one that is gone has none",
        { IsIntact: false } => "its payload has another hash",
        _ => null,
    };

    private static PortException Refused(string message) => new(PortFailureKind.Rejected, message);
}
