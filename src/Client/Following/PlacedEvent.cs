namespace Coordinator.Client;

/// <summary>
/// An event with where its stream is then, which is what to resume after: the cursor within an event is of when it was
/// written, maybe before the server was restored.
/// </summary>
internal readonly record struct PlacedEvent(string At, SessionEvent Event)
{
    /// <summary>An event of the stream that another cursor is of: before the dot stands which history it is, behind it the event's number.</summary>
    public static PlacedEvent InStreamOf(string cursor, SessionEvent e) => new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{cursor.Split('.')[0]}.{e.Seq}"), e);
}
