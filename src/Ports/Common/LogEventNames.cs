namespace Coordinator.Ports;

/// <summary>What the name of a log's event says of it, for whoever writes the log to go by. Written where the event is, so that no list of numbers has to follow it.</summary>
public static class LogEventNames
{
    /// <summary>
    /// Begins the name of an event that says of something that it is lost for good, which nothing else tells an operator. Each line of it is written,
    /// however many there are of an outage.
    /// </summary>
    public const string Lost = "Lost:";
}
